package dev.arc2face.gateway.triton;

import static java.util.concurrent.TimeUnit.MINUTES;
import static org.assertj.core.api.Assertions.assertThat;

import dev.arc2face.gateway.triton.Addresses.Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;

class AddressesTest {
    private final BlockingQueue<Set<Address>> found = new LinkedBlockingQueue<>();

    @Test
    void aNameStandsForAllItsAddresses() throws InterruptedException {
        assertThat(find("triton:8001"))
                .containsExactly(
                        address("10.0.0.1:8001", "triton:8001"), address("[fd00:0:0:0:0:0:0:1]:8001", "triton:8001"));
        assertThat(find("dns:///triton:8001")).isEqualTo(find("triton:8001"));
    }

    @Test
    void anAddressStandsForItself() throws InterruptedException {
        assertThat(find("127.0.0.1:8001")).containsExactly(address("127.0.0.1:8001", "127.0.0.1:8001"));
        assertThat(find("[::1]:8001")).containsExactly(address("[0:0:0:0:0:0:0:1]:8001", "[::1]:8001"));
    }

    @Test
    void whatIsNoNameIsLeftToGrpc() throws InterruptedException {
        assertThat(find("unix:///run/triton.sock"))
                .containsExactly(new Address("unix:///run/triton.sock", Optional.empty()));
    }

    @Test
    void anUnknownNameStandsForNothing() throws InterruptedException {
        assertThat(find("nobody:8001", "127.0.0.1:8001")).containsExactly(address("127.0.0.1:8001", "127.0.0.1:8001"));
    }

    @Test
    void aNameThatCannotBeLookedUpAnyMoreStandsForWhatItDid() throws InterruptedException {
        BlockingQueue<InetAddress[]> answers = new LinkedBlockingQueue<>();
        answers.add(lookUpOrFail("triton"));
        try (Addresses addresses = new Addresses(
                List.of("triton:8001"),
                Duration.ofMillis(1),
                host -> {
                    InetAddress[] answer = answers.poll();
                    if (answer == null) {
                        throw new UnknownHostException(host);
                    }
                    return answer;
                },
                found::add)) {
            addresses.watch();
            Set<Address> first = next();
            assertThat(first).hasSize(2);
            assertThat(next()).isEqualTo(first);
            assertThat(next()).isEqualTo(first);
        }
    }

    private Set<Address> find(String... targets) throws InterruptedException {
        try (Addresses addresses =
                new Addresses(List.of(targets), Duration.ofDays(1), AddressesTest::lookUp, found::add)) {
            addresses.watch();
            return next();
        }
    }

    private Set<Address> next() throws InterruptedException {
        Set<Address> next = found.poll(1, MINUTES);
        assertThat(next).isNotNull();
        return next;
    }

    private static Address address(String target, String authority) {
        return new Address(target, Optional.of(authority));
    }

    private static InetAddress[] lookUp(String host) throws UnknownHostException {
        Map<String, String> known = Map.of("127.0.0.1", "127.0.0.1", "[::1]", "::1");
        return switch (host) {
            case "triton" -> new InetAddress[] {InetAddress.getByName("10.0.0.1"), InetAddress.getByName("fd00::1")};
            case "127.0.0.1", "[::1]" -> new InetAddress[] {InetAddress.getByName(known.get(host))};
            default -> throw new UnknownHostException(host);
        };
    }

    private static InetAddress[] lookUpOrFail(String host) {
        try {
            return lookUp(host);
        } catch (UnknownHostException unknown) {
            throw new IllegalArgumentException(unknown);
        }
    }
}
