package dev.arc2face.gateway.grpc;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** Connects each test to the gateway under test as soon as that serves. */
public abstract class ConnectedTest {
    protected Gateway gateway;

    @BeforeEach
    void connect() {
        gateway = new Gateway().awaitServing();
    }

    @AfterEach
    void disconnect() {
        gateway.close();
    }
}
