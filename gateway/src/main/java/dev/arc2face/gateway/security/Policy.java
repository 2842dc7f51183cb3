package dev.arc2face.gateway.security;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.config.PolicyConfig;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import org.jboss.logging.Logger;

/**
 * The operator's check before each generation, asked as Open Policy Agent's data API is: {@code {"input": QUESTION}} by
 * POST, answered with {@code {"result": true}} or {@code {"result": {"allow": false, "message": "..."}}}. The question
 * holds nothing biometric. An agent without such a rule answers {@code {}}, which allows nothing.
 */
public final class Policy {
    private static final Logger LOG = Logger.getLogger(Policy.class);
    private static final int MAX_ANSWER = 64 << 10;
    private static final int MAX_MESSAGE = 200;

    private final PolicyConfig config;
    private final HttpClient http;

    /**
     * What the policy is asked.
     *
     * @param identity what the caller gave: photo, aligned_face, embedding, average or interpolation
     * @param attempts at each image, at most
     */
    public record Question(
            String caller, String requestId, String identity, int images, int steps, int attempts, String variant) {
        private JsonObject json() {
            JsonObject json = new JsonObject();
            json.addProperty("method", "Generate");
            json.addProperty("caller", caller);
            json.addProperty("request_id", requestId);
            json.addProperty("identity", identity);
            json.addProperty("num_images", images);
            json.addProperty("steps", steps);
            json.addProperty("max_attempts", attempts);
            json.addProperty("variant", variant);
            return json;
        }
    }

    public Policy(PolicyConfig config) {
        PolicyConfig.check(config);
        this.config = config;
        this.http = HttpClient.newBuilder().connectTimeout(config.timeout()).build();
    }

    /**
     * Asks, and returns if it is allowed. Waits for the answer.
     *
     * @throws FailureException POLICY_REFUSED; POLICY_UNAVAILABLE; CANCELLED where the thread is interrupted
     */
    public void require(Question question) {
        if (config.url().isEmpty()) {
            return;
        }
        JsonElement result;
        try {
            result = ask(config.url().get(), question);
        } catch (IOException | JsonParseException | IllegalStateException unusable) {
            LOG.warnf("the policy cannot be asked: %s", unusable);
            if (config.allowOnFailure()) {
                return;
            }
            throw FailureException.of(
                    ErrorReason.POLICY_UNAVAILABLE, "the operator's policy cannot be asked; try again later");
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw FailureException.of(ErrorReason.CANCELLED, "interrupted while the policy was asked");
        }
        if (!allows(result)) {
            throw FailureException.of(ErrorReason.POLICY_REFUSED, message(result));
        }
    }

    private JsonElement ask(URI url, Question question) throws IOException, InterruptedException {
        JsonObject input = new JsonObject();
        input.add("input", question.json());
        HttpRequest request = HttpRequest.newBuilder(url)
                .timeout(config.timeout())
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(input.toString()))
                .build();
        HttpResponse<InputStream> response = http.send(request, BodyHandlers.ofInputStream());
        try (InputStream body = response.body()) {
            if (response.statusCode() != 200) {
                throw new IOException("it answers " + response.statusCode());
            }
            String text = new String(body.readNBytes(MAX_ANSWER), StandardCharsets.UTF_8);
            JsonElement result = JsonParser.parseString(text).getAsJsonObject().get("result");
            return result == null ? new JsonObject() : result;
        }
    }

    private static boolean allows(JsonElement result) {
        JsonElement allow = result.isJsonObject() ? result.getAsJsonObject().get("allow") : result;
        return allow != null
                && allow.isJsonPrimitive()
                && allow.getAsJsonPrimitive().isBoolean()
                && allow.getAsBoolean();
    }

    private static String message(JsonElement result) {
        JsonElement message = result.isJsonObject() ? result.getAsJsonObject().get("message") : null;
        if (message == null || !message.isJsonPrimitive()) {
            return "the operator's policy does not allow this generation";
        }
        String text = message.getAsString();
        return text.substring(0, Math.min(MAX_MESSAGE, text.length()));
    }
}
