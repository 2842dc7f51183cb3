package dev.arc2face.gateway.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.Folders;
import dev.arc2face.gateway.image.PhotoDecoder;
import dev.arc2face.gateway.provenance.PictureMark;
import dev.arc2face.gateway.provenance.Sha256;
import dev.arc2face.gateway.provenance.XmpPacket;
import dev.arc2face.gateway.receipt.Keys;
import dev.arc2face.gateway.receipt.PictureCheck;
import dev.arc2face.gateway.receipt.PictureCheck.Finding;
import dev.arc2face.gateway.receipt.PictureCheck.Verdict;
import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.Accepted;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.GetModelInfoResponse;
import dev.arc2face.v1.IdentitySource;
import dev.arc2face.v1.ImageFormat;
import dev.arc2face.v1.PictureReceipt;
import dev.arc2face.v1.PortraitImage;
import dev.arc2face.v1.Receipt;
import dev.arc2face.v1.ReceiptKey;
import dev.arc2face.v1.ServedModel;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a gateway that signs its receipts says of its pictures. */
@QuarkusTest
@TestProfile(ReceiptTest.Signing.class)
@WithTestResource(TritonResource.class)
class ReceiptTest extends ConnectedTest {
    /** Where the profile leaves its keys: it and the tests are loaded apart. */
    private static final String FOLDER = "arc2face.test.receipts";

    /** Keys to bind and to sign with. */
    public static final class Signing implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            try {
                Path folder = Folders.create("receipts");
                System.setProperty(FOLDER, folder.toString());
                Keys keys = Keys.in(folder);
                Keys earlier = Keys.in(folder.resolve("earlier"));
                Path secret = Files.writeString(folder.resolve("identity.key"), "x".repeat(32));
                return Map.of(
                        "arc2face.receipts.identity-key", secret.toString(),
                        "arc2face.receipts.signing-key", keys.signing().toString(),
                        "arc2face.receipts.public-keys", keys.publicKeyFile() + "," + earlier.publicKeyFile());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static Keys keys() {
        return Keys.in(Path.of(System.getProperty(FOLDER)));
    }

    @ParameterizedTest
    @EnumSource(names = {"IMAGE_FORMAT_PNG", "IMAGE_FORMAT_JPEG", "IMAGE_FORMAT_WEBP"})
    void everyPictureIsTheOneOfItsReceipt(ImageFormat format) {
        List<GenerateResponse> events = gateway.generate(request()
                .setIdentity(Gateway.photo(Gateway.sample()))
                .setNumImages(2)
                .setOutputFormat(format));
        Receipt receipt = receipt(events);
        assertThat(receipt.getRequest()).isEqualTo(events.get(0).getAccepted());
        assertThat(Gateway.images(events)).hasSize(2).allSatisfy(image -> {
            PictureReceipt picture = receipt.getPictures(image.getImageIndex());
            assertThat(picture.getSha256()).isEqualTo(Sha256.of(image.getData().toByteArray()));
            assertThat(picture.getSeed()).isEqualTo(image.getSeed());
            assertThat(picture.getSimilarity())
                    .isEqualTo(image.getIdentityScore().getSimilarity());
            assertThat(image.getFormat()).isEqualTo(format);
            List<Finding> findings =
                    PictureCheck.check(image.getData().toByteArray(), receipt, Optional.of(keys().publicKey()));
            assertThat(findings).extracting(Finding::verdict).containsOnly(Verdict.HOLDS);
        });
    }

    @Test
    void losslessFormatsHaveTheSamePixelsAndWebpIsSmaller() {
        ByteString png = gateway.portraits(request()).get(0);
        ByteString webp = gateway.portraits(request().setOutputFormat(ImageFormat.IMAGE_FORMAT_WEBP))
                .get(0);
        assertThat(pixels(webp)).isEqualTo(pixels(png));
        assertThat(webp.size()).isLessThan(png.size());
    }

