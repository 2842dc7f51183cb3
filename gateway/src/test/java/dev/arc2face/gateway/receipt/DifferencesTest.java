package dev.arc2face.gateway.receipt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.arc2face.gateway.image.ImageFormat;
import dev.arc2face.v1.IdentityBinding;
import dev.arc2face.v1.Receipt;
import org.junit.jupiter.api.Test;

class DifferencesTest {
    private static final Receipt THEN = OnePicture.of(ImageFormat.PNG).toBuilder()
            .setIdentity(IdentityBinding.newBuilder()
                    .setKeyId("k1")
                    .setHmacSha256("aa")
                    .setEphemeralKey(true))
            .setModelServer("triton 2.51.0")
            .setGatewayVersion("1")
            .build();

    @Test
    void nothingIsDifferentAboutTheSameRequestByAnotherName() {
        Receipt.Builder now = THEN.toBuilder();
        now.getRequestBuilder().setRequestId("another").setPreviewEvery(9);
        assertThat(Differences.between(THEN, now.build())).isEmpty();
    }

    @Test
    void whatIsDifferentIsTold() {
        Receipt.Builder now = THEN.toBuilder().setModelServer("triton 2.52.0").setGatewayVersion("2");
        now.getModelsBuilder(1).setSha256("e2").setEngine("onnxruntime 2");
        now.removeModels(3); // unet_guided
        now.getIdentityBuilder().setHmacSha256("bb");
        assertThat(Differences.between(THEN, now.build()))
                .containsExactly(
                        "the photo, crop or embedding has other bytes than then",
                        "the SHA-256 of the weights of model encoder was \"e1\", and is \"e2\"",
                        "the engine of model encoder was \"\", and is \"onnxruntime 2\"",
                        "model unet_guided is not there any more",
                        "the model server was \"triton 2.51.0\", and is \"triton 2.52.0\"",
                        "the gateway was \"1\", and is \"2\"");
        assertThat(Differences.between(now.build(), THEN)).contains("model unet_guided was not there then");
    }

    @Test
    void nobodyBlamesThePhotoWithoutTheKeyOrForAnotherRequest() {
        Receipt.Builder now = THEN.toBuilder();
        now.getIdentityBuilder().setHmacSha256("bb").setKeyId("k2");
        assertThat(Differences.between(THEN, now.build()))
                .containsExactly(
                        "the server has another identity key than then, and cannot tell whether the photo is the"
                                + " same (that key ended with its gateway)");
        now.getIdentityBuilder().setKeyId("k1");
        now.getRequestBuilder().setSteps(13);
        assertThat(Differences.between(THEN, now.build()))
                .containsExactly("the server understands the request otherwise than then");
    }
}
