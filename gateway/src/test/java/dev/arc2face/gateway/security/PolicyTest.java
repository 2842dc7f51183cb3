package dev.arc2face.gateway.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.HttpServer;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.config.Configs;
import dev.arc2face.gateway.config.PolicyConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PolicyTest {
    private static final Policy.Question QUESTION =
            new Policy.Question("key alice", "request-1", "photo", 4, 25, 3, "base");

    private final List<String> questions = new CopyOnWriteArrayList<>();
    private HttpServer agent;
    private volatile String answer = "";
    private volatile int status = 200;

    @BeforeEach
    void start() throws IOException {
        agent = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        agent.createContext("/v1/data/arc2face/allow", exchange -> {
            questions.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            byte[] body = answer.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        agent.start();
    }

    @AfterEach
    void stop() {
        agent.stop(0);
    }

    @Test
    void allowsWhatTheAgentAllows() {
        for (String yes : List.of("{\"result\": true}", "{\"result\": {\"allow\": true}}")) {
            answer = yes;
            assertThatCode(() -> policy("").require(QUESTION)).doesNotThrowAnyException();
        }
        JsonObject input =
                JsonParser.parseString(questions.get(0)).getAsJsonObject().getAsJsonObject("input");
        assertThat(input.keySet())
                .containsExactlyInAnyOrder(
                        "method", "caller", "request_id", "identity", "num_images", "steps", "max_attempts", "variant");
        assertThat(input.get("caller").getAsString()).isEqualTo("key alice");
        assertThat(input.get("num_images").getAsInt()).isEqualTo(4);
    }

    @Test
    void refusesWhatTheAgentDoesNotAllow() {
        for (String no : List.of(
                "{\"result\": false}", "{}", "{\"result\": {}}", "{\"result\": \"true\"}", "{\"result\": [true]}")) {
            answer = no;
            assertThat(failure(policy("")).reason()).as(no).isEqualTo(ErrorReason.POLICY_REFUSED);
        }
        answer = "{\"result\": {\"allow\": false, \"message\": \"no consent on file\"}}";
        assertThat(failure(policy("")).message()).isEqualTo("no consent on file");
    }

    @Test
    void agentThatCannotBeAskedAllowsNothingUnlessToldSo() {
        status = 500;
        assertThat(failure(policy("")).reason()).isEqualTo(ErrorReason.POLICY_UNAVAILABLE);
        status = 200;
        answer = "<html>";
        assertThat(failure(policy("")).reason()).isEqualTo(ErrorReason.POLICY_UNAVAILABLE);
        assertThatCode(() -> policy("true").require(QUESTION)).doesNotThrowAnyException();
        agent.stop(0);
        assertThat(failure(policy("")).reason()).isEqualTo(ErrorReason.POLICY_UNAVAILABLE);
    }

    @Test
    void everythingIsAllowedWithoutAPolicy() {
        assertThatCode(() -> new Policy(Configs.of(PolicyConfig.class, Map.of())).require(QUESTION))
                .doesNotThrowAnyException();
    }

    @Test
    void addressThatIsNoneIsRefusedAtTheStart() {
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> new Policy(Configs.of(PolicyConfig.class, Map.of("arc2face.policy.url", "ftp://x/y"))))
                .withMessageContaining("arc2face.policy.url");
    }

    private Policy policy(String allowOnFailure) {
        String url = "http://127.0.0.1:" + agent.getAddress().getPort() + "/v1/data/arc2face/allow";
        return new Policy(Configs.of(
                PolicyConfig.class,
                allowOnFailure.isEmpty()
                        ? Map.of("arc2face.policy.url", url)
                        : Map.of("arc2face.policy.url", url, "arc2face.policy.allow-on-failure", allowOnFailure)));
    }

    private static FailureException failure(Policy policy) {
        return catchThrowableOfType(FailureException.class, () -> policy.require(QUESTION));
    }
}
