package dev.arc2face.gateway.receipt;

import dev.arc2face.v1.Accepted;
import dev.arc2face.v1.IdentityBinding;
import dev.arc2face.v1.Receipt;
import dev.arc2face.v1.ServedModel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What is not the same about two receipts of one request, in sentences: why its pictures may be others. */
public final class Differences {
    private final List<String> sentences = new ArrayList<>();

    private Differences() {}

    /** From an earlier receipt to a later one; what both say of pictures is left out. */
    public static List<String> between(Receipt earlier, Receipt later) {
        Differences differences = new Differences();
        differences.compare(earlier, later);
        return List.copyOf(differences.sentences);
    }

    private void compare(Receipt earlier, Receipt later) {
        boolean sameRequest = asked(earlier).equals(asked(later));
        if (!sameRequest) {
            sentences.add("the server understands the request otherwise than then");
        }
        compareIdentities(earlier.getIdentity(), later.getIdentity(), sameRequest);
        compare("profile", earlier.getProfile(), later.getProfile());
        Map<String, ServedModel> then = byName(earlier);
        Map<String, ServedModel> now = byName(later);
        then.forEach((name, model) -> {
            ServedModel other = now.remove(name);
            if (other == null) {
                sentences.add("model " + name + " is not there any more");
            } else {
                compare("version of model " + name, model.getVersion(), other.getVersion());
                compare("SHA-256 of the weights of model " + name, model.getSha256(), other.getSha256());
                compare("engine of model " + name, model.getEngine(), other.getEngine());
                compare("instruction set of model " + name, model.getInstructionSet(), other.getInstructionSet());
                compare("batch size of model " + name, "" + model.getMaxBatchSize(), "" + other.getMaxBatchSize());
            }
        });
        now.keySet().forEach(name -> sentences.add("model " + name + " was not there then"));
        compare("model server", earlier.getModelServer(), later.getModelServer());
        compare("gateway", earlier.getGatewayVersion(), later.getGatewayVersion());
    }

    private void compareIdentities(IdentityBinding earlier, IdentityBinding later, boolean sameRequest) {
        if (!earlier.getKeyId().equals(later.getKeyId())) {
            sentences.add("the server has another identity key than then, and cannot tell whether the photo is the same"
                    + (earlier.getEphemeralKey() ? " (that key ended with its gateway)" : ""));
        } else if (sameRequest && !earlier.getHmacSha256().equals(later.getHmacSha256())) {
            sentences.add("the photo, crop or embedding has other bytes than then");
        }
    }

    private void compare(String what, String then, String now) {
        if (!then.equals(now)) {
            sentences.add("the " + what + " was \"" + then + "\", and is \"" + now + "\"");
        }
    }

    private static Accepted asked(Receipt receipt) {
        return IdentityKey.asked(receipt.getRequest());
    }

    private static Map<String, ServedModel> byName(Receipt receipt) {
        Map<String, ServedModel> models = new LinkedHashMap<>();
        receipt.getModelsList().forEach(model -> models.put(model.getName(), model));
        return models;
    }
}
