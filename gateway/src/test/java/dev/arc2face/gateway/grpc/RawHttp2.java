package dev.arc2face.gateway.grpc;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;

/** A connection on which frames can be sent that no honest client sends (RFC 9113). */
final class RawHttp2 implements AutoCloseable {
    static final int HEADERS = 1;
    static final int RST_STREAM = 3;
    static final int SETTINGS = 4;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int CONTINUATION = 9;
    static final int END_HEADERS = 4;

    private final Socket socket;
    private final OutputStream out;

    RawHttp2(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(30_000);
        out = socket.getOutputStream();
        out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII));
        send(SETTINGS, 0, 0, new byte[0]);
    }

    void send(int type, int flags, int stream, byte[] payload) throws IOException {
        ByteBuffer frame = ByteBuffer.allocate(9 + payload.length)
                .put((byte) (payload.length >> 16))
                .putShort((short) payload.length)
                .put((byte) type)
                .put((byte) flags)
                .putInt(stream)
                .put(payload);
        out.write(frame.array());
    }

    /** Headers of a gRPC call, in HPACK without an index. */
    static byte[] headers(String path) throws IOException {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        block.write(0x83); // :method POST
        block.write(0x86); // :scheme http
        literal(block, 4, path);
        literal(block, 1, "127.0.0.1");
        block.write(0x0f); // content-type is entry 31: four bits of ones, and the rest
        block.write(31 - 15);
        string(block, "application/grpc");
        header(block, "te", "trailers");
        return block.toByteArray();
    }

    /** A header that no table knows. */
    static void header(ByteArrayOutputStream block, String name, String value) throws IOException {
        block.write(0);
        string(block, name);
        string(block, value);
    }

    private static void literal(ByteArrayOutputStream block, int nameIndex, String value) throws IOException {
        block.write(nameIndex);
        string(block, value);
    }

    private static void string(ByteArrayOutputStream block, String text) throws IOException {
        if (text.length() > 126) {
            throw new IllegalArgumentException("longer than a byte tells");
        }
        block.write(text.length());
        block.write(text.getBytes(US_ASCII));
    }

    /** Reads until the server says goodbye, and gives its error code; -1 if it just closes the connection. */
    int awaitGoodbye() throws IOException {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        while (true) {
            int high = in.read();
            if (high < 0) {
                return -1;
            }
            int length = high << 16 | in.readUnsignedShort();
            int type = in.readUnsignedByte();
            in.skipNBytes(5); // flags and stream
            byte[] payload = in.readNBytes(length);
            if (type == GOAWAY) {
                int code = ByteBuffer.wrap(payload).getInt(4);
                if (code != 0) {
                    return code;
                }
            }
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
