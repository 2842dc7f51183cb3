package dev.arc2face.gateway.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import dev.arc2face.gateway.ErrorReason;
import dev.arc2face.gateway.FailureException;
import dev.arc2face.v1.Average;
import dev.arc2face.v1.EmbedFaceRequest;
import dev.arc2face.v1.IdentitySource;
import dev.arc2face.v1.Interpolation;
import io.grpc.protobuf.ProtoUtils;
import java.io.ByteArrayInputStream;
import java.util.Collections;
import org.junit.jupiter.api.Test;

class KnownFieldsTest {
    private static final UnknownFieldSet NEWS = UnknownFieldSet.newBuilder()
            .addField(7777, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
            .build();

    private final KnownFields<EmbedFaceRequest> marshaller =
            new KnownFields<>(ProtoUtils.marshaller(EmbedFaceRequest.getDefaultInstance()));

    @Test
    void unknownFieldsAreDroppedAtEveryDepth() {
        IdentitySource identity = Gateway.photo(ByteString.copyFromUtf8("photo"));
        EmbedFaceRequest request =
                EmbedFaceRequest.newBuilder().setIdentity(identity).build();
        EmbedFaceRequest newer = EmbedFaceRequest.newBuilder()
                .setIdentity(identity.toBuilder().setUnknownFields(NEWS))
                .setUnknownFields(NEWS)
                .build();

        assertThat(marshaller.parse(new ByteArrayInputStream(newer.toByteArray())))
                .isEqualTo(request);
    }

    @Test
    void noMoreMessagesAreMadeThanAnybodyNeeds() {
        IdentitySource somebody = Gateway.somebody(1);
        IdentitySource average = IdentitySource.newBuilder()
                .setAverage(Average.newBuilder().addAllSources(Collections.nCopies(16, somebody)))
                .build();
        EmbedFaceRequest largest = EmbedFaceRequest.newBuilder()
                .setIdentity(IdentitySource.newBuilder()
                        .setInterpolation(Interpolation.newBuilder()
                                .setFirst(average)
                                .setSecond(average)
                                .addT(0.5f)))
                .build();
        assertThat(marshaller.parse(new ByteArrayInputStream(largest.toByteArray())))
                .isEqualTo(largest);

        EmbedFaceRequest many = EmbedFaceRequest.newBuilder()
                .setIdentity(IdentitySource.newBuilder()
                        .setAverage(Average.newBuilder()
                                .addAllSources(Collections.nCopies(254, IdentitySource.getDefaultInstance()))))
                .build();
        assertRefused(many);
        EmbedFaceRequest deep =
                EmbedFaceRequest.newBuilder().setIdentity(nested(128)).build();
        assertRefused(deep);
    }

    private static IdentitySource nested(int depth) {
        IdentitySource.Builder source = IdentitySource.newBuilder();
        if (depth > 0) {
            source.setInterpolation(Interpolation.newBuilder().setFirst(nested(depth - 1)));
        }
        return source.build();
    }

    private void assertRefused(EmbedFaceRequest request) {
        assertThatThrownBy(() -> marshaller.parse(new ByteArrayInputStream(request.toByteArray())))
                .isInstanceOfSatisfying(
                        FailureException.class,
                        failure -> assertThat(failure.reason()).isEqualTo(ErrorReason.INVALID_REQUEST));
    }

    @Test
    void brokenMessageIsTheCallersFault() {
        assertThatThrownBy(() -> marshaller.parse(new ByteArrayInputStream(new byte[] {10, 100})))
                .hasCauseInstanceOf(InvalidProtocolBufferException.class);
    }
}
