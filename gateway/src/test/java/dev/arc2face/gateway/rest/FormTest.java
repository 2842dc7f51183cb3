package dev.arc2face.gateway.rest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.v1.DetectFacesRequest;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a form costs, and what it may be. */
class FormTest {
    private static final String TYPE = "multipart/form-data; boundary=b";
    private static final String PHOTO = "--b\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a\"\r\n\r\n";

    @Test
    void partOfManySlicesIsReadToTheByte() {
        byte[] photo = new byte[1 << 20];
        new Random(3).nextBytes(photo);
        Body body = Body.form(TYPE);
        body.add(PHOTO.getBytes(UTF_8));
        body.add(photo);
        body.add("\r\n--b--\r\n".getBytes(UTF_8));
        DetectFacesRequest.Builder request = DetectFacesRequest.newBuilder();
        body.readInto(request);
        assertThat(request.getPhoto()).isEqualTo(ByteString.copyFrom(photo));
    }

    @Test
    void piecesCostNothingBesideTheirBytes() {
        Body body = Body.form(TYPE);
        body.add(PHOTO.getBytes(UTF_8));
        long before = buffered();
        for (int i = 0; i < 10_000; i++) {
            body.add(new byte[] {1});
        }
        assertThat(buffered()).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(strings = {PHOTO + "cut short", PHOTO + "whole\r\n" + PHOTO + "cut short", "--b\r\nContent-Disp", ""})
    void brokenFormLeavesNothingBehind(String form) {
        long before = buffered();
        assertRefused(TYPE, form);
        assertThat(buffered()).isEqualTo(before);
    }

    @Test
    void headersOfAPartAreBounded() {
        String header = "--b\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"%s\"\r\n\r\nx\r\n--b--\r\n";
        assertRefused(TYPE, header.formatted("a".repeat(1 << 20)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "multipart/form-data",
                "multipart/form-data; boundary",
                "multipart/form-data; boundary=",
                "multipart/form-data; boundary=\"\"",
                "multipart/form-data; boundary=b; charset=zzz"
            })
    void typeThatIsBrokenIsTheCallersFault(String type) {
        assertRefused(type, PHOTO + "x\r\n--b--\r\n");
    }

    private static void assertRefused(String type, String form) {
        Body body = Body.form(type);
        body.add(form.getBytes(UTF_8));
        assertThatThrownBy(() -> body.readInto(DetectFacesRequest.newBuilder()))
                .isInstanceOfSatisfying(
                        FailureException.class,
                        failure -> assertThat(failure.reason()).isEqualTo(ErrorReason.INVALID_REQUEST));
    }

    /** What the decoder's buffers take. */
    private static long buffered() {
        var memory = UnpooledByteBufAllocator.DEFAULT.metric();
        return memory.usedHeapMemory() + memory.usedDirectMemory();
    }
}
