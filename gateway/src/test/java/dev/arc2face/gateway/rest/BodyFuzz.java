package dev.arc2face.gateway.rest;

import com.google.protobuf.Message;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.v1.CompareFacesRequest;
import dev.arc2face.v1.DetectFacesRequest;
import dev.arc2face.v1.GenerateRequest;
import java.util.Arrays;
import java.util.List;

/** Any bytes are the body of a request, or refused with a short INVALID_REQUEST. */
public final class BodyFuzz {
    private static final List<Message> REQUESTS = List.of(
            GenerateRequest.getDefaultInstance(),
            CompareFacesRequest.getDefaultInstance(),
            DetectFacesRequest.getDefaultInstance());
    private static final int LONGEST_REFUSAL = 400;

    private BodyFuzz() {}

    // Which request and, of an odd number, as a form; then the body.
    public static void fuzzerTestOneInput(byte[] input) {
        if (input.length == 0) {
            return;
        }
        byte[] bytes = Arrays.copyOfRange(input, 1, input.length);
        Message.Builder message =
                REQUESTS.get(Math.floorMod(input[0] / 2, REQUESTS.size())).newBuilderForType();
        Body body = input[0] % 2 == 0 ? Body.json() : Body.form("multipart/form-data; boundary=b");
        body.add(bytes);
        try {
            body.readInto(message);
        } catch (FailureException refused) {
            if (refused.reason() != ErrorReason.INVALID_REQUEST
                    || refused.message().length() > LONGEST_REFUSAL) {
                throw new AssertionError(refused);
            }
        }
    }
}
