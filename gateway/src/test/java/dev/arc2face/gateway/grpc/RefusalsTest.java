package dev.arc2face.gateway.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.CompareFacesRequest;
import dev.arc2face.v1.DetectFacesRequest;
import dev.arc2face.v1.Embedding;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.GetModelInfoResponse;
import dev.arc2face.v1.IdentitySource;
import dev.arc2face.v1.PortraitServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.awt.Image;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

/** Every request that cannot be served is refused with its documented reason. */
@QuarkusTest
@WithTestResource(TritonResource.class)
class RefusalsTest extends ConnectedTest {
    @Test
    void photoWithoutAFace() throws IOException {
        ByteString grey = png(new BufferedImage(200, 200, BufferedImage.TYPE_INT_RGB));
        assertThat(refusal(Gateway.photo(grey))
                        .isFor(ErrorReason.NO_FACE_DETECTED)
                        .fields())
                .containsExactly("identity.photo");
        assertThat(gateway.service()
                        .detectFaces(
                                DetectFacesRequest.newBuilder().setPhoto(grey).build())
                        .getFacesList())
                .isEmpty();
    }

    @Test
    void faceThatIsTooSmall() throws IOException {
        BufferedImage sample = ImageIO.read(Gateway.sample().newInput());
        BufferedImage small = new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB);
        small.createGraphics().drawImage(sample.getScaledInstance(64, 64, Image.SCALE_AREA_AVERAGING), 0, 0, null);
        Failure failure = refusal(Gateway.photo(png(small))).isFor(ErrorReason.FACE_TOO_SMALL);
        assertThat(failure.metadata()).containsEntry("threshold_pixels", "24").containsKey("actual_pixels");
    }

    @Test
    void faceThatIsNotThere() {
        Failure failure = refusal(IdentitySource.newBuilder()
                        .setPhoto(Gateway.sample())
                        .setFaceIndex(50)
                        .build())
                .isFor(ErrorReason.FACE_INDEX_OUT_OF_RANGE);
        assertThat(failure.fields()).containsExactly("identity.face_index");
        assertThat(failure.metadata()).containsEntry("face_index", "50").containsKey("face_count");
    }

    @Test
    void photoThatIsDamaged() {
        ByteString half = Gateway.sample().substring(0, 5000);
        assertThat(refusal(Gateway.photo(half))
                        .isFor(ErrorReason.IMAGE_DECODE_FAILED)
                        .fields())
                .containsExactly("identity.photo");
        assertThat(Failure.of(() -> gateway.service()
                                .detectFaces(DetectFacesRequest.newBuilder()
                                        .setPhoto(half)
                                        .build()))
                        .isFor(ErrorReason.IMAGE_DECODE_FAILED)
                        .fields())
                .containsExactly("photo");
    }

    @Test
    void photoOfTooManyPixels() {
        Failure failure = refusal(Gateway.photo(pngHeader(60_000, 60_000))).isFor(ErrorReason.IMAGE_TOO_LARGE);
        assertThat(failure.metadata())
                .containsEntry("limit", "50000000")
                .containsEntry("actual", "3600000000")
                .containsEntry("unit", "pixels");
    }

    @Test
    void photoThatIsNone() {
        refusal(Gateway.photo(ByteString.copyFromUtf8("GIF89a, once upon a time")))
                .isFor(ErrorReason.UNSUPPORTED_IMAGE_FORMAT);
    }

    @Test
    void embeddingThatIsNobodys() {
        Embedding somebody = Gateway.somebody(1).getEmbedding();
        Embedding.Builder zero = somebody.toBuilder();
        for (int i = 0; i < zero.getValuesCount(); i++) {
            zero.setValues(i, 0);
        }
        for (Embedding nobody : new Embedding[] {
            zero.build(), somebody.toBuilder().setValues(3, Float.NaN).build()
        }) {
            assertThat(refusal(IdentitySource.newBuilder().setEmbedding(nobody).build())
                            .isFor(ErrorReason.EMBEDDING_INVALID)
                            .fields())
                    .containsExactly("identity.embedding");
        }
        Failure failure = refusal(IdentitySource.newBuilder()
                        .setEmbedding(somebody.toBuilder().addValues(1))
                        .build())
                .isFor(ErrorReason.EMBEDDING_INVALID);
        assertThat(failure.metadata()).containsEntry("expected_length", "256");
    }

    @Test
    void embeddingOfAnotherRecogniser() {
        Failure failure = refusal(IdentitySource.newBuilder()
                        .setEmbedding(
                                Gateway.somebody(1).getEmbedding().toBuilder().setRecogniserId("another"))
                        .build())
                .isFor(ErrorReason.EMBEDDING_MODEL_MISMATCH);
        assertThat(failure.metadata())
                .containsEntry("expected", "mobileface-human-models-3.0.4")
                .containsEntry("actual", "another");
    }

    @Test
    void schedulerThatNobodyKnows() {
        Failure failure = refusal(Gateway.request(Gateway.somebody(1)).setScheduler("plms"))
                .isFor(ErrorReason.UNKNOWN_SCHEDULER);
        assertThat(failure.fields()).containsExactly("scheduler");
        assertThat(failure.metadata()).containsEntry("known", "dpmpp_2m,euler,ddim,lcm");
    }

    @Test
    void optionsBeyondTheirRange() {
        Failure failure = refusal(
                        Gateway.request(Gateway.somebody(1)).setSteps(101).setNumImages(0))
                .isFor(ErrorReason.INVALID_REQUEST);
        assertThat(failure.fields()).containsExactlyInAnyOrder("steps", "num_images");
        assertThat(refusal(Gateway.request(Gateway.somebody(1)).setJpegQuality(50))
                        .isFor(ErrorReason.INVALID_REQUEST)
                        .fields())
                .containsExactly("jpeg_quality");
        assertThat(refusal(GenerateRequest.newBuilder())
                        .isFor(ErrorReason.INVALID_REQUEST)
                        .fields())
                .containsExactly("identity");
    }

    @Test
    void moreStepsThanTheSchedulerHas() {
        Failure failure = refusal(
                        Gateway.request(Gateway.somebody(1)).setScheduler("lcm").setSteps(51))
                .isFor(ErrorReason.INVALID_REQUEST);
        assertThat(failure.fields()).containsExactly("steps");
        assertThat(failure.message()).contains("at most 50 with lcm");
    }

    @Test
    void variantThatIsNotServed() {
        Failure failure = refusal(Gateway.request(Gateway.somebody(1)).setVariant("turbo"))
                .isFor(ErrorReason.UNKNOWN_VARIANT);
        assertThat(failure.fields()).containsExactly("variant");
        assertThat(failure.metadata()).containsEntry("served", "base,lcm");
    }

    @Test
    void guidanceThatEndsOutsideTheSteps() {
        for (float until : new float[] {0, -1, 1.5f, Float.NaN, Float.POSITIVE_INFINITY}) {
            assertThat(refusal(Gateway.request(Gateway.somebody(1)).setGuidanceUntil(until))
                            .isFor(ErrorReason.INVALID_REQUEST)
                            .fields())
                    .contains("guidance_until");
        }
    }

    @Test
    void identityOfAComparisonIsNamed() throws IOException {
        ByteString grey = png(new BufferedImage(200, 200, BufferedImage.TYPE_INT_RGB));
        CompareFacesRequest request = CompareFacesRequest.newBuilder()
                .setFirst(Gateway.photo(Gateway.sample()))
                .setSecond(Gateway.photo(grey))
                .build();
        assertThat(Failure.of(() -> gateway.service().compareFaces(request))
                        .isFor(ErrorReason.NO_FACE_DETECTED)
                        .fields())
                .containsExactly("second.photo");
    }

    @Test
    void messageThatIsTooLarge() {
        DetectFacesRequest large = DetectFacesRequest.newBuilder()
                .setPhoto(ByteString.copyFrom(new byte[18 << 20]))
                .build();
        assertThat(Failure.of(() -> gateway.service().detectFaces(large))
                        .isFor(ErrorReason.MESSAGE_TOO_LARGE)
                        .metadata())
                .containsEntry("limit", Integer.toString(17 << 20));
    }

    @Test
    void messageBeyondTheTransportsLimit() {
        DetectFacesRequest huge = DetectFacesRequest.newBuilder()
                .setPhoto(ByteString.copyFrom(new byte[33 << 20]))
                .build();
        assertThatThrownBy(() -> gateway.service().detectFaces(huge))
                .extracting(thrown -> Status.fromThrowable(thrown).getCode())
                .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    }

    @Test
    void methodThatNobodyServes() {
        for (String method : new String[] {"arc2face.v1.PortraitService/Paint", "nobody.Knows/This"}) {
            Failure.of(() -> ClientCalls.<GetModelInfoRequest, GetModelInfoResponse>blockingUnaryCall(
                            gateway.channel,
                            PortraitServiceGrpc.getGetModelInfoMethod().toBuilder()
                                    .setFullMethodName(method)
                                    .build(),
                            CallOptions.DEFAULT,
                            GetModelInfoRequest.getDefaultInstance()))
                    .isFor(ErrorReason.UNIMPLEMENTED);
        }
    }

    private Failure refusal(IdentitySource identity) {
        return refusal(Gateway.request(identity).setSteps(1));
    }

    private Failure refusal(GenerateRequest.Builder request) {
        return Failure.of(() -> gateway.generate(request));
    }

    private static ByteString png(BufferedImage image) throws IOException {
        ByteArrayOutputStream encoded = new ByteArrayOutputStream();
        ImageIO.write(image, "png", encoded);
        return ByteString.copyFrom(encoded.toByteArray());
    }

    /** The start of a PNG that claims a size and holds nothing. */
    private static ByteString pngHeader(int width, int height) {
        ByteBuffer header = ByteBuffer.allocate(33)
                .put(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'})
                .putInt(13)
                .put(new byte[] {'I', 'H', 'D', 'R'})
                .putInt(width)
                .putInt(height)
                .put(new byte[] {8, 2, 0, 0, 0});
        CRC32 checksum = new CRC32();
        checksum.update(header.array(), 12, 17);
        return ByteString.copyFrom(header.putInt((int) checksum.getValue()).flip());
    }
}
