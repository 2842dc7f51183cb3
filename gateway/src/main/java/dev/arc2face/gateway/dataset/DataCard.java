package dev.arc2face.gateway.dataset;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Says in a data set's README.md what it is, how it was made, what may be done with it, and that it shows nobody. */
final class DataCard {
    private DataCard() {}

    static String of(Settings settings, Shard shard, Identities identities, Summary summary) {
        List<String> lines = new ArrayList<>();
        lines.add("# Synthetic faces");
        lines.add("");
        lines.add(
                "Nobody in these pictures exists. Each identity is a point drawn from a distribution that was fitted to"
                        + " embeddings of faces; a diffusion model (Arc2Face) drew the pictures from it. A picture may still look"
                        + " like somebody: see the leakage check below.");
        lines.add("");
        lines.addAll(counts(settings, shard, summary));
        lines.addAll(identities(settings, identities));
        lines.addAll(leakage(settings, summary));
        lines.addAll(files());
        lines.addAll(drawing(settings));
        lines.addAll(models(settings.models()));
        lines.addAll(licence(settings.models()));
        return String.join("\n", lines) + "\n";
    }

    private static List<String> counts(Settings settings, Shard shard, Summary summary) {
        List<String> lines = new ArrayList<>();
        lines.add("## What is in it");
        lines.add("");
        lines.add("| | |");
        lines.add("|---|---|");
        if (!shard.equals(Shard.WHOLE)) {
            lines.add(row("shard", shard + " of " + settings.identities() + " identities"));
        }
        lines.add(row("identities", summary.identities()));
        lines.add(row("pictures", summary.pictures()));
        lines.add(row("pictures of an identity", "at most " + settings.perIdentity()));
        lines.add(row("missed, because no attempt was good enough", summary.missed()));
        lines.add(row("attempts at all", summary.attempts()));
        lines.add(row("similarity to the identity, mean", number(summary.meanSimilarity())));
        lines.add(row("similarity to the identity, least", number(summary.leastSimilarity())));
        lines.add(row(
                "size",
                settings.models().imageWidth() + "x" + settings.models().imageHeight() + " pixels, aligned 112x112"));
        lines.add("");
        lines.add(
                "Similarities are cosines of embeddings by the recogniser that steers the model, which flatters them.");
        lines.add("");
        return lines;
    }

    private static List<String> identities(Settings settings, Identities identities) {
        List<String> lines = new ArrayList<>();
        lines.add("## How far identities are apart");
        lines.add("");
        lines.add("At least " + settings.minAngle() + " degrees were asked for."
                + (settings.identities() < 2
                        ? ""
                        : " The two nearest are " + degrees(identities.nearest()) + " apart."));
        if (settings.awayFrom() != null) {
            lines.add("The same holds towards " + settings.awayFrom().count() + " given embeddings (SHA-256 `"
                    + settings.awayFrom().sha256() + "`): the nearest is " + degrees(identities.nearestGiven())
                    + " away.");
        }
        lines.add("");
        return lines;
    }

    private static List<String> leakage(Settings settings, Summary summary) {
        EmbeddingSet training = settings.training();
        List<String> lines = new ArrayList<>();
        lines.add("## Leakage check");
        lines.add("");
        if (training == null) {
            lines.add("Not made: the embeddings that the model was trained on were not given.");
        } else {
            lines.add("Each identity was held against " + training.count() + " training embeddings (SHA-256 `"
                    + training.sha256() + "`). Its largest cosine to one of them is `training_cosine` in the manifest:"
                    + " at most " + number(summary.trainingCosine()) + ", on average "
                    + number(summary.meanTrainingCosine()) + ".");
        }
        lines.add("");
        return lines;
    }

    private static List<String> files() {
        return List.of(
                "## Files",
                "",
                "| | |",
                "|---|---|",
                row("`images/IDENTITY/PICTURE`", "pictures, a folder for each identity"),
                row("`aligned/IDENTITY/PICTURE`", "the same faces, warped to ArcFace's five points"),
                row("`manifest.parquet`, `manifest.jsonl`", "a row for each picture, twice"),
                row("`identities.npy`", "the embeddings that the pictures were drawn from, row = identity"),
                row("`dataset.json`", "all settings"),
                row("`parts/`", "the manifest by identity, from which an interrupted run goes on"),
                "");
    }

    private static List<String> drawing(Settings settings) {
        Settings.Drawing drawing = settings.drawing();
        Float floor = settings.minSimilarity();
        return List.of(
                "## How it was drawn",
                "",
                "| | |",
                "|---|---|",
                row("seed", settings.seed()),
                row("variant", drawing.variant()),
                row("scheduler", drawing.scheduler()),
                row("steps", drawing.steps()),
                row(
                        "guidance",
                        drawing.guidanceScale() + ", in the first " + drawing.guidanceUntil() + " of the steps"),
                row("least similarity", floor == null ? "none" : floor),
                row("attempts at a picture", "at most " + settings.maxAttempts()),
                row("identity prior", "SHA-256 `" + settings.priorSha256() + "`"),
                "");
    }

    private static List<String> models(Settings.Models models) {
        List<String> lines = new ArrayList<>();
        lines.add("## Models");
        lines.add("");
        lines.add("Profile `" + models.profile() + "`, recogniser `" + models.recogniserId()
                + "`; all of them together are" + " `model_hash` " + models.hash() + ".");
        lines.add("");
        lines.add("| network | SHA-256 of its weights |");
        lines.add("|---|---|");
        models.sha256().forEach((name, hash) -> lines.add(row(name, hash.isEmpty() ? "not told" : "`" + hash + "`")));
        lines.add("");
        return lines;
    }

    private static List<String> licence(Settings.Models models) {
        List<String> lines = new ArrayList<>();
        lines.add("## Licence");
        lines.add("");
        lines.add(
                "The pictures come from networks under: " + models.licence() + ". What the server says must be known:");
        lines.add("");
        models.licenceNotes().forEach(note -> lines.add("- " + note));
        return lines;
    }

    private static String row(String name, @Nullable Object value) {
        return "| " + name + " | " + value + " |";
    }

    private static String number(@Nullable Double value) {
        return value == null ? "-" : String.format(Locale.ROOT, "%.3f", value);
    }

    private static String degrees(float cosine) {
        return String.format(
                Locale.ROOT, "%.1f degrees (cosine %.3f)", StrictMath.toDegrees(StrictMath.acos(cosine)), cosine);
    }
}
