"""Writes the report: Markdown, one HTML page that needs nothing beside it, and every plot as SVG."""

import html
import io
import re
from collections.abc import Sequence
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from loadtest.bench.section import Line, Plot, Section, Table

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 0.9rem; display: block; overflow-x: auto; }
th, td { border-bottom: 1px solid #ddd; padding: 0.25rem 0.7rem; text-align: left; }
caption, .caption { text-align: left; color: #555; font-size: 0.9rem; }
.no { color: #b00020; font-weight: 600; } .yes { color: #1b6e35; }
svg { max-width: 100%; height: auto; }
"""
HEADER = ("what", "required", "measured", "")


def write(sections: Sequence[Section], machine: Table, folder: Path) -> None:
    """Writes report.md, report.html and plots/ into the folder."""
    plots = folder / "plots"
    plots.mkdir(parents=True, exist_ok=True)
    for stale in plots.glob("*.svg"):
        stale.unlink()
    markdown, page = [], []
    lines = [line for section in sections for line in section.lines]
    met = f"{sum(line.met for line in lines)} of {len(lines)} lines are met."
    markdown += ["# Load report", "", met, "", *_markdown(machine), *_markdown(_summary(lines))]
    page += ["<h1>Load report</h1>", f"<p>{met}</p>", _html(machine), _html(_summary(lines))]
    for section in sections:
        markdown += [f"## {section.title}", "", section.text.strip(), ""]
        page += [f"<h2>{html.escape(section.title)}</h2>", *_paragraphs(section.text)]
        for table in section.tables:
            markdown += _markdown(table)
            page.append(_html(table))
        for plot in section.plots:
            drawn = svg(plot)
            name = "".join(c if c.isalnum() else "-" for c in plot.title.lower()).strip("-") + ".svg"
            (plots / name).write_text(drawn)
            markdown += [f"![{plot.title}](plots/{name})", ""]
            page.append(f"<figure>{drawn[drawn.index('<svg') :]}</figure>")
    (folder / "report.md").write_text("\n".join(markdown))
    body = "\n".join(page)
    (folder / "report.html").write_text(
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Load report</title>'
        f"<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _summary(lines: Sequence[Line]) -> Table:
    rows = [(line.claim, line.required, line.measured, "yes" if line.met else "**no**") for line in lines]
    return Table("What it must show", HEADER, rows)


def _markdown(table: Table) -> list[str]:
    def row(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    return [
        *([table.caption, ""] if table.caption else []),
        row(table.header),
        row(["---"] * len(table.header)),
        *map(row, table.rows),
        "",
    ]


def _html(table: Table) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}{_class(cell)}>{_inline(cell)}</{tag}>" for cell in cells) + "</tr>"

    rows = "\n".join(row(cells, "td") for cells in table.rows)
    caption = f'<p class="caption">{_inline(table.caption)}</p>' if table.caption else ""
    return f"{caption}<table>\n{row(table.header, 'th')}\n{rows}\n</table>"


def _class(cell: str) -> str:
    return {"yes": ' class="yes"', "**no**": ' class="no"'}.get(cell, "")


def _paragraphs(text: str) -> list[str]:
    """Paragraphs and lists of a docstring."""
    parts = []
    for block in text.strip().split("\n\n"):
        if block.startswith("- "):
            items = block[2:].split("\n- ")
            parts.append("<ul>" + "".join(f"<li>{_inline(item)}</li>" for item in items) + "</ul>")
        else:
            parts.append(f"<p>{_inline(block)}</p>")
    return parts


def _inline(text: str) -> str:
    """Emphasis and code as Markdown has them."""
    escaped = html.escape(text, quote=False)
    for mark, tag in ((r"\*\*", "strong"), ("`", "code"), (r"\*", "em")):
        escaped = re.sub(rf"{mark}(.+?){mark}", rf"<{tag}>\1</{tag}>", escaped, flags=re.DOTALL)
    return escaped


def svg(plot: Plot) -> str:
    """A figure whose bytes depend on the plot alone."""
    figure = Figure(figsize=(7.5, 4), layout="constrained")
    axes = figure.subplots()
    for name, points in plot.series.items():
        x, y = zip(*points, strict=True)
        if plot.bars:
            axes.bar(x, y, width=0.8, label=name)
        else:
            axes.plot(x, y, marker="o", label=name)
    if plot.log_x:
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.set_xticks(sorted({x for points in plot.series.values() for x, _ in points}))
    axes.set_ylim(bottom=0)
    axes.set(title=plot.title, xlabel=plot.x, ylabel=plot.y)
    axes.grid(alpha=0.3)
    if len(plot.series) > 1:
        axes.legend(fontsize="small")
    out = io.StringIO()
    with rc_context({"svg.hashsalt": plot.title}):  # ids are made of it, and must differ on a page of many
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()
