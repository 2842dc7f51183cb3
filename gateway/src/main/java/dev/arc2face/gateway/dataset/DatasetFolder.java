package dev.arc2face.gateway.dataset;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.arc2face.gateway.dataset.DatasetException.Problem;
import dev.arc2face.gateway.face.Embedding;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A data set's folder, this process's alone while it is open. Everything in it appears at once and whole, and a picture counts only
 * when its record is there: a process that is killed at any moment leaves a folder that the next one goes on with.
 *
 * <pre>
 * dataset.json         the settings
 * identities.npy       [N,D] FP32: whom the pictures are drawn from
 * images/000017/0003.png
 * aligned/000017/0003.png
 * parts/000017.jsonl   the records of one identity; the manifest is all of them
 * manifest.jsonl, manifest.parquet, README.md
 * </pre>
 */
public final class DatasetFolder implements AutoCloseable {
    private static final Gson GSON =
            Picture.GSON.newBuilder().setPrettyPrinting().serializeNulls().create();
    private static final String SETTINGS = "dataset.json";

    private final Path root;
    private final Settings settings;
    private final FileChannel lock;

    /**
     * Opens the folder of a new data set, or of one that was begun with the same settings.
     *
     * @throws DatasetException FOLDER_HOLDS_SOMETHING_ELSE, FOLDER_IN_USE
     */
    public DatasetFolder(Path root, Settings settings) throws IOException {
        this.root = root;
        this.settings = settings;
        Files.createDirectories(root);
        boolean begun = Files.exists(root.resolve(SETTINGS));
        if (begun) {
            requireSame(JsonParser.parseString(GSON.toJson(settings)).getAsJsonObject());
        } else if (!isEmpty(root)) {
            throw new DatasetException(
                    Problem.FOLDER_HOLDS_SOMETHING_ELSE,
                    root + " is not empty and holds no data set; name another folder");
        }
        lock = lock();
        if (!begun) {
            Replacement.write(root.resolve(SETTINGS), (GSON.toJson(settings) + "\n").getBytes(UTF_8));
        }
    }

