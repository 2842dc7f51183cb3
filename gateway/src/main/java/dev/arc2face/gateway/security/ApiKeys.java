package dev.arc2face.gateway.security;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * API keys as a file holds them: hashed. A key is 256 random bits ({@code arc2face api-key}), so that a plain hash
 * cannot be turned back; a password would need a slow one.
 */
public final class ApiKeys {
    private static final String PREFIX = "key ";
    private static final int KEY_BYTES = 32;
    private static final Pattern LINE = Pattern.compile("([A-Za-z0-9._@-]{1,64})\\s+sha256:([0-9a-f]{64})\\s+(\\S+)");

    private record Entry(byte[] hash, Principal principal) {}

    private final List<Entry> entries;

    private ApiKeys(List<Entry> entries) {
        this.entries = entries;
    }

    /**
     * Reads {@code NAME sha256:HASH ROLE,ROLE} lines; empty ones and those that begin with # say nothing.
     *
     * @throws IllegalArgumentException by its number, where a line is none of that
     */
    static ApiKeys parse(String file) {
        List<Entry> entries = new ArrayList<>();
        Set<String> names = new HashSet<>();
        int number = 0;
        for (String line : file.lines().map(String::strip).toList()) {
            number++;
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            Matcher parts = LINE.matcher(line);
            if (!parts.matches()) {
                throw new IllegalArgumentException("line " + number + " is not NAME sha256:HASH ROLE,ROLE");
            }
            if (!names.add(parts.group(1))) {
                throw new IllegalArgumentException("line " + number + ": there is another key named " + parts.group(1));
            }
            try {
                Set<Role> roles = Role.parse(List.of(parts.group(3).split(",")));
                entries.add(new Entry(
                        HexFormat.of().parseHex(parts.group(2)), new Principal(PREFIX + parts.group(1), roles)));
            } catch (IllegalArgumentException unknown) {
                throw new IllegalArgumentException("line " + number + ": " + unknown.getMessage(), unknown);
            }
        }
        return new ApiKeys(List.copyOf(entries));
    }

    /** Whose key it is. Takes as long whoever's it is, and however much of it is right. */
    Optional<Principal> find(String key) {
        byte[] hash = hash(key);
        Optional<Principal> found = Optional.empty();
        for (Entry entry : entries) {
            if (MessageDigest.isEqual(entry.hash, hash)) {
                found = Optional.of(entry.principal);
            }
        }
        return found;
    }

    int size() {
        return entries.size();
    }

    private static byte[] hash(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(UTF_8));
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** A new key, for a caller to keep. */
    public static String newKey() {
        byte[] bytes = new byte[KEY_BYTES];
        new SecureRandom().nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /**
     * The line of a file that stands for a key.
     *
     * @throws IllegalArgumentException where the name is none
     */
    public static String line(String name, String key, Set<Role> roles) {
        String names = roles.stream().sorted().map(Role::id).collect(Collectors.joining(","));
        String line = name + " sha256:" + HexFormat.of().formatHex(hash(key)) + " " + names;
        parse(line); // what is no name is refused here, not by the server
        return line;
    }
}
