package dev.arc2face.gateway.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.image.AwkwardPictures;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.DetectFacesRequest;
import dev.arc2face.v1.DetectFacesResponse;
import dev.arc2face.v1.EmbedFaceRequest;
import dev.arc2face.v1.EmbedFaceResponse;
import io.grpc.StatusRuntimeException;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Holds {@code docs/hostile-input.md} against the API. */
@QuarkusTest
@WithTestResource(TritonResource.class)
class HostileInputTest extends ConnectedTest {
    private static final int DETECTOR_ROWS = 64;

    @TestFactory
    Stream<DynamicTest> awkwardPictures() {
        return AwkwardPictures.outcomes().entrySet().stream()
                .map(picture -> DynamicTest.dynamicTest(picture.getKey(), () -> endsAsDocumented(picture)));
    }

    private void endsAsDocumented(Map.Entry<String, String> picture) {
        ByteString photo = ByteString.copyFrom(AwkwardPictures.file(picture.getKey()));
        String outcome;
        try {
            DetectFacesResponse answer = detect(photo);
            outcome = answer.getPhotoWidth() + "x" + answer.getPhotoHeight();
        } catch (StatusRuntimeException refused) {
            outcome = reason(refused).name();
        }
        assertThat(outcome).isEqualTo(photo.isEmpty() ? "INVALID_REQUEST" : picture.getValue());
    }

    @Test
    void threeHundredFacesAreNoError() throws IOException {
        ByteString photo = faces(20, 15, 32);

        DetectFacesResponse seen = detect(photo);

        assertThat(seen.getFacesCount()).isLessThanOrEqualTo(DETECTOR_ROWS);
        assertThat(seen.getTruncated()).isEqualTo(seen.getFacesCount() == DETECTOR_ROWS);
        try {
            assertThat(embed(photo).getFaceReport().getFacesList()).isNotEmpty();
        } catch (StatusRuntimeException refused) {
            assertThat(reason(refused)).isIn(ErrorReason.NO_FACE_DETECTED, ErrorReason.FACE_TOO_SMALL);
        }
    }

    @Test
    void fullListOfFacesIsTruncated() throws IOException {
        ByteString photo = faces(10, 10, 64);

        DetectFacesResponse seen = detect(photo);

        assertThat(seen.getFacesCount()).isEqualTo(DETECTOR_ROWS);
        assertThat(seen.getTruncated()).isTrue();
        EmbedFaceResponse embedded = embed(photo);
        assertThat(embedded.getFaceReport().getFacesList()).isEqualTo(seen.getFacesList());
        assertThat(embedded.getFaceReport().getTruncated()).isTrue();
    }

    private DetectFacesResponse detect(ByteString photo) {
        return gateway.service()
                .detectFaces(DetectFacesRequest.newBuilder().setPhoto(photo).build());
    }

    private EmbedFaceResponse embed(ByteString photo) {
        return gateway.service()
                .embedFace(EmbedFaceRequest.newBuilder()
                        .setIdentity(Gateway.photo(photo))
                        .build());
    }

    private static ErrorReason reason(StatusRuntimeException refused) {
        Failure failure = Failure.of(refused);
        ErrorReason reason = ErrorReason.valueOf(failure.info().getReason());
        failure.isFor(reason);
        return reason;
    }

    /** The sample's face, again and again. */
    private static ByteString faces(int columns, int rows, int side) throws IOException {
        BufferedImage face = ImageIO.read(Gateway.sample().newInput()).getSubimage(150, 48, 144, 144);
        BufferedImage sheet = new BufferedImage(columns * side, rows * side, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = sheet.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
        for (int y = 0; y < rows; y++) {
            for (int x = 0; x < columns; x++) {
                graphics.drawImage(face, x * side, y * side, side, side, null);
            }
        }
        graphics.dispose();
        ByteArrayOutputStream encoded = new ByteArrayOutputStream();
        ImageIO.write(sheet, "png", encoded);
        return ByteString.copyFrom(encoded.toByteArray());
    }
}
