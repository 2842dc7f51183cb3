package dev.arc2face.gateway.security;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import java.text.ParseException;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.function.Consumer;

/** An issuer of tokens for tests, honest and otherwise. */
public final class Issuer {
    public static final String NAME = "https://issuer.example";
    public static final String AUDIENCE = "arc2face";

    private final ECKey key;

    private Issuer(ECKey key) {
        this.key = key;
    }

    /** One with a new key of that id. */
    public static Issuer create(String keyId) {
        try {
            return new Issuer(new ECKeyGenerator(Curve.P_256).keyID(keyId).generate());
        } catch (JOSEException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** One whose key was kept by {@link #secret}. */
    public static Issuer of(String secret) {
        try {
            return new Issuer(ECKey.parse(secret));
        } catch (ParseException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    public String secret() {
        return key.toJSONString();
    }

    /** Its public keys as it publishes them. */
    public String keys() {
        return new JWKSet(key.toPublicJWK()).toString();
    }

    /** Claims of somebody that are good for a minute, but for what is changed. */
    public static JWTClaimsSet claims(Consumer<JWTClaimsSet.Builder> changes) {
        JWTClaimsSet.Builder claims = new JWTClaimsSet.Builder()
                .issuer(NAME)
                .audience(AUDIENCE)
                .subject("carol")
                .claim("roles", List.of("generate", "something-else"))
                .expirationTime(Date.from(Instant.now().plusSeconds(60)));
        changes.accept(claims);
        return claims.build();
    }

    public String token(Consumer<JWTClaimsSet.Builder> changes) {
        return sign(JWSAlgorithm.ES256, claims(changes), ecdsa());
    }

    /** Not signed at all. */
    public static String unsigned() {
        return new PlainJWT(claims(claims -> {})).serialize();
    }

    /** Signed by a hash under the public key, which everybody has. */
    public String signedWithThePublicKey() {
        try {
            return sign(
                    JWSAlgorithm.HS256,
                    claims(claims -> {}),
                    new MACSigner(key.toPublicJWK().toJSONString()));
        } catch (JOSEException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private JWSSigner ecdsa() {
        try {
            return new ECDSASigner(key);
        } catch (JOSEException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private String sign(JWSAlgorithm algorithm, JWTClaimsSet claims, JWSSigner signer) {
        try {
            SignedJWT token = new SignedJWT(
                    new JWSHeader.Builder(algorithm).keyID(key.getKeyID()).build(), claims);
            token.sign(signer);
            return token.serialize();
        } catch (JOSEException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
