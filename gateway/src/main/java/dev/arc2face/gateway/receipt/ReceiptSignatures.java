package dev.arc2face.gateway.receipt;

import dev.arc2face.v1.Receipt;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;

/** Checks signatures of receipts. */
public final class ReceiptSignatures {
    private ReceiptSignatures() {}

    /** Whether the owner of this key has signed this very receipt. */
    public static boolean isValid(Receipt receipt, PublicKey key) {
        try {
            Signature signature = Signature.getInstance(PublicKeys.ALGORITHM);
            signature.initVerify(key);
            signature.update(CanonicalReceipt.bytes(receipt));
            return signature.verify(receipt.getSignature().getEd25519().toByteArray());
        } catch (SignatureException malformed) {
            return false;
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("not an Ed25519 key", e);
        }
    }
}
