package dev.arc2face.gateway.security;

import java.util.Set;

/**
 * Somebody who has shown who they are.
 *
 * @param name unique over all kinds of credentials
 * @param roles what they may do
 */
public record Principal(String name, Set<Role> roles) {}
