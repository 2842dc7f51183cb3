package dev.arc2face.gateway.grpc;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.WireFormat;
import java.io.IOException;

/**
 * Counts the messages in a serialised message, itself included, without making any of them: two bytes on the wire are an
 * empty message, which takes dozens in memory, and where it breaks a constraint hundreds more.
 */
public final class MessageCount {
    /** What a request may have at most. Two interpolations between averages of sixteen embeddings are 141. */
    public static final int MOST = 256;

    private final CodedInputStream fields;
    private final int most;
    private int count;

    private MessageCount(CodedInputStream fields, int most) {
        this.fields = fields;
        this.most = most;
    }

    /**
     * Whether there are no more than so many.
     *
     * @throws IOException where it is no message of this type
     */
    static boolean isAtMost(int most, byte[] message, Descriptor type) throws IOException {
        return new MessageCount(CodedInputStream.newInstance(message), most).count(type);
    }

    private boolean count(Descriptor type) throws IOException {
        if (++count > most) { // which bounds the depth, too
            return false;
        }
        for (int tag = fields.readTag(); tag != 0; tag = fields.readTag()) {
            FieldDescriptor field = type.findFieldByNumber(WireFormat.getTagFieldNumber(tag));
            if (field != null
                    && field.getJavaType() == JavaType.MESSAGE
                    && WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_LENGTH_DELIMITED) {
                int outer = fields.pushLimit(fields.readRawVarint32());
                if (!count(field.getMessageType())) {
                    return false;
                }
                fields.popLimit(outer);
            } else {
                fields.skipField(tag);
            }
        }
        return true;
    }
}
