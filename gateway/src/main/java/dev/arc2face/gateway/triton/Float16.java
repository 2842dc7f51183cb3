package dev.arc2face.gateway.triton;

/**
 * IEEE 754 binary16: 1 sign bit, 5 bits of exponent (bias 15), 10 of fraction. Java has had this conversion since 20
 * only.
 */
public final class Float16 {
    private Float16() {}

    /** The nearest half; ties go to the even one, from 65520 on to infinity. A NaN stays one, with its upper bits. */
    public static short fromFloat(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = (bits >>> 16) & 0x8000;
        int magnitude = bits & 0x7fff_ffff;
        if (magnitude > 0x7f80_0000) { // NaN; bit 9 keeps it one where the upper bits are zero
            int fraction = (magnitude >>> 13) & 0x3ff;
            return (short) (sign | 0x7c00 | (fraction == 0 ? 0x200 : fraction));
        }
        if (magnitude >= 0x4780_0000) { // 65536 and more
            return (short) (sign | 0x7c00);
        }
        if (magnitude >= 0x3880_0000) { // 2^-14, the smallest normal half: a carry goes on into the exponent
            return (short) (sign | roundShift(magnitude - (112 << 23), 13));
        }
        if (magnitude <= 0x3300_0000) { // 2^-25, half of the smallest half: the tie goes to zero
            return (short) sign;
        }
        int fraction = (magnitude & 0x7f_ffff) | 0x80_0000;
        return (short) (sign | roundShift(fraction, 126 - (magnitude >>> 23)));
    }

    /** The same number, exactly. */
    public static float toFloat(short half) {
        int sign = (half & 0x8000) << 16;
        int exponent = (half >>> 10) & 0x1f;
        int fraction = half & 0x3ff;
        if (exponent == 0) { // zero or subnormal: a multiple of 2^-24
            float magnitude = fraction * 0x1p-24f;
            return sign == 0 ? magnitude : -magnitude;
        }
        int biased = exponent == 0x1f ? 0xff : exponent + 112;
        return Float.intBitsToFloat(sign | (biased << 23) | (fraction << 13));
    }

    /** {@code value / 2^shift}, rounded to nearest, ties to even; 1 <= shift <= 24. */
    private static int roundShift(int value, int shift) {
        int odd = (value >>> shift) & 1;
        return (value + (1 << (shift - 1)) - 1 + odd) >>> shift;
    }
}
