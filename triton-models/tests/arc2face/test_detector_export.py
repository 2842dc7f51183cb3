"""`export.arc2face.face_detector` against insightface's own SCRFD class, and against itself in other company."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
from insightface.model_zoo.scrfd import SCRFD

from evaluation.parity.face_stage import FaceStage
from export.arc2face import face_detector
from export.arc2face.layout import Layout
from export.config import Tensor
from export.graph import Graph
from tests import pictures
from tests.rows import check_rows_alone_and_together, session

SIDE = 320
CELLS = [(SIDE // stride) ** 2 * 2 for stride in (8, 16, 32)]
ALL = sum(CELLS)  # anchors
SQUARES = pictures.squares()


@pytest.fixture(scope="session")
def source(published: Path) -> Path:
    return Layout(published).detector


@pytest.fixture(scope="session")
def folder(exported: Path) -> Path:
    return exported / "face_detector"


@pytest.fixture(scope="session")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> onnxruntime.InferenceSession:
    """What the export puts behind a network, as a graph of its own."""
    inputs = [
        Tensor(f"{name}_{i}", "FP32", (cells, values))
        for name, values in (("score", 1), ("box", 4), ("landmarks", 10))
        for i, cells in enumerate(CELLS)
    ]
    graph = Graph()
    face_detector.decode([graph.value(tensor.name) for tensor in inputs], SIDE)
    folder = tmp_path_factory.mktemp("decoder")
    graph.save(folder / "1" / "model.onnx", "decoder", inputs, face_detector.OUTPUTS, "")
    return session(folder)


class Answers:
    """Answers of a network, crafted: scores [M], distances [M,4] and offsets [M,10] of all anchors."""

    def __init__(self, scores: np.ndarray, distances: np.ndarray, offsets: np.ndarray) -> None:
        ends = np.cumsum(CELLS)[:-1]
        parts = scores.reshape(-1, 1), distances, offsets
        self.tensors = [t.astype(np.float32) for part in parts for t in np.split(part, ends)]

    def by_insightface(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Boxes, scores and landmarks that insightface's detector makes of them."""
        names = [str(i) for i in range(9)]
        network = SimpleNamespace(
            get_inputs=lambda: [SimpleNamespace(name="input.1", shape=[1, 3, SIDE, SIDE])],
            get_outputs=lambda: [
                SimpleNamespace(name=n, shape=t.shape) for n, t in zip(names, self.tensors, strict=True)
            ],
            run=lambda *_: self.tensors,
        )
        found, landmarks = SCRFD(session=network).detect(np.zeros((SIDE, SIDE, 3), np.uint8))
        return found[:, :4], found[:, 4], landmarks

    def by_us(self, decoder: onnxruntime.InferenceSession) -> list[np.ndarray]:
        names = [value.name for value in decoder.get_inputs()]
        return decoder.run(None, {n: t[None] for n, t in zip(names, self.tensors, strict=True)})


def crafted(case: str) -> Answers:
    random = np.random.default_rng(3)
    distances, offsets = random.uniform(0.5, 4, (ALL, 4)), random.normal(0, 1, (ALL, 10))
    scores = np.zeros(ALL)
    match case:
        case "none":
            scores = random.uniform(0, 0.4999, ALL)
        case "one":
            scores[777] = 0.9
        case "two":
            scores[[100, 3900]] = 0.6, 0.8
        case "exactly at the threshold":
            scores[[5, 1500, 4100]] = 0.5, np.nextafter(np.float32(0.5), np.float32(0)), 0.5
        case "many":
            scores[random.choice(ALL, 500, replace=False)] = random.uniform(0.5, 1, 500)
        case "all":
            scores = random.uniform(0.5, 1, ALL)
        case "overlapping":
            # Boxes of some sixty pixels around three centres, from anchors of every stride.
            centres = np.array([[90, 90], [120, 100], [230, 200]])
            places = face_detector._centres(SIDE)
            near = random.choice(ALL, 400, replace=False)
            scores[near] = random.uniform(0.4, 1, 400)
            strides = np.repeat([8, 16, 32], CELLS)[near, None]
            corners = centres[random.integers(0, 3, 400)].repeat(2, axis=0).reshape(-1, 4)
            corners = corners + random.normal(0, 6, (400, 4)) + [-30, -30, 30, 30]
            sign = np.array([1, 1, -1, -1])
            distances[near] = (np.tile(places[near], 2) - corners) * sign / strides
        case "equal scores":
            scores[random.choice(ALL, 300, replace=False)] = random.choice([0.5, 0.75, 0.875], 300)
            distances = np.round(distances)
        case "inside out":
            distances = random.normal(0, 3, (ALL, 4))
            scores[random.choice(ALL, 200, replace=False)] = random.uniform(0.5, 1, 200)
    return Answers(scores, distances, offsets)


CASES = (
    "none", "one", "two", "exactly at the threshold", "many", "all", "overlapping", "equal scores", "inside out",
)  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_same_answers_give_the_same_faces_as_insightface(
    case: str, decoder: onnxruntime.InferenceSession
) -> None:
    answers = crafted(case)
    expected = [values[: face_detector.FACES] for values in answers.by_insightface()]
    found = [values[0] for values in answers.by_us(decoder)]
    count = len(expected[1])
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours[:count], theirs)
        assert not ours[count:].any()


