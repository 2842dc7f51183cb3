"""Box arithmetic of a detection cascade, as parts of an ONNX graph.

Candidates of all pictures of a batch are rows of one table: their boxes [M,4] (x1 y1 x2 y2) beside
`picture` [M], the index in the batch. Nothing here mixes rows of different pictures.
"""

import numpy as np

from export.graph import Value


def sides(boxes: Value) -> tuple[Value, Value, Value, Value]:
    """x1, y1, x2, y2 [M] of boxes [M,4]."""
    return boxes.take(0, 1), boxes.take(1, 1), boxes.take(2, 1), boxes.take(3, 1)


def regress(boxes: Value, offsets: Value, extra: float) -> Value:
    """Moves each side by its offset [M,4], a fraction of the box' width or height (+ `extra` pixels)."""
    x1, y1, x2, y2 = sides(boxes)
    width, height = x2 - x1 + extra, y2 - y1 + extra
    return boxes + offsets * _columns(width, height, width, height)


def square(boxes: Value) -> Value:
    """The square about the centre with the longer side of the box."""
    x1, y1, x2, y2 = sides(boxes)
    width, height = x2 - x1, y2 - y1
    length = boxes.graph.node("Max", width, height)
    left, top = x1 + width * 0.5 - length * 0.5, y1 + height * 0.5 - length * 0.5
    return _columns(left, top, left + length, top + length)


def suppress(boxes: Value, scores: Value, iou: float, threshold: float, limit: int) -> tuple[Value, Value]:
    """Greedy non-maximum suppression of boxes [M,4] with scores [B,M], apart for each of B pictures.

    A row of scores is above `threshold` only where a box belongs to its picture. Returns the picture and the
    box of each survivor, at most `limit` a picture, by falling score within a picture.
    """
    kept = boxes.graph.node(
        "NonMaxSuppression",
        boxes.unsqueeze(0),
        scores.unsqueeze(0),
        np.int64(limit),
        np.float32(iou),
        np.float32(threshold),
    )  # [kept,3]: 0, picture, box
    return kept.take(1, 1), kept.take(2, 1)


def select(corners: tuple[Value, ...], scores: Value, iou: float, limit: int) -> tuple[Value, Value]:
    """The `limit` best survivors of greedy non-maximum suppression: which they are [B,limit], their scores [B,limit].

    `corners` x1, y1, x2, y2 and `scores` are [B,M]; a score of zero is no candidate, and marks an unused place of
    the result. Of equal scores the first wins. A box' sides are those of its pixels (x2 - x1 + 1), and the order of
    each operation is insightface's, so that a tie falls as it does there. Every shape but B is constant: no
    candidate is cut off beforehand, and TensorRT meets no loop and no size that depends on data.
    """
    graph = scores.graph
    x1, y1, x2, y2 = corners
    areas = (x2 - x1 + 1.0) * (y2 - y1 + 1.0)
    picked, best_scores = [], []
    for _ in range(limit):
        best = graph.node("ArgMax", scores, axis=1)  # [B,1]

        def of_best(value: Value, best: Value = best) -> Value:
            return graph.node("GatherElements", value, best, axis=1)

        picked.append(best)
        best_scores.append(of_best(scores))
        left, top = graph.node("Max", of_best(x1), x1), graph.node("Max", of_best(y1), y1)
        right, bottom = graph.node("Min", of_best(x2), x2), graph.node("Min", of_best(y2), y2)
        width, height = (graph.node("Max", side + 1.0, 0.0) for side in (right - left, bottom - top))
        intersection = width * height
        apart = graph.node("LessOrEqual", intersection / (of_best(areas) + areas - intersection), iou)
        scores = graph.node("Where", apart, scores, 0.0)
        scores = graph.node(
            "ScatterElements", scores, best, best_scores[-1] * 0.0, axis=1
        )  # whatever its shape
    return graph.concat(*picked, axis=1), graph.concat(*best_scores, axis=1)


def scores_by_picture(scores: Value, picture: Value, pictures: Value) -> Value:
    """Scores [M] as a table [B,M], zero where a candidate belongs to another picture."""
    graph = scores.graph
    own = graph.node("Range", 0, pictures, 1).unsqueeze(1).equals(picture)
    return graph.node("Where", own, scores, 0.0)


def suppress_contained(boxes: Value, scores: Value, picture: Value, overlap: float) -> Value:
    """Greedy suppression where the intersection exceeds `overlap` of the *smaller* box; 1 for survivors [M].

    A box falls if a survivor of a better score (or an equal one, and earlier) covers it. Repeating that rule
    from "all survive" reaches the greedy result: a box whose betters are settled is settled one step later.
    """
    graph = boxes.graph
    x1, y1, x2, y2 = sides(boxes)

    def across(operator: str, side: Value) -> Value:
        return graph.node(operator, side.unsqueeze(1), side.unsqueeze(0))

    width = across("Min", x2) - across("Max", x1) + 1.0
    height = across("Min", y2) - across("Max", y1) + 1.0
    intersection = graph.node("Relu", width) * graph.node("Relu", height)
    smaller = across("Min", (x2 - x1 + 1.0) * (y2 - y1 + 1.0))
    count = graph.node("Size", scores)
    earlier = across("Less", graph.node("Range", 0, count, 1))
    better = graph.node("Or", across("Greater", scores), across("Equal", scores) & earlier)
    covers = (intersection / smaller > overlap) & better & across("Equal", picture)
    covers = covers.cast(np.float32)  # [better,worse]

    def survivors(alive: Value) -> Value:
        hits = alive.graph.node("Mul", covers, alive.unsqueeze(1)).sum(0)
        return alive.graph.node("Equal", hits, 0.0).cast(np.float32)

    return graph.iterate(survivors, scores * 0.0 + 1.0, count)


def _columns(*columns: Value) -> Value:
    return columns[0].graph.node("Concat", *(column.unsqueeze(1) for column in columns), axis=1)
