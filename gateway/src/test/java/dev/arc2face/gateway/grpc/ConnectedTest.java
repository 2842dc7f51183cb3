package dev.arc2face.gateway.grpc;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** Connects each test to the gateway under test as soon as that serves. */
abstract class ConnectedTest {
    Gateway gateway;

    @BeforeEach
    void connect() {
        gateway = new Gateway().awaitServing();
    }

    @AfterEach
    void disconnect() {
        gateway.close();
    }
}
