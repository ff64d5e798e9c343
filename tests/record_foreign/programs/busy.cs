// A small busy program: generics, lambdas, queries, hashing and a second thread.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using System.Threading;

namespace Shop.Pricing {
    public sealed class Table<TKey, TValue> where TKey : IComparable<TKey> {
        readonly Dictionary<TKey, List<TValue>> rows = new Dictionary<TKey, List<TValue>>();

        public void Add(TKey key, TValue value) {
            if (!rows.TryGetValue(key, out var row)) rows[key] = row = new List<TValue>();
            row.Add(value);
            if (row.Count > 200) row.Clear();
        }

        public IEnumerable<TKey> Keys => rows.Keys.OrderBy(key => key);
    }

    public static class Program {
        static string Digest(int number) {
            using (var hash = SHA256.Create()) {
                return Convert.ToBase64String(hash.ComputeHash(Encoding.UTF8.GetBytes(new string('x', 400) + number)));
            }
        }

        static int Work(double seconds) {
            var table = new Table<string, int>();
            var end = DateTime.UtcNow.AddSeconds(seconds);
            var rounds = 0;
            while (DateTime.UtcNow < end) {
                rounds++;
                table.Add(Digest(rounds % 97), rounds);
                var ordered = Enumerable.Range(0, 500).Select(step => (step * rounds) % 7919).OrderBy(mark => mark).ToArray();
                if (rounds % 16 == 0) table.Add(string.Join(",", table.Keys.Take(3)), ordered[0]);
            }
            return rounds;
        }

        public static void Main() {
            var second = new Thread(() => Work(3)) { Name = "second" };
            second.Start();
            Console.WriteLine(Work(3) > 0);
            second.Join();
        }
    }
}
