package dev.arc2face.gateway.triton;

import static dev.arc2face.gateway.Waiting.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.security.Certificates;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mutual TLS between the gateway and a real Triton. */
class TritonTlsTest {
    @TempDir
    Path folder;

    @Test
    void onlyAGatewayWithACertificateReachesATritonThatAsksForOne() {
        Certificates certificates = Certificates.in(folder);
        certificates.certify("triton", "ip:127.0.0.1");
        certificates.certify("gateway", "dns:gateway");
        try (TritonProcess triton = TritonProcess.with(
                        "--grpc-use-ssl=true",
                        "--grpc-use-ssl-mutual=true",
                        "--grpc-server-cert=" + certificates.certificate("triton"),
                        "--grpc-server-key=" + certificates.key("triton"),
                        "--grpc-root-cert=" + certificates.ca());
                TritonServer plain = Servers.open(triton.target(), Map.of());
                TritonServer stranger = Servers.open(
                        triton.target(), Map.of("tls.ca", certificates.ca().toString()));
                TritonServer known = Servers.open(
                        triton.target(),
                        Map.of(
                                "tls.ca", certificates.ca().toString(),
                                "tls.certificate",
                                        certificates.certificate("gateway").toString(),
                                "tls.key", certificates.key("gateway").toString()))) {
            ServedModels models = Await.ready(known);
            assertThat(models.sizes().imageWidth()).isEqualTo(128);
            // Both have been turned away: what they say of Triton is no longer that they have not looked.
            await().untilAsserted(() -> {
                assertThat(failure(plain)).contains("does not answer");
                assertThat(failure(stranger)).contains("does not answer");
            });
        }
    }

    @Test
    void keyWithoutACertificateIsRefusedAtTheStart() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Servers.open("127.0.0.1:1", Map.of("tls.key", "key.pem"))
                        .close())
                .withMessageContaining("arc2face.triton.tls");
    }

    private static String failure(TritonServer server) {
        try {
            server.models();
            return "";
        } catch (FailureException unavailable) {
            return unavailable.message();
        }
    }
}
