"""A result's frames as tables of Markdown, LaTeX or HTML, with numbers as a reader wants them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd

import pymlm.escape as escape  # `from pymlm import` asks the package for it, which loads models
from pymlm.display import readable
from pymlm.errors import ArgumentError

TableFormat = Literal["md", "markdown", "latex", "html"]

#: Levels of one, two and three stars, as R's coefficient tables have them.
STARS = (0.05, 0.01, 0.001)
#: Columns that stars stand in, by preference: the estimate, the statistic, the p value itself.
_STARRED = ("estimate", "statistic", "chisq", "lrt", "p_value")
_MOST_DIGITS = 15


class Text(str):
    """Text of a table; ``print`` shows it, and so does a notebook."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return escape.html_block(self)


class Html(Text):
    """A table in HTML, which a notebook shows as a table."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """A table before it is text of a format; every cell is a string of the user's.

    Attributes
    ----------
    caption : str
    head : tuple of str
    rows : tuple of tuple of str
    numeric : tuple of bool
        Which columns stand flush right.
    notes : tuple of str
        Lines below the table.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    notes: tuple[str, ...] = ()


def frame_as(
    frame: pd.DataFrame,
    format: TableFormat | str,
    digits: int | None = None,
    stars: object = False,
    caption: str = "",
    notes: Sequence[str] = (),
) -> Text:
    """Return a frame as a table in `format`.

    Parameters
    ----------
    frame : DataFrame
        Its index becomes the first column, unless it only counts; columns that hold nothing are
        left out.
    format : {"md", "markdown", "latex", "html"}
    digits : int or None
        Decimals; None chooses them by the column. p values have three at least.
    stars : bool or sequence of float
        Mark p values below these levels; True is 0.05, 0.01 and 0.001.
    caption : str
    notes : sequence of str
        Lines below.
    """
    return written([cells_of(frame, digits, stars, caption, notes)], format)


def written(tables: Sequence[Cells], format: TableFormat | str) -> Text:
    """Return tables as text of `format`, one below the other."""
    writer = {"md": _markdown, "markdown": _markdown, "latex": _latex, "html": _html}[format]
    text = "\n\n".join(writer(t) for t in tables)
    return Html(text) if format == "html" else Text(text)


def cells_of(
    frame: pd.DataFrame,
    digits: int | None,
    stars: object,
    caption: str = "",
    notes: Sequence[str] = (),
) -> Cells:
    """Return what `frame_as` writes."""
    levels = star_levels(stars)
    check_digits(digits)
    texts = readable(frame, digits)
    below = list(notes)
    if levels:
        name = _starred(frame)
        at = list(frame.columns).index(name)
        marks = [marks_of(p, levels) for p in frame["p_value"]]
        texts.isetitem(at, [f"{x}{m}" for x, m in zip(texts.iloc[:, at], marks, strict=True)])
        below.append("  ".join(f"{'*' * (i + 1)} p < {level:g}" for i, level in enumerate(levels)))
    # By position: names may stand twice.
    kept = [i for i in range(frame.shape[1]) if not frame.iloc[:, i].isna().all() or frame.empty]
    columns = [[_text(x) for x in texts.iloc[:, i]] for i in kept]
    head = [_label(frame.columns[i]) for i in kept]
    numeric = [pd.api.types.is_numeric_dtype(frame.dtypes.iloc[i]) for i in kept]
    if not (says_nothing(frame) and kept):
        columns.insert(0, [_label(x) for x in frame.index])
        head.insert(0, "" if frame.index.name is None else _label(frame.index.name))
        numeric.insert(0, False)
    return Cells(
        caption=caption,
        head=tuple(head),
        rows=tuple(zip(*columns, strict=True)),
        numeric=tuple(numeric),
        notes=tuple(below),
    )


def says_nothing(frame: pd.DataFrame) -> bool:
    """Whether the labels of a frame's rows only count, or stand in one of its columns."""
    labels = frame.index
    if isinstance(labels, pd.RangeIndex) or labels.equals(pd.RangeIndex(len(labels))):
        return True
    texts = (frame.iloc[:, i] for i in range(frame.shape[1]))
    return any(
        not pd.api.types.is_numeric_dtype(c.dtype) and list(c) == list(labels) for c in texts
    )


