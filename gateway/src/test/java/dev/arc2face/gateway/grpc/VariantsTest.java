package dev.arc2face.gateway.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.triton.OwnTriton;
import dev.arc2face.gateway.triton.Statistics;
import dev.arc2face.gateway.triton.Statistics.Counters;
import dev.arc2face.v1.Accepted;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.GenerateResponse;
import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.GetModelInfoResponse;
import dev.arc2face.v1.ServedModel;
import dev.arc2face.v1.VariantInfo;
import io.quarkus.test.common.ResourceArg;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.util.List;
import java.util.stream.IntStream;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** A gateway whose Triton serves the UNet for few steps beside the other, configured as the real profile is. */
@QuarkusTest
@WithTestResource(value = OwnTriton.class, initArgs = @ResourceArg(name = OwnTriton.REPOSITORY, value = "FOR_GPU"))
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class VariantsTest extends ConnectedTest {
    @ConfigProperty(name = "arc2face.triton.targets")
    String target;

    private Statistics triton;

    @BeforeEach
    void readStatistics() {
        triton = new Statistics(target);
    }

    @AfterEach
    void closeStatistics() {
        triton.close();
    }

    @Test
    @Order(1) // before anything else is asked for
    void warmUpHasRunEveryVariant() {
        Counters aGuidedStepAndAPlainOne = new Counters(3, 2, 2, 0);
        assertThat(triton.settled("unet")).isEqualTo(aGuidedStepAndAPlainOne);
        assertThat(triton.settled("unet_lcm")).isEqualTo(aGuidedStepAndAPlainOne);
    }

    @Test
    void infoListsTheVariantsWithTheirRecipes() {
        GetModelInfoResponse info = gateway.service().getModelInfo(GetModelInfoRequest.getDefaultInstance());

        assertThat(info.getVariantsList())
                .containsExactly(
                        VariantInfo.newBuilder()
                                .setId("base")
                                .setModel("unet")
                                .setDefaultSteps(12)
                                .setDefaultGuidanceScale(1.5f)
                                .setDefaultScheduler("dpmpp_2m")
                                .build(),
                        VariantInfo.newBuilder()
                                .setId("lcm")
                                .setModel("unet_lcm")
                                .setDefaultSteps(4)
                                .setDefaultGuidanceScale(1)
                                .setDefaultScheduler("lcm")
                                .build());
        assertThat(info.getDefaults().getVariant()).isEqualTo("base");
        assertThat(info.getDefaults().getSteps()).isEqualTo(12);
        assertThat(info.getModelsList())
                .extracting(ServedModel::getName)
                .containsExactly("face_detector", "arcface", "encoder", "unet", "unet_lcm", "vae_decoder");
    }

    @Test
    void variantBringsItsRecipeAndAsksItsOwnNetworkAlone() {
        Counters lcm = triton.settled("unet_lcm");
        Counters base = triton.settled("unet");
        List<GenerateResponse> events = gateway.generate(request().setVariant("lcm"));

        Accepted accepted = events.get(0).getAccepted();
        assertThat(accepted.getVariant()).isEqualTo("lcm");
        assertThat(accepted.getSteps()).isEqualTo(4);
        assertThat(accepted.getGuidanceScale()).isEqualTo(1);
        assertThat(accepted.getGuidanceUntil()).isEqualTo(1);
        assertThat(accepted.getScheduler()).isEqualTo("lcm");
        // One row a step: at guidance 1 nothing unconditional is asked for.
        assertThat(triton.settled("unet_lcm").since(lcm)).isEqualTo(new Counters(4, 4, 4, 0));
        assertThat(triton.settled("unet").since(base)).isEqualTo(new Counters(0, 0, 0, 0));
        assertThat(events.get(events.size() - 1).getCompleted().getUnetCalls()).isEqualTo(4);
    }

    @Test
    void requestThatNamesNoneGetsTheBase() {
        Accepted accepted = gateway.generate(request().setSteps(1)).get(0).getAccepted();
        assertThat(accepted.getVariant()).isEqualTo("base");
        assertThat(accepted.getScheduler()).isEqualTo("dpmpp_2m");

        assertThat(gateway.portraits(request().setVariant("base"))).isEqualTo(gateway.portraits(request()));
    }

    @Test
    void whatIsSaidGoesBeforeTheVariantsRecipe() {
        Counters before = triton.settled("unet_lcm");
        GenerateRequest.Builder request =
                request().setSteps(6).setGuidanceScale(2).setScheduler("euler").setGuidanceUntil(0.5f);
        Accepted accepted = gateway.generate(request.setVariant("lcm")).get(0).getAccepted();

        assertThat(accepted.getSteps()).isEqualTo(6);
        assertThat(accepted.getGuidanceScale()).isEqualTo(2);
        assertThat(accepted.getGuidanceUntil()).isEqualTo(0.5f);
        assertThat(accepted.getScheduler()).isEqualTo("euler");
        // Three guided steps of two rows, then three of one.
        assertThat(triton.settled("unet_lcm").since(before)).isEqualTo(new Counters(9, 6, 6, 0));
    }

    @Test
    void noiseOfEveryStepIsThePortraitsOwn() {
        GenerateRequest.Builder request = request().setVariant("lcm").setSeed(-2);
        List<ByteString> alone = IntStream.range(0, 3)
                .mapToObj(i -> gateway.portraits(request.clone().setSeed(i - 2)).get(0))
                .toList();
        assertThat(gateway.portraits(request.clone().setNumImages(3))).isEqualTo(alone);
        assertThat(alone).doesNotHaveDuplicates();
    }

    @Test
    void variantThatIsNotServedIsRefusedWithThoseThatAre() {
        Failure failure = Failure.of(() -> gateway.generate(request().setVariant("turbo")))
                .isFor(ErrorReason.UNKNOWN_VARIANT);
        assertThat(failure.fields()).containsExactly("variant");
        assertThat(failure.metadata()).containsEntry("served", "base,lcm");
    }

    private static GenerateRequest.Builder request() {
        return Gateway.request(Gateway.somebody(1)).setSeed(1);
    }
}
