package dev.arc2face.gateway.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class ReachTest {
    @Test
    void nobodyElseReachesAServerThatAsksNobodyUnlessTold() {
        port("127.0.0.1", false, false).check(false, false);
        port("0.0.0.0", false, false).check(true, false);
        port("0.0.0.0", false, false).check(false, true);
        for (String host : new String[] {"0.0.0.0", "10.1.2.3", "nowhere.invalid"}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> port(host, true, false).check(false, false))
                    .withMessageContainingAll("the.host is " + host, "arc2face.security.allow-anonymous=true");
        }
    }

    @Test
    void credentialsInTheClearAreWarnedOf() {
        assertThat(port("0.0.0.0", false, true).warning())
                .hasValueSatisfying(text -> assertThat(text).contains("configure the.certificate"));
        assertThat(port("0.0.0.0", true, true).warning())
                .hasValueSatisfying(text -> assertThat(text).contains("set the.plain-port=disabled"));
        assertThat(port("0.0.0.0", true, false).warning()).isEmpty();
        assertThat(port("127.0.0.1", true, true).warning()).isEmpty();
        assertThat(port("localhost", false, false).warning()).isEmpty();
    }

    private static Reach port(String host, boolean encrypted, boolean plain) {
        return Reach.of("the.host", host, "the.certificate", encrypted).beside("the.plain-port", plain);
    }
}
