"""Area resampling from an integral image: exact integer sums, so that no order of summation can change a bit.

The cells are those of torch's adaptive average pooling: cell i of `size` over n pixels reaches from
floor(i n / size) to ceil((i+1) n / size).
"""

import numpy as np

from export.graph import Value


def integral(image: Value) -> Value:
    """Pixels [B,S,S,3] uint8 -> sums [B,S+1,S+1,3] int32 over all pixels above and to the left."""
    graph = image.graph
    padded = graph.node("Pad", image.cast(np.int32), np.array([0, 0, 0, 0, 0, 1, 1, 0]))
    rows = graph.node("CumSum", padded, np.int64(1), exclusive=1)
    return graph.node("CumSum", rows, np.int64(2), exclusive=1)


def shrink(sums: Value, source: int, size: int) -> Value:
    """The whole picture of source x source pixels -> means [B,3,size,size] float32."""
    index = np.arange(size)
    low, high = index * source // size, -((-(index + 1)) * source // size)
    rows = sums.take(high, 1) - sums.take(low, 1)
    cells = rows.take(high, 2) - rows.take(low, 2)
    area = np.multiply.outer(high - low, high - low).astype(np.float32)
    return (cells.cast(np.float32) / area[:, :, None]).transpose(0, 3, 1, 2)


def crop(sums: Value, source: int, picture: Value, corners: tuple[Value, ...], size: int) -> Value:
    """Rectangles (left, top, right, bottom; each [M] int64) of `picture` [M] -> means [M,3,size,size]."""
    left, top, right, bottom = corners
    index = np.arange(size)
    pitch = source + 1
    table = sums.reshape(-1, 3)

    def cells(start: Value, end: Value) -> tuple[Value, Value]:
        """First pixel and end of each cell, [M,size]."""
        length = (end - start).unsqueeze(1)
        low = length * index / size
        high = (length * (index + 1) + (size - 1)) / size
        return start.unsqueeze(1) + low, start.unsqueeze(1) + high

    (x1, x2), (y1, y2) = cells(left, right), cells(top, bottom)
    base = picture.unsqueeze(1) * pitch
    upper, lower = ((base + y) * pitch for y in (y1, y2))

    def corner(row: Value, x: Value) -> Value:
        return table.take(row.unsqueeze(2) + x.unsqueeze(1), 0)  # [M,size,size,3]

    total = corner(lower, x2) - corner(upper, x2) - (corner(lower, x1) - corner(upper, x1))
    area = (y2 - y1).unsqueeze(2) * (x2 - x1).unsqueeze(1)
    return (total.cast(np.float32) / area.unsqueeze(3).cast(np.float32)).transpose(0, 3, 1, 2)
