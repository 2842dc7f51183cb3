package dev.arc2face.gateway.diffusion;

import static dev.arc2face.gateway.face.Stage.DENOISE;
import static dev.arc2face.gateway.face.Stage.ENCODE;
import static dev.arc2face.gateway.face.Stage.IMAGE_ENCODE;
import static dev.arc2face.gateway.face.Stage.SCORE;
import static dev.arc2face.gateway.face.Stage.VAE_DECODE;

import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.diffusion.GenerationEvent.Finished;
import dev.arc2face.gateway.diffusion.GenerationEvent.FurtherAttempt;
import dev.arc2face.gateway.diffusion.GenerationEvent.Identified;
import dev.arc2face.gateway.diffusion.GenerationEvent.Portrait;
import dev.arc2face.gateway.diffusion.GenerationEvent.Preview;
import dev.arc2face.gateway.diffusion.Step.State;
import dev.arc2face.gateway.face.Embedding;
import dev.arc2face.gateway.face.Identity;
import dev.arc2face.gateway.face.IdentityReader;
import dev.arc2face.gateway.face.IdentityScorer;
import dev.arc2face.gateway.face.IdentitySource;
import dev.arc2face.gateway.face.ScoredFace;
import dev.arc2face.gateway.face.StageClock;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.provenance.PictureFile;
import dev.arc2face.gateway.triton.ServedModels;
import dev.arc2face.gateway.triton.Sizes;
import dev.arc2face.gateway.triton.WholeBatches;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Arc2Face (arXiv 2403.11641) from a photo to portraits of the person in it. Portraits of one request are, bit for bit,
 * those of one request each. A generation belongs to the thread that runs it, but for the encoding of its portraits, which
 * goes on beside their scoring; any number may run at once.
 */
public final class PortraitGenerator {
    private final IdentityReader reader;
    private final Encoder encoder;
    private final VaeDecoder vae;
    private final IdentityScorer scorer;
    private final Executor encoders;
    private final LatentPreview preview;
    private final PortraitFiles files;
    private final Sizes sizes;
    private final LongSupplier nanoTime;

    /** What each portrait of the latest generation took after the last step: a guess for the next one's progress. */
    private volatile Duration finishingEach = Duration.ZERO;

    /**
     * @param encoders make the files of portraits
     * @param nanoTime as {@link System#nanoTime}
     * @throws FailureException MODEL_CONTRACT_VIOLATED where a setting of {@code vae_decoder} is not supported
     */
    public PortraitGenerator(
            ServedModels models,
            IdentityReader reader,
            IdentityScorer scorer,
            Executor encoders,
            LongSupplier nanoTime) {
        this.reader = reader;
        this.encoder = new Encoder(models.encoder());
        this.vae = new VaeDecoder(models.vaeDecoder(), models.sizes());
        this.scorer = scorer;
        this.encoders = encoders;
        this.preview = LatentPreview.parse(models.vaeDecoder().requireParameter("latent_rgb_factors"));
        this.files = new PortraitFiles(models);
        this.sizes = models.sizes();
        this.nanoTime = nanoTime;
    }

    /**
     * Generates, and tells what happens as it happens.
     *
     * @param events called on this thread; what it throws ends the generation
     * @throws FailureException CANCELLED or DEADLINE_EXCEEDED before the next model call once the current
     *     {@link io.grpc.Context} has ended; whatever {@link IdentityReader#read} and the models fail with
     */
    public void generate(IdentitySource source, GenerationOptions options, Consumer<GenerationEvent> events) {
        if (options.reproducible()) {
            WholeBatches.in(io.grpc.Context.current()).run(() -> draw(source, options, events));
        } else {
            draw(source, options, events);
        }
    }