def star_levels(stars: object) -> tuple[float, ...]:
    """Return the levels of one star, of two ...; none for False."""
    if isinstance(stars, (bool, np.bool_)):
        return STARS if stars else ()
    try:
        levels = tuple(float(s) for s in stars)  # type: ignore[attr-defined]  # refused below
    except (TypeError, ValueError):
        levels = (math.nan,)
    if not all(0 < s < 1 for s in levels) or not all(a > b for a, b in pairwise(levels)):
        raise ArgumentError(
            f"stars must be True, False or falling levels below 1, e.g. (0.05, 0.01), not {stars!r}"
        )
    return levels


def marks_of(p: Any, levels: Sequence[float]) -> str:
    """Return a p value's stars."""
    return "" if pd.isna(p) else "*" * sum(p < level for level in levels)


def check_digits(digits: object) -> None:
    """Refuse what is no number of decimals."""
    whole = isinstance(digits, (int, np.integer)) and not isinstance(digits, bool)
    if digits is not None and not (whole and 0 <= digits <= _MOST_DIGITS):  # type: ignore[operator]  # whole
        raise ArgumentError(
            f"digits must be a whole number from 0 to {_MOST_DIGITS}, or None, not {digits!r}"
        )


def _starred(frame: pd.DataFrame) -> str:
    if "p_value" not in frame or frame["p_value"].isna().all():
        raise ArgumentError(
            "stars=: there are no p values in this result; leave stars out, or ask for degrees of "
            "freedom where the method takes ddf="
        )
    return next(name for name in _STARRED if name in frame)


def _text(value: object) -> str:
    return str(value)


def _label(label: object) -> str:
    return " ".join(map(str, label)) if isinstance(label, tuple) else str(label)


def _markdown(t: Cells) -> str:
    line = ["---:" if n else "---" for n in t.numeric]
    head, *rows = ([escape.markdown(c) for c in r] for r in (t.head, *t.rows))
    lines = ["| " + " | ".join(r) + " |" for r in (head, line, *rows)]
    above = [escape.markdown(t.caption), ""] if t.caption else []
    below = [x for note in t.notes for x in ("", escape.markdown(note))]
    return "\n".join([*above, *lines, *below])


def _latex(t: Cells) -> str:
    body = [" & ".join(map(escape.latex, r)) + r" \\" for r in (t.head, *t.rows)]
    width = len(t.head)
    wide = [rf"\multicolumn{{{width}}}{{l}}{{\footnotesize {escape.latex(n)}}} \\" for n in t.notes]
    above = [rf"\multicolumn{{{width}}}{{l}}{{{escape.latex(t.caption)}}} \\"] if t.caption else []
    return "\n".join(
        [
            rf"\begin{{tabular}}{{{''.join('r' if n else 'l' for n in t.numeric)}}}", *above,
            r"\hline", body[0], r"\hline", *body[1:], r"\hline", *wide, r"\end{tabular}",
        ]
    )  # fmt: skip


def _html(t: Cells) -> str:
    def row(tag: str, texts: tuple[str, ...]) -> str:
        cells = [
            f'<{tag} style="text-align: {"right" if n else "left"}">{escape.html(x)}</{tag}>'
            for x, n in zip(texts, t.numeric, strict=True)
        ]
        return "<tr>" + "".join(cells) + "</tr>"

    width = len(t.head)
    above = [f"<caption>{escape.html(t.caption)}</caption>"] if t.caption else []
    below = [f'<tr><td colspan="{width}">{escape.html(n)}</td></tr>' for n in t.notes]
    foot = ["<tfoot>", *below, "</tfoot>"] if below else []
    return "\n".join(
        [
            f'<table class="dataframe {escape.NO_MATH}">', *above, "<thead>", row("th", t.head),
            "</thead>", "<tbody>", *(row("td", r) for r in t.rows), "</tbody>", *foot, "</table>",
        ]
    )  # fmt: skip
