package dev.arc2face.gateway.grpc;

import dev.arc2face.gateway.config.ReceiptsConfig;
import dev.arc2face.gateway.diffusion.GenerationEvent.Portrait;
import dev.arc2face.gateway.diffusion.SimilarityFloor;
import dev.arc2face.gateway.diffusion.Variant;
import dev.arc2face.gateway.receipt.CanonicalReceipt;
import dev.arc2face.gateway.receipt.IdentityKey;
import dev.arc2face.gateway.receipt.ReceiptSigner;
import dev.arc2face.gateway.triton.ServedModels;
import dev.arc2face.v1.Accepted;
import dev.arc2face.v1.IdentitySource;
import dev.arc2face.v1.PictureReceipt;
import dev.arc2face.v1.Receipt;
import dev.arc2face.v1.ReceiptKey;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jboss.logging.Logger;

/** Writes receipts of what this gateway generates, bound and signed with its keys. */
final class Receipts {
    private static final Logger LOG = Logger.getLogger(Receipts.class);

    private final IdentityKey identityKey;
    private final ReceiptSigner signer;
    private final String gatewayVersion;

    /** Refuses keys that are none. */
    Receipts(ReceiptsConfig config, String gatewayVersion) {
        ReceiptsConfig.check(config);
        this.identityKey = IdentityKey.of(config.identityKey());
        this.signer = ReceiptSigner.of(config.signingKey(), config.publicKeys().orElse(List.of()));
        this.gatewayVersion = gatewayVersion;
        if (identityKey.isEphemeral()) {
            LOG.infof(
                    "no arc2face.receipts.identity-key: receipts are bound to their photo with key %s, which ends with"
                            + " this gateway",
                    identityKey.id());
        }
    }

    /** What signatures are checked with. */
    List<ReceiptKey> publicKeys() {
        return signer.publicKeys();
    }

    /** A receipt of a generation that begins. */
    Draft begin(ServedModels models, Variant variant) {
        return new Draft(models, variant);
    }

    /** The receipt of a generation that runs. One owner, one thread. */
    final class Draft {
        private final ServedModels models;
        private final Variant variant;
        private final List<PictureReceipt> pictures = new ArrayList<>();

        private Draft(ServedModels models, Variant variant) {
            this.models = models;
            this.variant = variant;
        }

        /** Adds a portrait that is delivered. */
        void add(Portrait portrait, SimilarityFloor floor) {
            PictureReceipt.Builder picture = PictureReceipt.newBuilder()
                    .setImageIndex(portrait.imageIndex())
                    .setSeed(portrait.seed())
                    .setAttempts(portrait.attempts())
                    .setBelowMinSimilarity(!floor.isReachedBy(portrait.score()))
                    .setPictureId(portrait.file().pictureId())
                    .setWidth(portrait.width())
                    .setHeight(portrait.height())
                    .setSha256(portrait.file().sha256())
                    .setPixelsSha256(portrait.file().pixelsSha256());
            portrait.score().ifPresent(scored -> picture.setSimilarity((float) scored.similarity()));
            pictures.add(picture.build());
        }

        /** The whole receipt, all portraits delivered. */
        Receipt finish(Accepted request, IdentitySource identity) {
            Receipt.Builder receipt = Receipt.newBuilder()
                    .setRequest(request)
                    .setIdentity(identityKey.bind(request, identity))
                    .setProfile(models.profile())
                    .setModelServer("triton " + models.serverVersion()) // replicas may have names of their own
                    .setGatewayVersion(gatewayVersion);
            pictures.stream()
                    .sorted(Comparator.comparingInt(PictureReceipt::getImageIndex))
                    .forEach(receipt::addPictures);
            models.all().stream()
                    .filter(model -> variant.mayAsk(model, models))
                    .forEach(model -> receipt.addModels(ModelInfo.served(model)));
            return signer.sign(
                    receipt.setReceiptId(CanonicalReceipt.id(receipt.build())).build());
        }
    }
}
