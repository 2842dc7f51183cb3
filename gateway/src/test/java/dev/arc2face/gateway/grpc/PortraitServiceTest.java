package dev.arc2face.gateway.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.arc2face.gateway.triton.TritonResource;
import dev.arc2face.v1.CompareFacesRequest;
import dev.arc2face.v1.CompareFacesResponse;
import dev.arc2face.v1.DetectFacesRequest;
import dev.arc2face.v1.DetectFacesResponse;
import dev.arc2face.v1.EmbedFaceRequest;
import dev.arc2face.v1.EmbedFaceResponse;
import dev.arc2face.v1.GetModelInfoRequest;
import dev.arc2face.v1.GetModelInfoResponse;
import dev.arc2face.v1.IdentitySource;
import dev.arc2face.v1.PortraitServiceGrpc;
import dev.arc2face.v1.SchedulerInfo;
import dev.arc2face.v1.ServedModel;
import io.grpc.Status;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The unary methods, and what every gRPC server offers. */
@QuarkusTest
@WithTestResource(TritonResource.class)
class PortraitServiceTest extends ConnectedTest {
    @Test
    void detectsTheFacesOfAPhoto() {
        DetectFacesResponse response = gateway.service()
                .detectFaces(DetectFacesRequest.newBuilder()
                        .setPhoto(Gateway.sample())
                        .build());
        assertThat(response.getPhotoWidth()).isEqualTo(512);
        assertThat(response.getPhotoHeight()).isEqualTo(512);
        assertThat(response.getFacesCount()).isPositive();
        assertThat(response.getFaces(0).getScore()).isGreaterThan(0.9f);
        assertThat(response.getTruncated()).isFalse();
    }

    @Test
    void embeddingOfAFaceStandsForThatFace() {
        EmbedFaceResponse response = gateway.service()
                .embedFace(EmbedFaceRequest.newBuilder()
                        .setIdentity(Gateway.photo(Gateway.sample()))
                        .build());
        double squares = response.getEmbedding().getValuesList().stream()
                .mapToDouble(value -> (double) value * value)
                .sum();
        assertThat(squares).isCloseTo(1, within(1e-5));

        CompareFacesResponse same = gateway.service()
                .compareFaces(CompareFacesRequest.newBuilder()
                        .setFirst(Gateway.photo(Gateway.sample()))
                        .setSecond(IdentitySource.newBuilder().setEmbedding(response.getEmbedding()))
                        .build());
        assertThat(same.getSimilarity()).isCloseTo(1, within(1e-5f));
        assertThat(same.getFirstReport()).isEqualTo(response.getFaceReport());

        CompareFacesResponse other = gateway.service()
                .compareFaces(CompareFacesRequest.newBuilder()
                        .setFirst(Gateway.photo(Gateway.sample()))
                        .setSecond(Gateway.somebody(1))
                        .build());
        assertThat(other.getSimilarity()).isBetween(-0.5f, 0.5f);
    }

    @Test
    void tellsWhatItServes() {
        GetModelInfoResponse info = gateway.service().getModelInfo(GetModelInfoRequest.getDefaultInstance());
        assertThat(info.getProfile()).isEqualTo("mini");
        assertThat(info.getImageWidth()).isEqualTo(128);
        assertThat(info.getImageHeight()).isEqualTo(128);
        assertThat(info.getEmbeddingSize()).isEqualTo(256);
        assertThat(info.getRecogniserId()).isEqualTo("mobileface-human-models-3.0.4");
        assertThat(info.getSchedulersList())
                .extracting(SchedulerInfo::getId)
                .containsExactly("dpmpp_2m", "euler", "ddim", "lcm");
        assertThat(info.getModelsList())
                .extracting(ServedModel::getName)
                .containsExactly("face_detector", "arcface", "encoder", "unet", "unet_lcm", "vae_decoder");
        assertThat(info.getModelsList()).allSatisfy(model -> {
            assertThat(model.getSha256()).matches("[0-9a-f]{64}");
            assertThat(model.getLicence()).isNotEmpty();
            assertThat(model.getMaxBatchSize()).isPositive();
            assertThat(model.getEngine()).startsWith("onnxruntime");
            assertThat(model.getInstructionSet()).isNotEmpty();
        });
        assertThat(info.getLimits().getMaxImages()).isEqualTo(16);
        assertThat(info.getLimits().getMaxPhotoBytes()).isEqualTo(16 << 20);
        assertThat(info.getDefaults().getSteps()).isBetween(1, 100);
        assertThat(info.getDefaults().getScheduler()).isEqualTo("dpmpp_2m");
        assertThat(info.getModelServer()).containsPattern("\\d+\\.\\d+");
        assertThat(info.getGatewayVersion()).isNotEmpty();
        assertThat(info.getLicenceNotesList()).anyMatch(note -> note.contains("DigiFace-1M"));
    }

    @Test
    void healthIsServingByNameAndByServer() {
        assertThat(gateway.health("")).isEqualTo(ServingStatus.SERVING);
        assertThat(gateway.health(PortraitServiceGrpc.SERVICE_NAME)).isEqualTo(ServingStatus.SERVING);
        assertThatThrownBy(() -> gateway.health("nobody.Knows"))
                .extracting(thrown -> Status.fromThrowable(thrown).getCode())
                .isEqualTo(Status.Code.NOT_FOUND);
        assertThat(Gateway.managementStatus("/q/health/live")).isEqualTo(200);
        assertThat(Gateway.managementStatus("/q/health/ready")).isEqualTo(200);
    }

    @Test
    void healthAndMetricsAreAtAPortOfTheirOwn() {
        assertThat(Gateway.managementStatus("/q/metrics")).isEqualTo(200);
        for (String path : List.of("/q/metrics", "/q/health", "/q/health/live", "/q/health/ready")) {
            assertThat(Gateway.httpStatus(path)).as(path).isEqualTo(404);
        }
        for (String path : List.of("/", "/v1/model", "/openapi.json")) {
            assertThat(Gateway.managementStatus(path)).as(path).isEqualTo(404);
        }
    }

    @Test
    void reflectionListsTheService() {
        assertThat(Gateway.services(ServerReflectionGrpc.newStub(gateway.channel)))
                .contains(PortraitServiceGrpc.SERVICE_NAME, "grpc.health.v1.Health");
    }
}
