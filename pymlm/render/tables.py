"""A result's frame as Markdown, LaTeX or HTML, with numbers as a reader wants them."""

from __future__ import annotations

import math
from typing import Literal

import pandas as pd

from pymlm import escape

TableFormat = Literal["md", "markdown", "latex", "html"]


def frame_as(frame: pd.DataFrame, format: TableFormat | str, digits: int = 4) -> str:
    """Return a frame as a table in `format`.

    Parameters
    ----------
    frame : DataFrame
        Its index becomes the first column; columns that hold nothing are left out.
    format : {"md", "markdown", "latex", "html"}
    digits : int
        Significant digits of numbers.
    """
    shown = frame.dropna(axis=1, how="all")
    cells = [[_label(i), *(_cell(v, digits) for v in row)] for i, row in zip(
        shown.index, shown.itertuples(index=False), strict=True)]  # fmt: skip
    header = ["", *map(_label, shown.columns)]
    if format in ("md", "markdown"):
        return _markdown(header, cells)
    if format == "latex":
        return _latex(header, cells)
    return _html(header, cells)


def _label(label: object) -> str:
    return " ".join(map(str, label)) if isinstance(label, tuple) else str(label)


def _cell(value: object, digits: int) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.{digits}g}"
    return "" if value is None else str(value)


def _markdown(header: list[str], cells: list[list[str]]) -> str:
    line = ["---", *["---:"] * (len(header) - 1)]
    head, *rows = ([escape.markdown(c) for c in r] for r in (header, *cells))
    return "\n".join("| " + " | ".join(r) + " |" for r in (head, line, *rows))


def _latex(header: list[str], cells: list[list[str]]) -> str:
    body = [" & ".join(map(escape.latex, r)) + r" \\" for r in [header, *cells]]
    return "\n".join(
        [
            r"\begin{tabular}{l" + "r" * (len(header) - 1) + "}", r"\hline", body[0], r"\hline",
            *body[1:], r"\hline", r"\end{tabular}",
        ]
    )  # fmt: skip


def _html(header: list[str], cells: list[list[str]]) -> str:
    def row(tag: str, texts: list[str]) -> str:
        first, *rest = map(escape.html, texts)
        return f"<tr><th>{first}</th>" + "".join(f"<{tag}>{x}</{tag}>" for x in rest) + "</tr>"

    body = [row("td", r) for r in cells]
    return "\n".join(
        [
            f'<table class="dataframe {escape.NO_MATH}">', "<thead>", row("th", header),
            "</thead>", "<tbody>", *body, "</tbody>", "</table>",
        ]
    )  # fmt: skip
