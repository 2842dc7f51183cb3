package dev.arc2face.gateway.triton;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class Float16Test {
    private static final int POSITIVE_INFINITY = 0x7c00;
    private static final float LARGEST = 65504;

    @Test
    void everyHalfSurvivesTheWayToFloatAndBack() {
        for (int half = 0; half < 0x1_0000; half++) {
            assertThat(Float16.fromFloat(Float16.toFloat((short) half)))
                    .as("half %04x", half)
                    .isEqualTo((short) half);
        }
    }

    @Test
    void everyHalfIsTheNumberThatItsBitsSay() {
        for (int half = 0; half < 0x1_0000; half++) {
            float value = Float16.toFloat((short) half);
            if (isNan(half)) {
                assertThat(value).as("half %04x", half).isNaN();
            } else {
                // Raw bits: -0 is not 0.
                assertThat(Float.floatToRawIntBits(value))
                        .as("half %04x", half)
                        .isEqualTo(Float.floatToRawIntBits((float) valueOf(half)));
            }
        }
    }

    @Test
    void everyPairOfNeighboursIsParted() {
        for (int half = 0; half < POSITIVE_INFINITY; half++) {
            double below = valueOf(half);
            // The neighbour of the largest half would be 65536, were there another exponent.
            double above = half + 1 == POSITIVE_INFINITY ? 65536 : valueOf(half + 1);
            float middle = (float) ((below + above) / 2); // exact: a float has 13 bits more
            int even = half % 2 == 0 ? half : half + 1;
            assertRounded(middle, even);
            assertRounded(Math.nextDown(middle), half);
            assertRounded(Math.nextUp(middle), half + 1);
        }
    }

    @Test
    void whatIsTooLargeIsInfinite() {
        assertRounded(LARGEST, 0x7bff);
        assertRounded(65536, POSITIVE_INFINITY);
        assertRounded(Float.MAX_VALUE, POSITIVE_INFINITY);
        assertRounded(Float.POSITIVE_INFINITY, POSITIVE_INFINITY);
    }

    @Test
    void whatIsTooSmallIsZero() {
        assertRounded(Float.MIN_VALUE, 0);
        assertRounded(Float.MIN_NORMAL, 0);
        assertRounded(0x1p-25f, 0);
        assertRounded(Math.nextUp(0x1p-25f), 1);
    }

    @Test
    void notANumberStaysOneWhateverItsBits() {
        for (int bits : new int[] {0x7fc0_0000, 0x7f80_0001, 0x7fff_ffff, 0xff80_0001, 0xffc0_1234}) {
            short half = Float16.fromFloat(Float.intBitsToFloat(bits));
            assertThat(isNan(half & 0xffff)).as("float %08x", bits).isTrue();
            assertThat(half < 0).as("sign of %08x", bits).isEqualTo(bits < 0);
        }
    }

    private static void assertRounded(float value, int half) {
        assertThat(Float16.fromFloat(value)).as("%a", value).isEqualTo((short) half);
        assertThat(Float16.fromFloat(-value)).as("%a", -value).isEqualTo((short) (half | 0x8000));
    }

    private static boolean isNan(int half) {
        return (half & 0x7fff) > POSITIVE_INFINITY;
    }

    /** The definition of binary16, in double precision. */
    private static double valueOf(int half) {
        int exponent = (half >> 10) & 0x1f;
        int fraction = half & 0x3ff;
        double magnitude = exponent == 0
                ? fraction * 0x1p-24
                : exponent == 0x1f ? Double.POSITIVE_INFINITY : (1 + fraction / 1024.0) * Math.pow(2, exponent - 15);
        return half < 0x8000 ? magnitude : -magnitude;
    }
}
