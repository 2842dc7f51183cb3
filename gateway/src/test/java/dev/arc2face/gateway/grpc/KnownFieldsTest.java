package dev.arc2face.gateway.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import dev.arc2face.v1.EmbedFaceRequest;
import dev.arc2face.v1.IdentitySource;
import io.grpc.protobuf.ProtoUtils;
import java.io.ByteArrayInputStream;
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
    void brokenMessageIsTheCallersFault() {
        assertThatThrownBy(() -> marshaller.parse(new ByteArrayInputStream(new byte[] {10, 100})))
                .hasCauseInstanceOf(InvalidProtocolBufferException.class);
    }
}
