package dev.arc2face.gateway.triton;

import com.google.protobuf.DiscardUnknownFieldsParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import dev.arc2face.inference.ModelConfig;
import dev.arc2face.inference.ModelMetadataResponse;

/**
 * What Triton says about one model, unchecked, without what the gateway does not know: Triton writes a map's entries in
 * an order that changes from answer to answer, and the bytes of an unknown map would look like news every time.
 */
record Description(ModelMetadataResponse metadata, ModelConfig config) {
    Description {
        metadata = known(metadata, ModelMetadataResponse.parser());
        config = known(config, ModelConfig.parser());
    }

    private static <M extends Message> M known(M message, Parser<M> parser) {
        try {
            return DiscardUnknownFieldsParser.wrap(parser).parseFrom(message.toByteString());
        } catch (InvalidProtocolBufferException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
