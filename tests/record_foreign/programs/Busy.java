import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A small busy program: streams, lambdas, a map of lists and a second thread. */
public final class Busy {
    private final Map<String, List<Integer>> rows = new HashMap<>();

    private void add(String key, int value) {
        List<Integer> row = rows.computeIfAbsent(key, missing -> new ArrayList<>());
        row.add(value);
        if (row.size() > 200) row.clear();
    }

    private static String digest(int number) throws Exception {
        byte[] bytes = MessageDigest.getInstance("SHA-256").digest(("row-" + number).repeat(40).getBytes());
        return IntStream.range(0, 4).mapToObj(place -> Integer.toHexString(bytes[place])).collect(Collectors.joining());
    }

    private void run(double seconds) {
        long end = System.nanoTime() + (long) (seconds * 1e9);
        for (int round = 1; System.nanoTime() < end; round++) {
            try {
                add(digest(round % 97), round);
            } catch (Exception failed) {
                throw new IllegalStateException(failed);
            }
            int seed = round;
            int[] ordered = IntStream.range(0, 500).map(step -> step * seed % 7919).sorted().toArray();
            add("least", ordered[0]);
        }
    }

    public static void main(String[] arguments) throws Exception {
        Thread second = new Thread(() -> new Busy().run(3), "second");
        second.start();
        new Busy().run(3);
        second.join();
    }
}
