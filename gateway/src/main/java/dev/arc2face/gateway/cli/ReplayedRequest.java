package dev.arc2face.gateway.cli;

import static java.util.stream.Collectors.joining;

import com.google.protobuf.ByteString;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.face.Aligner;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.v1.Accepted;
import dev.arc2face.v1.AlignedFace;
import dev.arc2face.v1.Average;
import dev.arc2face.v1.GenerateRequest;
import dev.arc2face.v1.IdentityKind;
import dev.arc2face.v1.IdentitySource;
import dev.arc2face.v1.ImageFormat;
import dev.arc2face.v1.Interpolation;
import dev.arc2face.v1.Receipt;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;

/** The request that a receipt is of, from the receipt and the files that it does not hold. */
final class ReplayedRequest {
    private final Accepted request;

    private ReplayedRequest(Accepted request) {
        this.request = request;
    }

    /**
     * That request, with another id: this one would be given the result that it may still have.
     *
     * @param files photos, embeddings and crops in the order in which the request had them
     */
    static GenerateRequest of(Receipt receipt, List<Path> files) {
        IdentityKind identity = receipt.getIdentity().getKind();
        List<String> kinds = leaves(identity).toList();
        if (files.size() != kinds.size()) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "the receipt is of " + kinds.stream().collect(joining(", ")) + ": name so many files, not "
                            + files.size());
        }
        Accepted request = receipt.getRequest();
        GenerateRequest.Builder again = GenerateRequest.newBuilder()
                .setIdentity(new ReplayedRequest(request).identity(identity, files.iterator()))
                .setVariant(request.getVariant())
                .setNumImages(request.getNumImages())
                .setSteps(request.getSteps())
                .setGuidanceScale(request.getGuidanceScale())
                .setGuidanceUntil(request.getGuidanceUntil())
                .setScheduler(request.getScheduler())
                .setOutputFormat(request.getOutputFormat())
                .setReproducible(request.getReproducible())
                .setPreviewEvery(0);
        if (request.getSeedsCount() > 0) {
            again.setSeed(request.getSeeds(0));
        }
        if (request.getOutputFormat() == ImageFormat.IMAGE_FORMAT_JPEG) {
            again.setJpegQuality(request.getJpegQuality());
        }
        if (request.hasMinSimilarity()) {
            again.setMinSimilarity(request.getMinSimilarity()).setMaxAttempts(request.getMaxAttempts());
        }
        return again.build();
    }

    private static Stream<String> leaves(IdentityKind identity) {
        return identity.getSourcesCount() == 0
                ? Stream.of(identity.getKind())
                : identity.getSourcesList().stream().flatMap(ReplayedRequest::leaves);
    }

    private IdentitySource identity(IdentityKind kind, Iterator<Path> files) {
        IdentitySource.Builder identity = IdentitySource.newBuilder();
        switch (kind.getKind()) {
            case "photo" -> identity.setPhoto(Inputs.photo(files.next()));
            case "embedding" -> identity.setEmbedding(Inputs.embedding(files.next()));
            case "aligned_face" -> identity.setAlignedFace(crop(files.next()));
            case "average" -> {
                Average.Builder average = Average.newBuilder();
                kind.getSourcesList().forEach(source -> average.addSources(identity(source, files)));
                identity.setAverage(average);
            }
            case "interpolation" -> {
                if (kind.getSourcesCount() != 2) {
                    throw notKnown(kind);
                }
                identity.setInterpolation(Interpolation.newBuilder()
                        .setFirst(identity(kind.getSources(0), files))
                        .setSecond(identity(kind.getSources(1), files))
                        .addAllT(request.getTList()));
            }
            default -> throw notKnown(kind);
        }
        if (kind.hasFaceIndex()) {
            identity.setFaceIndex(kind.getFaceIndex());
        }
        return identity.build();
    }

    private static CommandFailure notKnown(IdentityKind kind) {
        return new CommandFailure(
                ExitCode.BAD_INPUT, "the receipt is of an identity that this client does not know: " + kind.getKind());
    }

    private static Pixels pixels(Path file) {
        try {
            return Drawing.pixels(Inputs.read(file));
        } catch (FailureException noPicture) {
            throw new CommandFailure(ExitCode.BAD_INPUT, file + ": " + noPicture.message());
        }
    }

    private static AlignedFace crop(Path file) {
        Pixels pixels = pixels(file);
        if (pixels.width() != Aligner.SIDE || pixels.height() != Aligner.SIDE) {
            throw new CommandFailure(
                    ExitCode.BAD_INPUT,
                    file + " is no aligned face of " + Aligner.SIDE + "x" + Aligner.SIDE + " pixels");
        }
        return AlignedFace.newBuilder()
                .setRgb(ByteString.copyFrom(pixels.rgb()))
                .build();
    }
}
