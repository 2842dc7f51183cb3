package dev.arc2face.gateway.cli;

import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;

/** Without arguments the server, with arguments the command-line client, which boots no framework. */
@QuarkusMain
public final class Main {
    Main() {} // for Quarkus, which makes a bean of its main class

    public static void main(String... args) {
        if (args.length == 0) {
            Quarkus.run();
        } else {
            System.setProperty("java.awt.headless", "true");
            System.exit(Arc2FaceCommand.run(args));
        }
    }
}
