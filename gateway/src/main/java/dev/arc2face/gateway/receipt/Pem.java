package dev.arc2face.gateway.receipt;

import java.security.GeneralSecurityException;
import java.security.KeyException;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Textual encodings of keys (RFC 7468). */
final class Pem {
    private Pem() {}

    /** The first block of that label. */
    static byte[] decode(String text, String label) throws GeneralSecurityException {
        Matcher block = Pattern.compile("-----BEGIN " + label + "-----([^-]*)-----END " + label + "-----")
                .matcher(text);
        if (!block.find()) {
            throw new KeyException("no " + label + " in PEM");
        }
        try {
            return Base64.getMimeDecoder().decode(block.group(1));
        } catch (IllegalArgumentException damaged) {
            throw new KeyException("a damaged " + label, damaged);
        }
    }
}
