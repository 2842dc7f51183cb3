package dev.arc2face.gateway;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Packages are stations on the way of the data: each knows only those before it. */
class ArchitectureTest {
    private static final String ROOT = "dev.arc2face.gateway";
    private static final List<String> STATIONS = List.of(
            "config",
            "image",
            "provenance",
            "triton",
            "face",
            "diffusion",
            "dataset",
            "admission",
            "security",
            "receipt",
            "grpc",
            "http",
            "cli");

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(ROOT);

    @TestFactory
    Stream<DynamicTest> stationKnowsOnlyThoseBeforeIt() {
        return STATIONS.stream()
                .map(station -> DynamicTest.dynamicTest(station, () -> {
                    String[] later = STATIONS.subList(STATIONS.indexOf(station) + 1, STATIONS.size()).stream()
                            .map(ArchitectureTest::in)
                            .toArray(String[]::new);
                    check(noClasses()
                            .that()
                            .resideInAPackage(in(station))
                            .should()
                            .dependOnClassesThat(resideInAnyPackage(later)));
                }));
    }

    @Test
    void rootKnowsNoStation() {
        check(noClasses()
                .that()
                .resideInAPackage(ROOT)
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        STATIONS.stream().map(ArchitectureTest::in).toArray(String[]::new))));
    }

    @Test
    void everyPackageIsAStation() {
        String[] known = Stream.concat(Stream.of(ROOT), STATIONS.stream().map(ArchitectureTest::in))
                .toArray(String[]::new);
        check(classes().should().resideInAnyPackage(known));
    }

    @Test
    void onlyTheTritonStationSpeaksTheInferenceProtocol() {
        check(noClasses()
                .that()
                .resideOutsideOfPackage(in("triton"))
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.arc2face.inference.."));
    }

    @Test
    void publicApiAppearsAtTheEdgesOnly() {
        check(noClasses()
                .that()
                .resideInAnyPackage(
                        in("config"),
                        in("image"),
                        in("provenance"),
                        in("triton"),
                        in("face"),
                        in("diffusion"),
                        in("dataset"),
                        in("admission"),
                        in("security"))
                .should()
                .dependOnClassesThat()
                .resideInAPackage("dev.arc2face.v1.."));
    }

    private static void check(ArchRule rule) {
        rule.allowEmptyShould(true).check(CLASSES);
    }

    private static String in(String station) {
        return ROOT + "." + station + "..";
    }
}
