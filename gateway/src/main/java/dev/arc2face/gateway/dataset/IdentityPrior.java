package dev.arc2face.gateway.dataset;

import dev.arc2face.gateway.dataset.DatasetException.Problem;
import dev.arc2face.gateway.diffusion.Noise;
import dev.arc2face.gateway.face.Embedding;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Where a recogniser's embeddings of faces lie. A random point of the sphere is no face: the embeddings of faces fill a
 * part of few dimensions, and the networks that draw know nothing else. Theirs is described as Arc2Face does it, by mean and
 * principal components of unit embeddings; a draw from that normal distribution is brought to unit length.
 *
 * @param recogniserId the recogniser whose embeddings these are
 * @param mean {@code [D]}
 * @param factors {@code [K,D]}: principal components, each as long as the standard deviation along it
 * @param sha256 of the file
 */
public record IdentityPrior(String recogniserId, float[] mean, List<float[]> factors, String sha256) {
    /**
     * Reads what {@code python -m training.identity_prior} writes: an {@code .npz} with {@code recogniser_id}, {@code mean}
     * and {@code factors}.
     *
     * @param name of the file, for messages
     * @throws DatasetException PRIOR_UNREADABLE
     */
    public static IdentityPrior read(String name, byte[] npz) {
        try {
            Map<String, byte[]> arrays = arrays(npz);
            String recogniserId = array(arrays.get("recogniser_id.npy")).text();
            Npy mean = array(arrays.get("mean.npy"));
            Npy factors = array(arrays.get("factors.npy"));
            int size = mean.shape().size() == 1 ? mean.shape().get(0) : 0;
            if (size == 0 || factors.shape().size() != 2 || factors.shape().get(1) != size) {
                throw new IOException("the shapes of mean and factors are " + mean.shape() + " and " + factors.shape()
                        + ", not [D] and [K, D]");
            }
            float[] meanValues = mean.floats(size);
            List<float[]> factorRows = new ArrayList<>();
            for (int i = 0; i < factors.shape().get(0); i++) {
                factorRows.add(factors.floats(size));
            }
            return new IdentityPrior(recogniserId, meanValues, List.copyOf(factorRows), Hashes.sha256(npz));
        } catch (IOException broken) {
            throw new DatasetException(
                    Problem.PRIOR_UNREADABLE,
                    name + " is no identity prior; `python -m training.identity_prior` makes one: "
                            + broken.getMessage());
        }
    }

    private static Map<String, byte[]> arrays(byte[] npz) throws IOException {
        Map<String, byte[]> arrays = new HashMap<>();
        try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(npz))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                arrays.put(entry.getName(), zip.readAllBytes());
            }
        }
        return arrays;
    }

    private static Npy array(byte @Nullable [] content) throws IOException {
        if (content == null) {
            throw new IOException("an array is missing");
        }
        InputStream bytes = new ByteArrayInputStream(content);
        return new Npy(bytes);
    }

    /** D. */
    public int embeddingSize() {
        return mean.length;
    }

    /** Somebody who does not exist; the same noise gives the same one. */
    Embedding draw(Noise noise) {
        float[] along = noise.draw(factors.size()); // [K]
        double[] sum = new double[mean.length]; // [D]
        for (int i = 0; i < sum.length; i++) {
            sum[i] = mean[i];
        }
        for (int k = 0; k < along.length; k++) {
            float[] factor = factors.get(k);
            for (int i = 0; i < sum.length; i++) {
                sum[i] += (double) along[k] * factor[i];
            }
        }
        float[] values = new float[sum.length];
        for (int i = 0; i < sum.length; i++) {
            values[i] = (float) sum[i];
        }
        return Embedding.normalise(values);
    }
}
