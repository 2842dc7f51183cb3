"""Plots as SVG, for a page that asks nothing of the network."""

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 420, 220
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 12, 30
COLOURS = ("#2563eb", "#d97706", "#059669", "#db2777", "#7c3aed", "#475569")


def histograms(
    series: Sequence[tuple[str, Sequence[float]]], low: float, high: float, mark: float | None = None
) -> str:
    """Shares in bins between `low` and `high`, one outline for each series; `mark` is a vertical line."""
    most = max((share for _, shares in series for share in shares), default=0) or 1
    parts = [_axes(low, high, 0, most)]
    for number, (_, shares) in enumerate(series):
        points = [(low, 0.0)]
        for i, share in enumerate(shares):
            edges = (low + (high - low) * (i + side) / len(shares) for side in (0, 1))
            points += [(edge, share) for edge in edges]
        points.append((high, 0.0))
        parts.append(_line(points, (low, high), (0, most), COLOURS[number % len(COLOURS)], fill=True))
    if mark is not None:
        x = _x(mark, low, high)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#111" stroke-dasharray="4 3"/>'
        )
    return _svg(parts, [name for name, _ in series])


def lines(series: Sequence[tuple[str, Sequence[tuple[float, float | None]]]], low: float, high: float) -> str:
    """Points joined by lines, one line for each series; the ordinate goes from `low` to `high`."""
    every = [x for _, points in series for x, _ in points]
    span = (min(every), max(every)) if every else (0, 1)
    parts = [_axes(*span, low, high)]
    for number, (_, points) in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        known = [(x, y) for x, y in points if y is not None]
        parts.append(_line(known, span, (low, high), colour))
        parts += [
            f'<circle cx="{_x(x, *span):.1f}" cy="{_y(y, low, high):.1f}" r="3" fill="{colour}"/>'
            for x, y in known
        ]
    return _svg(parts, [name for name, _ in series])


def _svg(parts: Sequence[str], names: Sequence[str]) -> str:
    legend = "".join(
        f'<text x="{LEFT + 8}" y="{TOP + 12 + 14 * i}" fill="{COLOURS[i % len(COLOURS)]}">{escape(name)}</text>'
        for i, name in enumerate(names)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" font-family="sans-serif" font-size="11">{"".join(parts)}{legend}</svg>'
    )


def _axes(left: float, right: float, low: float, high: float) -> str:
    marks = []
    for i in range(5):
        x, y = (start + (end - start) * i / 4 for start, end in ((left, right), (low, high)))
        marks.append(
            f'<text x="{_x(x, left, right):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{x:.3g}</text>'
            f'<text x="{LEFT - 6}" y="{_y(y, low, high) + 4:.1f}" text-anchor="end">{y:.3g}</text>'
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_y(y, low, high):.1f}" y2="{_y(y, low, high):.1f}" '
            'stroke="#ddd"/>'
        )
    return "".join(marks)


def _line(
    points: Sequence[tuple[float, float]],
    across: tuple[float, float],
    up: tuple[float, float],
    colour: str,
    fill: bool = False,
) -> str:
    path = " ".join(f"{_x(x, *across):.1f},{_y(y, *up):.1f}" for x, y in points)
    inside = f'fill="{colour}" fill-opacity="0.15"' if fill else 'fill="none"'
    return f'<polyline points="{path}" stroke="{colour}" stroke-width="1.5" {inside}/>'


def _x(value: float, low: float, high: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * (value - low) / ((high - low) or 1)


def _y(value: float, low: float, high: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - low) / ((high - low) or 1)
