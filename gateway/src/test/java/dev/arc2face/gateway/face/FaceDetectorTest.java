package dev.arc2face.gateway.face;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.arc2face.gateway.FailureException;
import dev.arc2face.gateway.image.PhotoDecoder;
import dev.arc2face.gateway.image.Pixels;
import dev.arc2face.gateway.triton.ServedModels;
import dev.arc2face.gateway.triton.SharedTriton;
import dev.arc2face.gateway.triton.TritonExtension;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(TritonExtension.class)
class FaceDetectorTest {
    private final PhotoDecoder decoder = new PhotoDecoder(16 << 20, 50_000_000);
    private final Pixels sample = decoder.decode(Photos.sample()); // 512x512
    private final FaceDetector detector;
    private final int maxBatchSize;

    FaceDetectorTest(SharedTriton triton) {
        ServedModels models = triton.models();
        detector = new FaceDetector(models.faceDetector(), models.sizes());
        maxBatchSize = models.faceDetector().maxBatchSize();
    }

    @Test
    void findsTheOneFaceOfTheSample() {
        Detection detection = detector.detect(sample);

        assertThat(detection.truncated()).isFalse();
        assertThat(detection.faces()).singleElement().satisfies(face -> {
            assertThat(face.index()).isZero();
            assertThat(face.score()).isBetween(0.9f, 1f);
            assertThat(face.box().left()).isCloseTo(179, within(10f));
            assertThat(face.box().top()).isCloseTo(66, within(10f));
            assertThat(face.box().right()).isCloseTo(266, within(10f));
            assertThat(face.box().bottom()).isCloseTo(175, within(10f));
            assertThat(face.landmarks()).allSatisfy(point -> {
                assertThat(point.x()).isBetween(face.box().left(), face.box().right());
                assertThat(point.y()).isBetween(face.box().top(), face.box().bottom());
            });
            assertThat(face.landmarks().get(0).x())
                    .isLessThan(face.landmarks().get(1).x());
            assertThat(face.landmarks().get(3).x())
                    .isLessThan(face.landmarks().get(4).x());
            assertThat(face.landmarks().get(0).y())
                    .isLessThan(face.landmarks().get(3).y());
        });
    }

    @Test
    void seesNobodyOnAnEmptyPicture() {
        assertThat(detector.detect(new Pixels(90, 40, new byte[90 * 40 * 3])).faces())
                .isEmpty();
        assertThat(detector.detect(new Pixels(1, 1, new byte[3])).faces()).isEmpty();
    }

    @Test
    void picturesOfAChunkDoNotSeeEachOther() {
        Pixels mirrored = Photos.mirrored(sample);
        Pixels part = Photos.crop(sample, 120, 20, 230, 300);
        Pixels nobody = Photos.crop(sample, 0, 400, 112, 112);
        List<Pixels> pictures = List.of(sample, mirrored, part, nobody, mirrored, part);

        assertThat(pictures).hasSizeGreaterThan(maxBatchSize);
        assertThat(detector.detectAll(pictures))
                .isEqualTo(pictures.stream().map(detector::detect).toList());
    }

    @Test
    void facesComeByScore() {
        Pixels half = Photos.crop(sample, 100, 0, 300, 300);
        Detection detection = detector.detect(Photos.sideBySide(half, Photos.mirrored(half)));

        assertThat(detection.faces()).hasSize(2).extracting(Face::index).containsExactly(0, 1);
        assertThat(detection.faces().get(0).score())
                .isGreaterThanOrEqualTo(detection.faces().get(1).score());
    }

    @Test
    void aFaceThatFillsThePictureIsSeenWithABorderWhoseReflectionsAreNotFaces() {
        Pixels roomy = Photos.crop(sample, 130, 30, 200, 220);
        Face without = detector.detect(roomy).faces().get(0);
        Detection tight = detector.detect(Photos.crop(sample, 165, 50, 115, 140));

        assertThat(detector.detect(roomy).padded()).isFalse();
        assertThat(tight.padded()).isTrue();
        assertThat(tight.faces()).singleElement().satisfies(face -> {
            assertThat(face.box().left()).isCloseTo(without.box().left() - 35, within(12f));
            assertThat(face.box().top()).isCloseTo(without.box().top() - 20, within(12f));
            for (int i = 0; i < Face.LANDMARKS; i++) {
                assertThat(face.landmarks().get(i).x())
                        .isCloseTo(without.landmarks().get(i).x() - 35, within(3f));
                assertThat(face.landmarks().get(i).y())
                        .isCloseTo(without.landmarks().get(i).y() - 20, within(3f));
            }
        });
    }

    @Test
    void aBorderLosesNobody() {
        Pixels tight = Photos.crop(sample, 165, 50, 115, 140);
        Detection detection = detector.detect(Photos.sideBySide(tight, Photos.mirrored(tight)));

        assertThat(detection.padded()).isTrue();
        assertThat(detection.faces()).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "half", "0", "1.1", "-0.5", "NaN"})
    void aBorderForNoShareBreaksTheContract(String text) {
        assertThatExceptionOfType(FailureException.class)
                .isThrownBy(() -> FaceDetector.borderFrom("face_detector", text))
                .satisfies(failure -> assertThat(failure.metadata())
                        .containsEntry("tensor", "parameters.border_from")
                        .containsEntry("actual", text));
    }

    @Test
    void findsAFaceInEverySharedPhoto() {
        assertThat(Photos.shared()).allSatisfy(photo -> {
            Pixels pixels = decoder.decode(Photos.read(photo));
            assertThat(detector.detect(pixels).faces()).isNotEmpty();
        });
    }

    @Test
    void noPicturesNeedNoCall() {
        assertThat(detector.detectAll(Stream.<Pixels>empty().toList())).isEmpty();
    }
}
