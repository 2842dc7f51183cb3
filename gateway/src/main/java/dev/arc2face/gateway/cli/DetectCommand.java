package dev.arc2face.gateway.cli;

import com.google.protobuf.ByteString;
import dev.arc2face.v1.DetectFacesRequest;
import dev.arc2face.v1.DetectFacesResponse;
import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "detect", description = "Finds the faces in a photo. A photo without a face is no error.")
final class DetectCommand implements Callable<Integer> {
    private final Terminal terminal;

    @Parameters(paramLabel = "PHOTO", description = "JPEG, PNG or WebP, at most 16 MiB.")
    @SuppressWarnings("NullAway.Init")
    private Path photo;

    @Option(names = "--draw", paramLabel = "FILE", description = "Also write a PNG of the photo with the faces marked.")
    private @Nullable Path drawing;

    @Mixin
    private Connection connection = new Connection();

    @Option(names = "--json", description = "Print the server's answer as a line of JSON.")
    private boolean json;

    DetectCommand(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public Integer call() {
        ByteString bytes = Inputs.photo(photo);
        DetectFacesResponse found = connection.call(server -> server.detectFaces(
                DetectFacesRequest.newBuilder().setPhoto(bytes).build()));
        if (json) {
            terminal.out().println(Json.line(found));
        } else {
            show(found);
        }
        if (drawing != null) {
            BufferedImage image = Drawing.decode(bytes.toByteArray());
            FaceDrawing.draw(image, found.getFacesList());
            Drawing.writePng(image, drawing);
            if (!json) {
                terminal.out().println(drawing);
            }
        }
        return ExitCode.OK.number();
    }

    private void show(DetectFacesResponse found) {
        String count = switch (found.getFacesCount()) {
            case 0 -> "no face";
            case 1 -> "1 face";
            default -> found.getFacesCount() + " faces";
        };
        terminal.out()
                .println(count + " in " + found.getPhotoWidth() + "x" + found.getPhotoHeight() + " pixels"
                        + (found.getTruncated() ? "; there may be more" : ""));
        found.getFacesList().forEach(face -> terminal.out().println(FaceText.row(face)));
    }
}