    private void draw(IdentitySource source, GenerationOptions options, Consumer<GenerationEvent> events) {
        Unet unet = options.variant().unet();
        Schedule schedule = options.variant().schedule(options.scheduler(), options.steps());
        int steps = schedule.steps().size();
        int guided = options.guidedSteps(steps);
        StageClock clock = new StageClock();
        Pace pace = new Pace(nanoTime, steps, guided, finishingEach);

        Identity identity = reader.read(source, clock); // embeddings [D], unit length: one for all portraits, or each
        events.accept(new Identified(identity.report()));

        List<Context> contexts = clock.time(
                ENCODE, () -> encoder.encode(identity.embeddings(), unet.contextType())); // [T,C] and its twin, each
        Selection selection = new Selection(options.floor(), options.numImages());
        int unetCalls = 0;
        int rejected = 0;
        for (int attempt = 1; !selection.open().isEmpty(); attempt++) {
            List<Draft> drafts = drafts(selection.open(), attempt, identity, contexts, options); // n of N portraits
            Workload workload = options.workload(steps, drafts.size());
            unetCalls += workload.calls();
            if (attempt > 1) {
                rejected += drafts.size();
                events.accept(new FurtherAttempt(workload));
            }
            PortraitNoise noise = new PortraitNoise(
                    drafts.stream().mapToInt(Draft::seed).toArray(), sizes.latentHeight(), sizes.latentWidth());
            State state = schedule.start(noise.draw()); // [n,4,h,w]
            Denoiser denoiser =
                    new Denoiser(unet, drafts.stream().map(Draft::context).toList(), state.latents());
            int done = 0;
            pace.stepsBegin(drafts.size());
            for (Step step : schedule.steps()) {
                float guidanceScale = done < guided ? options.guidanceScale() : 1;
                clock.run(DENOISE, () -> {
                    Latents prediction = denoiser.predict(state.latents(), step, guidanceScale); // [n,4,h,w]
                    step.advance(state, prediction, noise::draw);
                });
                done++;
                events.accept(pace.stepDone(done));
                if (options.wantsPreviewAfter(done)) {
                    sendPreviews((attempt - 1) * steps + done, drafts, state.denoised(), clock, events);
                }
            }

            Duration denoised = pace.elapsed();
            for (Chunk chunk : vae.chunks(drafts.size())) {
                Cancellation.check();
                List<Draft> ofChunk = drafts.subList(chunk.first(), chunk.first() + chunk.size());
                List<Pixels> pictures =
                        clock.time(VAE_DECODE, () -> vae.decode(state.latents(), chunk)); // [H,W,3] each
                List<CompletableFuture<PictureFile>> encoded = pictures.stream()
                        .map(picture -> encode(picture, options, clock))
                        .toList();
                List<Embedding> inputs = ofChunk.stream().map(Draft::embedding).toList();
                List<Optional<ScoredFace>> scores = clock.time(SCORE, () -> scorer.score(inputs, pictures));
                for (int i = 0; i < chunk.size(); i++) {
                    Portrait drawn = new Portrait(
                            ofChunk.get(i).imageIndex(),
                            ofChunk.get(i).seed(),
                            attempt,
                            encoded.get(i).join(),
                            options.format(),
                            sizes.imageWidth(),
                            sizes.imageHeight(),
                            scores.get(i));
                    selection.take(drawn).ifPresent(events);
                }
            }
            finishingEach = pace.elapsed().minus(denoised).dividedBy(drafts.size());
        }
        events.accept(new Finished(pace.elapsed(), clock.timings(), unetCalls, rejected));
    }

    /** A portrait in an attempt at it. */
    private record Draft(int imageIndex, int seed, Embedding embedding, Context context) {}

    private static List<Draft> drafts(
            List<Integer> portraits,
            int attempt,
            Identity identity,
            List<Context> contexts,
            GenerationOptions options) {
        return portraits.stream()
                .map(i -> new Draft(
                        i, options.seed(i, attempt), identity.embedding(i), contexts.get(contexts.size() == 1 ? 0 : i)))
                .toList();
    }

    private void sendPreviews(
            int step, List<Draft> drafts, Latents denoised, StageClock clock, Consumer<GenerationEvent> events) {
        for (int i = 0; i < denoised.n(); i++) {
            Pixels picture = preview.picture(denoised, i);
            byte[] jpeg = clock.time(IMAGE_ENCODE, () -> files.ofPreview(picture));
            Draft draft = drafts.get(i);
            events.accept(new Preview(draft.imageIndex(), draft.seed(), step, jpeg, picture.width(), picture.height()));
        }
    }

    private CompletableFuture<PictureFile> encode(Pixels picture, GenerationOptions options, StageClock clock) {
        return CompletableFuture.supplyAsync(
                () -> clock.time(IMAGE_ENCODE, () -> files.ofPortrait(picture, options)), encoders);
    }
}
