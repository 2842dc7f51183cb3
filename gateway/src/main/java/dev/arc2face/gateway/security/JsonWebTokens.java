package dev.arc2face.gateway.security;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.proc.BadJOSEException;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import dev.arc2face.gateway.config.SecurityConfig;
import java.text.ParseException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Bearer tokens (RFC 7519, 9068). A token counts if it is signed by a key of the issuer with a public-key algorithm, so
 * neither {@code none} nor a hash under a public key, is for this audience, and neither too old nor from the future.
 */
final class JsonWebTokens {
    private static final Logger LOG = Logger.getLogger(JsonWebTokens.class);
    private static final String PREFIX = "token ";

    private static final Set<JWSAlgorithm> ALGORITHMS = Set.of(
            JWSAlgorithm.RS256,
            JWSAlgorithm.RS384,
            JWSAlgorithm.RS512,
            JWSAlgorithm.PS256,
            JWSAlgorithm.PS384,
            JWSAlgorithm.PS512,
            JWSAlgorithm.ES256,
            JWSAlgorithm.ES384,
            JWSAlgorithm.ES512);

    private final SecurityConfig.Jwt config;
    private final TokenKeys keys;
    private final DefaultJWTProcessor<SecurityContext> processor = new DefaultJWTProcessor<>();

    JsonWebTokens(SecurityConfig.Jwt config, String issuer, String audience, TokenKeys keys) {
        this.config = config;
        this.keys = keys;
        processor.setJWSTypeVerifier(
                new DefaultJOSEObjectTypeVerifier<>(JOSEObjectType.JWT, new JOSEObjectType("at+jwt"), null));
        processor.setJWSKeySelector(new JWSVerificationKeySelector<>(ALGORITHMS, keys));
        DefaultJWTClaimsVerifier<SecurityContext> claims = new DefaultJWTClaimsVerifier<>(
                audience, new JWTClaimsSet.Builder().issuer(issuer).build(), Set.of("exp", config.callerClaim()));
        claims.setMaxClockSkew((int) config.clockSkew().toSeconds());
        processor.setJWTClaimsSetVerifier(claims);
    }

    /** Whether the issuer's keys have been read. */
    boolean canTell() {
        return keys.areThere();
    }

    /** Who a token says that its bearer is; empty where it does not count. */
    Optional<Principal> verify(String token) {
        try {
            JWTClaimsSet claims = processor.process(token, null);
            String name = String.valueOf(claims.getClaim(config.callerClaim()));
            return Optional.of(new Principal(PREFIX + name, roles(claims)));
        } catch (ParseException | BadJOSEException | JOSEException invalid) {
            LOG.debugf("a token does not count: %s", invalid.getMessage());
            return Optional.empty();
        }
    }

    /** The roles that are ours; an issuer's others are none of our business. */
    private Set<Role> roles(JWTClaimsSet claims) {
        Set<String> named = new LinkedHashSet<>(words(at(claims.getClaims(), config.rolesClaim())));
        Set<Role> roles = EnumSet.noneOf(Role.class);
        for (Role role : Role.values()) {
            if (named.contains(role.id())) {
                roles.add(role);
            }
        }
        return Set.copyOf(roles);
    }

    private static @Nullable Object at(Map<String, Object> claims, String path) {
        Object value = claims;
        for (String name : path.split("/", -1)) {
            value = value instanceof Map<?, ?> map ? map.get(name) : null;
        }
        return value;
    }

    private static List<String> words(@Nullable Object value) {
        List<String> words = new ArrayList<>();
        if (value instanceof String text) {
            words.addAll(List.of(text.split(" ", -1)));
        } else if (value instanceof List<?> list) {
            list.forEach(entry -> words.add(String.valueOf(entry)));
        }
        return words;
    }
}