def test_the_crafted_answers_are_what_they_are_called() -> None:
    counts = {case: len(crafted(case).by_insightface()[1]) for case in CASES}
    assert (counts["none"], counts["one"], counts["two"], counts["exactly at the threshold"]) == (0, 1, 2, 2)
    assert min(counts["many"], counts["all"]) > face_detector.FACES
    assert 3 <= counts["overlapping"] < 60


# Not noise: there many scores are 1, and the rounding of the network decides which comes first.
@pytest.mark.parametrize("name", [name for name in SQUARES if name != "noise"])
def test_a_picture_has_the_faces_that_insightface_finds(
    name: str, insightface: FaceStage, folder: Path
) -> None:
    boxes, scores, landmarks = (
        values[0] for values in session(folder).run(None, {"image": SQUARES[name][None]})
    )
    found, points = insightface.detector.detect(SQUARES[name][..., ::-1])
    count = min(len(found), face_detector.FACES)
    assert (scores > 0).sum() == count
    np.testing.assert_allclose(scores[:count], found[:count, 4], atol=1e-5)
    assert (iou(boxes[:count], found[:count, :4]) > 0.99).all()
    np.testing.assert_allclose(landmarks[:count], points[:count], atol=0.05)


def test_pictures_have_no_face_and_some(folder: Path) -> None:
    detector = session(folder)
    counts = {
        name: int((detector.run(None, {"image": SQUARES[name][None]})[1] > 0).sum()) for name in SQUARES
    }
    assert counts["black"] == 0
    assert 1 <= counts["whole"] <= 64


@pytest.mark.parametrize("threads", [1, 2])
def test_rows_do_not_depend_on_their_batch(threads: int, folder: Path) -> None:
    check_rows_alone_and_together(folder, np.stack([*SQUARES.values()]), face_detector.MAX_BATCH, threads)


def test_half_precision_finds_the_same_faces(source: Path, folder: Path, tmp_path: Path) -> None:
    face_detector.export(source, tmp_path, "fp16")
    weights = onnx.load(tmp_path / "1" / "model.onnx").graph.initializer
    assert {w.data_type for w in weights if len(w.dims) == 4} == {onnx.TensorProto.FLOAT16}
    picture = {"image": SQUARES["whole"][None]}
    boxes, scores, _ = (v[0] for v in session(folder).run(None, picture))
    halves = session(tmp_path).run(None, picture)[0][0]
    found = [iou(box, halves).max() > 0.9 for box in boxes[scores > 0.6]]
    assert np.mean(found) > 0.95  # where two anchors see one face, rounding may prefer the other


def test_shapes_depend_on_the_batch_alone(folder: Path) -> None:
    model = onnx.shape_inference.infer_shapes(
        onnx.load(folder / "1" / "model.onnx"), strict_mode=True, data_prop=True
    )
    shapes = {value.name: value.type.tensor_type.shape.dim for value in model.graph.value_info}
    for node in model.graph.node:
        assert node.op_type not in ("Shape", "Loop", "If", "NonMaxSuppression", "NonZero", "Compress")
        for name in node.output:
            sizes = shapes.get(name, [])
            assert sum(not size.dim_value for size in sizes) <= 1, (node.name, name)


def test_a_file_that_leaves_the_size_open_is_taken_at_640(source: Path, tmp_path: Path) -> None:
    model = onnx.load(source)
    for size in model.graph.input[0].type.tensor_type.shape.dim[2:]:
        size.dim_param = "?"
    onnx.save(model, tmp_path / "open.onnx")
    face_detector.export(tmp_path / "open.onnx", tmp_path / "face_detector", "fp32")
    detector = session(tmp_path / "face_detector")
    assert detector.get_inputs()[0].shape[1:] == [640, 640, 3]
    picture = pictures.resize(pictures.portrait(), 640, 640)
    boxes, scores, _ = (values[0] for values in detector.run(None, {"image": picture[None]}))
    found, _ = SCRFD(str(tmp_path / "open.onnx")).detect(picture[..., ::-1], input_size=(640, 640))
    count = min(len(found), face_detector.FACES)
    assert (scores > 0).sum() == count > 0
    assert (iou(boxes[:count], found[:count, :4]) > 0.99).all()


def test_another_file_is_refused_by_name(published: Path, tmp_path: Path) -> None:
    recogniser = published / "antelopev2" / "arcface.onnx"
    with pytest.raises(ValueError, match=r"arcface\.onnx: has 1 inputs and 1 outputs, not 1 and 9"):
        face_detector.export(recogniser, tmp_path, "fp32")


def test_config_says_what_the_gateway_needs(folder: Path) -> None:
    config = (folder / "config.pbtxt").read_text()
    assert 'key: "score_threshold" value { string_value: "0.5" }' in config
    assert 'key: "profile" value { string_value: "arc2face" }' in config
    assert "max_batch_size: 4" in config


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of boxes [...,4], row by row."""
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.prod(sides.clip(0), axis=-1)
    areas = [np.prod(boxes[..., 2:] - boxes[..., :2], axis=-1) for boxes in (a, b)]
    return shared / (areas[0] + areas[1] - shared)