    private static boolean isEmpty(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) { // a hidden one is a beginning of our own
            return entries.allMatch(entry -> entry.getFileName().toString().startsWith("."));
        }
    }

    private FileChannel lock() throws IOException {
        FileChannel channel =
                FileChannel.open(root.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            if (channel.tryLock() != null) {
                return channel;
            }
        } catch (OverlappingFileLockException inThisProcess) {
            // As if it were another process's.
        }
        channel.close();
        throw new DatasetException(
                Problem.FOLDER_IN_USE, "another run works in " + root + "; give each shard a folder of its own");
    }

    private void requireSame(JsonObject wanted) throws IOException {
        Path file = root.resolve(SETTINGS);
        Map<String, JsonElement> found;
        try {
            found = flat("", JsonParser.parseString(Files.readString(file)));
        } catch (JsonParseException damaged) {
            throw new DatasetException(Problem.FOLDER_HOLDS_SOMETHING_ELSE, file + " is damaged; name another folder");
        }
        Map<String, JsonElement> asked = flat("", wanted);
        TreeSet<String> keys = new TreeSet<>(found.keySet());
        keys.addAll(asked.keySet());
        String differences = keys.stream()
                .filter(key -> !String.valueOf(found.get(key)).equals(String.valueOf(asked.get(key))))
                .map(key -> key + " is " + found.get(key) + " there and " + asked.get(key) + " here")
                .collect(Collectors.joining("; "));
        if (!differences.isEmpty()) {
            throw new DatasetException(
                    Problem.FOLDER_HOLDS_SOMETHING_ELSE,
                    root + " holds another data set: " + differences + "; name another folder or the same settings");
        }
    }

    private static Map<String, JsonElement> flat(String path, JsonElement element) {
        if (!element.isJsonObject()) {
            return Map.of(path, element);
        }
        Map<String, JsonElement> leaves = new TreeMap<>();
        element.getAsJsonObject()
                .asMap()
                .forEach((key, value) -> leaves.putAll(flat(path.isEmpty() ? key : path + "." + key, value)));
        return leaves;
    }

    public Settings settings() {
        return settings;
    }

    /** Where a picture lies, from the folder on. */
    public String imageFile(int identity, int picture) {
        return String.format(
                Locale.ROOT,
                "images/%06d/%04d.%s",
                identity,
                picture,
                settings.drawing().extension());
    }

    /** Where its aligned crop lies. */
    public String alignedFile(int identity, int picture) {
        return String.format(Locale.ROOT, "aligned/%06d/%04d.png", identity, picture);
    }

    private Path part(int identity) {
        return root.resolve(String.format(Locale.ROOT, "parts/%06d.jsonl", identity));
    }

    /** Writes whom the pictures are drawn from. */
    public void writeIdentities(List<Embedding> identities) throws IOException {
        List<float[]> rows = identities.stream().map(Embedding::values).toList();
        int size = rows.isEmpty() ? 0 : rows.get(0).length;
        Replacement.write(root.resolve("identities.npy"), out -> Npy.write(out, rows, size));
    }

    /**
     * What is there of an identity: pictures whose files have the bytes that their records tell, and those that were missed.
     *
     * @return by the picture's number
     */
    public SortedMap<Integer, Picture> pictures(int identity) throws IOException {
        SortedMap<Integer, Picture> there = new TreeMap<>();
        for (Map.Entry<Integer, Picture> record : records(identity).entrySet()) {
            if (!(record.getValue() instanceof Picture.Kept kept)
                    || (hasContent(kept.file(), kept.sha256())
                            && hasContent(kept.alignedFile(), kept.alignedSha256()))) {
                there.put(record.getKey(), record.getValue());
            }
        }
        return there;
    }

    /** What the records tell of an identity. */
    SortedMap<Integer, Picture> records(int identity) throws IOException {
        SortedMap<Integer, Picture> records = new TreeMap<>();
        Path part = part(identity);
        if (Files.exists(part)) {
            for (String line : Files.readAllLines(part)) {
                Optional<Picture> record = Picture.of(line);
                record.ifPresent(picture -> records.put(picture.picture(), picture));
            }
        }
        return records;
    }

    private boolean hasContent(String file, String sha256) throws IOException {
        Path path = root.resolve(file);
        return Files.exists(path) && Hashes.sha256(Files.readAllBytes(path)).equals(sha256);
    }

    /** Keeps a picture: its two files, then its record. */
    public void keep(Picture.Kept picture, byte[] image, byte[] aligned) throws IOException {
        write(picture.file(), image);
        write(picture.alignedFile(), aligned);
        record(picture);
    }

    /** Remembers that a picture was missed: another run would miss it, too. */
    public void miss(Picture.Missed picture) throws IOException {
        record(picture);
    }

    private void record(Picture picture) throws IOException {
        SortedMap<Integer, Picture> records = records(picture.identity());
        records.put(picture.picture(), picture);
        Path part = part(picture.identity());
        createParent(part);
        Replacement.write(
                part,
                records.values().stream()
                        .map(each -> each.line() + "\n")
                        .collect(Collectors.joining())
                        .getBytes(UTF_8));
    }

    private void write(String file, byte[] content) throws IOException {
        Path path = root.resolve(file);
        createParent(path);
        Replacement.write(path, content);
    }

    private static void createParent(Path file) throws IOException {
        Path parent = file.getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
    }

    /** Writes the manifest of a shard's pictures, as lines of JSON and as Parquet, and the data card. */
    public Summary finish(Shard shard, Identities identities) throws IOException {
        Summary.Builder summary = new Summary.Builder();
        Replacement.write(
                root.resolve("manifest.jsonl"),
                lines -> Replacement.write(root.resolve("manifest.parquet"), columns -> {
                    Manifest manifest = new Manifest(lines, columns);
                    for (int identity : shard.of(settings.identities()).toArray()) {
                        for (Picture picture : records(identity).values()) {
                            summary.add(picture);
                            if (picture instanceof Picture.Kept kept) {
                                manifest.add(kept);
                            }
                        }
                    }
                    manifest.finish();
                }));
        Summary whole = summary.build();
        String card = DataCard.of(settings, shard, identities, whole);
        Replacement.write(root.resolve("README.md"), card.getBytes(UTF_8));
        return whole;
    }

    @Override
    public void close() {
        try {
            lock.close();
        } catch (IOException e) {
            throw new UncheckedIOException("the lock of " + root + " could not be released", e);
        }
    }
}
