package dev.arc2face.gateway.security;

import java.util.Arrays;
import java.util.Collection;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/** What a caller may do. Everybody who is known may ask what is served. */
public enum Role {
    /** Generates portraits, and cancels its own generations. */
    GENERATE,
    /** Detects, embeds and compares faces. */
    EMBED,
    /** Looks into the server: reflection. */
    ADMIN;

    /** Its name in files, tokens and errors. */
    public String id() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The roles of these names.
     *
     * @throws IllegalArgumentException where one is not a role's
     */
    public static Set<Role> parse(Collection<String> names) {
        Set<Role> roles = EnumSet.noneOf(Role.class);
        for (String name : names) {
            roles.add(Arrays.stream(values())
                    .filter(role -> role.id().equals(name.strip()))
                    .findFirst()
                    .orElseThrow(
                            () -> new IllegalArgumentException("no such role: " + name + "; there are " + known())));
        }
        return Set.copyOf(roles);
    }

    private static String known() {
        return Arrays.stream(values()).map(Role::id).collect(Collectors.joining(", "));
    }
}