    @Test
    void receiptSaysWhatDrewThePicturesAndHasNothingOfThePhoto() {
        GetModelInfoResponse info = gateway.service().getModelInfo(GetModelInfoRequest.getDefaultInstance());
        ByteString photo = Gateway.sample();
        Receipt receipt = receipt(gateway.generate(request().setIdentity(Gateway.photo(photo))));

        assertThat(receipt.getModelsList())
                .isEqualTo(info.getModelsList().stream()
                        .filter(model -> !model.getName().equals("unet_lcm")) // another variant's
                        .toList());
        assertThat(receipt.getModelsList())
                .extracting(ServedModel::getSha256)
                .allSatisfy(hash -> assertThat(hash).hasSize(64));
        assertThat(receipt.getModelsList())
                .extracting(ServedModel::getEngine)
                .allSatisfy(engine -> assertThat(engine).startsWith("onnxruntime"));
        assertThat(receipt.getModelServer())
                .matches("triton [\\d.]+")
                .endsWith(info.getModelServer().replaceFirst(".* ", ""));
        assertThat(receipt.getGatewayVersion()).isEqualTo(info.getGatewayVersion());
        assertThat(receipt.getProfile()).isEqualTo("mini");
        assertThat(receipt.getIdentity().getKind().getKind()).isEqualTo("photo");
        assertThat(receipt.getIdentity().getEphemeralKey()).isFalse();
        assertThat(receipt.toString()).doesNotContain(Sha256.of(photo.toByteArray()));
        assertThat(receipt.getSerializedSize()).isLessThan(4096);
    }

    @Test
    void theSameRequestHasTheSameReceiptAndAnotherPhotoHasNot() {
        GenerateRequest.Builder request = request().setRequestId("same");
        Receipt receipt = receipt(gateway.generate(request));
        assertThat(receipt(gateway.generate(request))).isEqualTo(receipt);

        Receipt renamed = receipt(gateway.generate(request.clone().setRequestId("renamed")));
        assertThat(renamed.getIdentity()).isEqualTo(receipt.getIdentity());
        assertThat(renamed.getPicturesList()).isEqualTo(receipt.getPicturesList());
        assertThat(renamed.getReceiptId()).isNotEqualTo(receipt.getReceiptId());

        IdentitySource somebodyElse = Gateway.somebody(2);
        Receipt other = receipt(gateway.generate(request.clone().setIdentity(somebodyElse)));
        assertThat(other.getIdentity().getHmacSha256())
                .isNotEqualTo(receipt.getIdentity().getHmacSha256());
        Receipt otherRequest = receipt(gateway.generate(request.clone().setSeed(2)));
        assertThat(otherRequest.getIdentity().getHmacSha256())
                .as("nobody can tell that it is the same person")
                .isNotEqualTo(receipt.getIdentity().getHmacSha256());
    }

    @Test
    void picturesThatWereDrawnAgainAreInTheReceiptAsDelivered() {
        List<GenerateResponse> events =
                gateway.generate(request().setNumImages(2).setMinSimilarity(1).setMaxAttempts(2));
        Receipt receipt = receipt(events);
        assertThat(receipt.getPicturesList())
                .extracting(PictureReceipt::getImageIndex)
                .containsExactly(0, 1);
        for (PortraitImage image : Gateway.images(events)) {
            PictureReceipt picture = receipt.getPictures(image.getImageIndex());
            assertThat(picture.getSeed()).isEqualTo(image.getSeed());
            assertThat(picture.getAttempts()).isEqualTo(2);
            assertThat(picture.getBelowMinSimilarity()).isTrue();
        }
        Accepted request = receipt.getRequest();
        assertThat(request.getMinSimilarity()).isEqualTo(1);
        assertThat(request.getMaxAttempts()).isEqualTo(2);
    }

    @Test
    void previewsAreMarkedToo() {
        List<GenerateResponse> events = gateway.generate(request().setPreviewEvery(1));
        assertThat(events)
                .filteredOn(GenerateResponse::hasPreview)
                .hasSize(2)
                .allSatisfy(event -> assertThat(
                                PictureMark.in(event.getPreview().getJpeg().toByteArray())
                                        .digitalSourceType())
                        .contains(XmpPacket.TRAINED_ALGORITHMIC_MEDIA));
    }

    @Test
    void publicKeysAreToldTheOneThatSignsFirst() throws IOException {
        List<ReceiptKey> told = gateway.service()
                .getModelInfo(GetModelInfoRequest.getDefaultInstance())
                .getReceiptKeysList();
        assertThat(told).hasSize(2);
        assertThat(told.get(0).getPublicKey()).isEqualTo(Files.readString(keys().publicKeyFile()));
        assertThat(told.get(0).getKeyId())
                .isEqualTo(receipt(gateway.generate(request())).getSignature().getKeyId());
    }

    private static GenerateRequest.Builder request() {
        return Gateway.request(Gateway.somebody(1)).setSteps(2).setSeed(1).setPreviewEvery(0);
    }

    private static Receipt receipt(List<GenerateResponse> events) {
        return events.get(events.size() - 1).getCompleted().getReceipt();
    }

    private static byte[] pixels(ByteString file) {
        return new PhotoDecoder(1 << 24, 1 << 24).decode(file.toByteArray()).rgb();
    }
}
