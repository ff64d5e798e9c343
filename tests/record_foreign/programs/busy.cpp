// A small busy program: templates, lambdas, std::sort, a map of strings, and heap blocks that stay allocated.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

namespace shop::pricing {

template <typename Key, typename Value, std::size_t Ways>
class Cache {
 public:
  __attribute__((noinline)) Value& put(const Key& key, Value value) {
    return shards_[std::hash<Key>{}(key) % Ways][key] = std::move(value);
  }

  __attribute__((noinline)) std::size_t size() const {
    return std::accumulate(std::begin(shards_), std::end(shards_), std::size_t{0},
                           [](std::size_t sum, const auto& shard) { return sum + shard.size(); });
  }

 private:
  std::map<Key, Value> shards_[Ways];
};

template <typename Number>
__attribute__((noinline)) std::vector<Number> random_numbers(std::size_t count, std::uint32_t seed) {
  std::vector<Number> numbers(count);
  std::generate(numbers.begin(), numbers.end(), [&seed] {
    seed = seed * 1664525u + 1013904223u;
    return static_cast<Number>(seed >> 8);
  });
  return numbers;
}

template <typename Number, typename Compare>
__attribute__((noinline)) Number median(std::vector<Number> numbers, Compare compare) {
  std::sort(numbers.begin(), numbers.end(), compare);
  return numbers[numbers.size() / 2];
}

__attribute__((noinline)) std::string operator""_label(unsigned long long number) {
  return "item-" + std::to_string(number);
}

}  // namespace shop::pricing

namespace {

struct Block {
  std::unique_ptr<char[]> bytes = std::make_unique<char[]>(64 * 1024);
};

__attribute__((noinline)) double round_of_work(std::uint32_t round,
                                               shop::pricing::Cache<std::string, std::vector<double>, 4>& cache) {
  auto numbers = shop::pricing::random_numbers<double>(20000, round);
  const auto down = [](double left, double right) { return left > right; };
  const double middle = shop::pricing::median(numbers, down);
  const auto least = shop::pricing::median(shop::pricing::random_numbers<std::int64_t>(20000, round + 1), std::less<>{});
  cache.put("item-" + std::to_string(round % 300), std::vector<double>(numbers.begin(), numbers.begin() + 500));
  return middle + static_cast<double>(least);
}

}  // namespace

int main() {
  using shop::pricing::operator""_label;
  auto& cache = *new shop::pricing::Cache<std::string, std::vector<double>, 4>;
  auto& kept = *new std::vector<std::shared_ptr<Block>>;
  const std::function<void()> keep = [&kept] { kept.push_back(std::make_shared<Block>()); };
  double sum = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  for (std::uint32_t round = 0; std::chrono::steady_clock::now() < end; ++round) {
    sum += round_of_work(round, cache);
    if (round % 8 == 0 && kept.size() < 200) keep();
  }
  std::cout << cache.size() << ' ' << kept.size() << ' ' << 7_label << ' ' << (sum > 0) << '\n';
}
