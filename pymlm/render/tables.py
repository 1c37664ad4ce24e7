"""A result's frame as Markdown, LaTeX or HTML, with numbers as a reader wants them."""

from __future__ import annotations

import math
from typing import Literal

import pandas as pd

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
    cells = [[str(i), *(_cell(v, digits) for v in row)] for i, row in zip(
        shown.index, shown.itertuples(index=False), strict=True)]  # fmt: skip
    header = ["", *map(str, shown.columns)]
    if format in ("md", "markdown"):
        return _markdown(header, cells)
    if format == "latex":
        return _latex(header, cells)
    return pd.DataFrame([c[1:] for c in cells], index=list(shown.index),
                        columns=list(shown.columns)).to_html()  # fmt: skip


def _cell(value: object, digits: int) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.{digits}g}"
    return "" if value is None else str(value)


def _markdown(header: list[str], cells: list[list[str]]) -> str:
    rows = [header, ["---", *["---:"] * (len(header) - 1)], *cells]
    return "\n".join("| " + " | ".join(c.replace("|", "\\|") for c in r) + " |" for r in rows)


_LATEX = str.maketrans(
    {"_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "^": r"\^{}", "~": r"\~{}",
     "{": r"\{", "}": r"\}", "\\": r"\textbackslash{}"}
)  # fmt: skip


def _latex(header: list[str], cells: list[list[str]]) -> str:
    body = [" & ".join(c.translate(_LATEX) for c in r) + r" \\" for r in [header, *cells]]
    return "\n".join(
        [
            r"\begin{tabular}{l" + "r" * (len(header) - 1) + "}", r"\hline", body[0], r"\hline",
            *body[1:], r"\hline", r"\end{tabular}",
        ]
    )  # fmt: skip
