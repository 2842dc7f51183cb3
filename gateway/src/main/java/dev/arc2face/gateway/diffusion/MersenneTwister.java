package dev.arc2face.gateway.diffusion;

/**
 * mt19937 (Matsumoto and Nishimura, 1998) seeded as PyTorch's CPU generator seeds it. One owner, one thread.
 */
final class MersenneTwister {
    private static final int N = 624;
    private static final int M = 397;

    private final int[] state = new int[N];
    private int next = N;

    MersenneTwister(int seed) {
        state[0] = seed;
        for (int j = 1; j < N; j++) {
            state[j] = 1812433253 * (state[j - 1] ^ (state[j - 1] >>> 30)) + j;
        }
    }

    /** The next 32 random bits. */
    int nextInt() {
        if (next == N) {
            twist();
            next = 0;
        }
        int y = state[next++];
        y ^= y >>> 11;
        y ^= (y << 7) & 0x9d2c5680;
        y ^= (y << 15) & 0xefc60000;
        return y ^ (y >>> 18);
    }

    private void twist() {
        for (int j = 0; j < N; j++) {
            int y = (state[j] & 0x80000000) | (state[(j + 1) % N] & 0x7fffffff);
            state[j] = state[(j + M) % N] ^ (y >>> 1) ^ ((y & 1) == 0 ? 0 : 0x9908b0df);
        }
    }
}
