package dev.arc2face.gateway.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.triton.OwnTriton;
import dev.arc2face.gateway.triton.Statistics;
import dev.arc2face.gateway.triton.Statistics.Counters;
import dev.arc2face.v1.Accepted;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.GetModelInfoResponse;
import dev.arc2face.v1.PortraitImage;
import dev.arc2face.v1.Preview;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.List;
import javax.imageio.ImageIO;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Test;

/** Tensors, messages and events of the size that they have with Stable Diffusion v1-5, in FP16. */
@QuarkusTest
@WithTestResource(value = OwnTriton.class, initArgs = @ResourceArg(name = OwnTriton.REPOSITORY, value = "FULL_SIZE"))
class FullSizeTest extends ConnectedTest {
    private static final int MOST_IMAGES = 16;

    @ConfigProperty(name = "arc2face.triton.targets")
    String target;

    @Test
    void recipeAndSizesAreTheModels() {
        GetModelInfoResponse info = gateway.service().getModelInfo(GetModelInfoRequest.getDefaultInstance());

        assertThat(info.getProfile()).isEqualTo("arc2face");
        assertThat(info.getImageWidth()).isEqualTo(512);
        assertThat(info.getImageHeight()).isEqualTo(512);
        assertThat(info.getEmbeddingSize()).isEqualTo(512);
        assertThat(info.getDefaults().getSteps()).isEqualTo(25);
        assertThat(info.getDefaults().getGuidanceScale()).isEqualTo(3);
        assertThat(info.getDefaults().getScheduler()).isEqualTo("dpmpp_2m");
    }

    @Test
    void largestRequestOfAllPassesEveryLimit() throws IOException {
        GenerateRequest.Builder request = Gateway.request(Gateway.photo(Gateway.sample()))
                .setNumImages(MOST_IMAGES)
                .setSeed(1);
        List<GenerateResponse> events;
        Counters asked;
        try (Statistics triton = new Statistics(target)) {
            Counters before = triton.settled("unet");
            events = gateway.generate(request);
            asked = triton.settled("unet").since(before);
        }

        Accepted accepted = events.get(0).getAccepted();
        assertThat(accepted.getSteps()).isEqualTo(25);
        assertThat(accepted.getGuidanceScale()).isEqualTo(3);
        assertThat(asked.rows()).isEqualTo(25L * 2 * MOST_IMAGES);
        assertThat(asked.succeeded()).isEqualTo(25 * 2); // 16 rows a call
        assertThat(events.get(events.size() - 1).getCompleted().getUnetCalls()).isEqualTo(25 * 2);
        assertThat(events)
                .allSatisfy(event -> assertThat(event.getSerializedSize()).isLessThan(3 << 20));

        List<PortraitImage> images = Gateway.images(events);
        assertThat(images).hasSize(MOST_IMAGES);
        for (PortraitImage image : images) {
            // Noise, nearly the worst that a PNG may have to hold: 786432 bytes of pixels.
            assertThat(image.getData().size()).isGreaterThan(750_000);
            BufferedImage picture = ImageIO.read(image.getData().newInput());
            assertThat(picture.getWidth()).isEqualTo(512);
            assertThat(picture.getHeight()).isEqualTo(512);
            assertThat(image.getIdentityScore().hasSimilarity()).isTrue();
        }

        List<Preview> previews = events.stream()
                .filter(GenerateResponse::hasPreview)
                .map(GenerateResponse::getPreview)
                .toList();
        assertThat(previews).hasSize(5 * MOST_IMAGES); // a client that reads loses none
        assertThat(previews).extracting(Preview::getWidth).containsOnly(128);
        assertThat(previews.stream().mapToInt(Preview::getSerializedSize).sum()).isLessThan(5 * (256 << 10));
    }

    @Test
    void portraitOfManyIsThePortraitAlone() {
        GenerateRequest.Builder request =
                Gateway.request(Gateway.photo(Gateway.sample())).setSteps(3).setScheduler("lcm");
        List<ByteString> together =
                gateway.portraits(request.clone().setNumImages(9).setSeed(5));

        assertThat(together.get(8))
                .isEqualTo(gateway.portraits(request.clone().setSeed(13)).get(0));
    }
}
