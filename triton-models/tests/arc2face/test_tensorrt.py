"""Which graphs TensorRT takes, as far as its published operator list and shape inference tell."""

from pathlib import Path

import onnx.parser
import pytest

from export.arc2face import tensorrt

MINI = Path(__file__).parents[2] / "mini"


def inferred(text: str, opset: int = 17) -> onnx.ModelProto:
    """A graph in onnx's text form, for a batch of 2 rows."""
    return tensorrt.at_batch(
        onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": {opset}]> {text}'), 2
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("g (float[B,6,6] x) => (float[B] y) { y = Det(x) }", "operator ai.onnx.Det is not supported"),
        (
            "g (float[B,6] x) => (float[B,6] y) { d = Cast<to=11>(x) y = Cast<to=1>(d) }",
            "operator Cast does not take 11",
        ),
        (
            "g (uint8[B,2,3] x) => (float[B,3,2] y) { t = Transpose<perm=[0,2,1]>(x) y = Cast<to=1>(t) }",
            "operator Transpose does not take UINT8",
        ),
        (
            "g (float[B,6] x) => (float[B,6] y) { i = Cast<to=2>(x) y = Cast<to=1>(i) }",
            "'i' is UINT8 inside the graph",
        ),
        (
            "g (float[B,6] x, int64[B] i) => (float[B] y) { y = ReduceSum<keepdims=0>(x, i) }",
            "input 1 of ReduceSum is not a constant",
        ),
        (
            "g (float[B,3,6] x) => (float[B,3,5] y, int64[B,3,5] z) { y, z = MaxPool<kernel_shape=[2]>(x) }",
            "MaxPool has a second output",
        ),
        (
            'g (float[B,6] x) => (float[B,12] y) <float[2] s = {1.0,2.0}> { y = Resize<mode="cubic">(x, , s) }',
            "Resize has mode cubic",
        ),
    ],
    ids=["operator", "type", "bytes", "bytes inside", "axes", "outputs", "attribute"],
)
def test_reason_for_a_refusal_is_told(text: str, reason: str) -> None:
    assert reason in tensorrt.refusals(inferred(text))


def test_opset_has_to_be_one_that_it_knows() -> None:
    text = "g (float[B,6] x) => (float[B,6] y) { y = Relu(x) }"
    assert tensorrt.refusals(inferred(text, opset=20)) == []
    assert tensorrt.refusals(inferred(text, opset=21)) == ["opset 21, TensorRT takes 9 to 20"]


def test_bytes_may_come_in_and_go_out() -> None:
    text = "g (uint8[B,6] x) => (uint8[B,6] y) { f = Cast<to=1>(x) r = Relu(f) y = Cast<to=2>(r) }"
    assert tensorrt.refusals(inferred(text)) == []


def test_shape_that_depends_on_the_data_is_unknown() -> None:
    text = "g (float[B,6] x) => (float[B,N] y) { i = NonZero(x) y = Cast<to=1>(i) }"
    assert tensorrt.unknown_shapes(inferred(text))[0] == "NonZero gives 'i' an unknown shape"


def test_memory_is_that_of_what_lives_at_one_time() -> None:
    """x [2,6] is read again at the end, a is free after b: at most three at once."""
    text = "g (float[B,6] x) => (float[B,6] y) { a = Relu(x) b = Relu(a) y = Add(b, x) }"
    assert tensorrt.live_bytes(inferred(text)) == 3 * 2 * 6 * 4


def test_operators_of_the_mini_profile_are_supported_but_for_its_detectors() -> None:
    """They are why a detector stays in ONNX Runtime."""
    refused = {
        path.parents[1].name: tensorrt.refusals(tensorrt.at_batch(tensorrt.load(path), 1))
        for path in sorted(MINI.glob("*/1/model.onnx"))
    }
    assert "operator ai.onnx.Compress is not supported" in refused.pop("face_detector")
    assert refused == {model: [] for model in ("arcface", "encoder", "unet", "unet_lcm", "vae_decoder")}
