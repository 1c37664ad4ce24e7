"""What the figures share: colours, axes, legends, notes, and how much is drawn."""

from __future__ import annotations

import re
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from pymlm.errors import ArgumentError
from pymlm.plot._figure import figure
from pymlm.plot._words import (
    data_of,
    listed,
    named_models,
    need,
    normal_quantile,
    observed,
    one_of,
    response,
    several_of,
    worded,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


#: Okabe & Ito 2008, in an order that grey prints keep apart (dark, light, dark ...).
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK, _ = PALETTE
GREY, FAINT = "#767676", "#BDBDBD"
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
STYLES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 3)), "-")
#: More points than this are one blot; more lines, too; more labels cannot be read.
MOST_POINTS, MOST_LINES, MOST_LABELS = 5000, 200, 60


# --- axes ---------------------------------------------------------------------------------------


def axes_for(ax: Any, size: tuple[float, float] = (6.0, 3.8)) -> Axes:
    """Return the Axes to draw on: `ax`, or those of a new figure."""
    from matplotlib import pyplot
    from matplotlib.axes import Axes

    if ax is None:
        made: Axes = pyplot.subplots(figsize=size, layout="constrained")[1]
        return made
    if isinstance(ax, np.ndarray) and ax.size == 1:
        ax = ax.ravel()[0]
    if not isinstance(ax, Axes):
        raise ArgumentError(f"ax must be one matplotlib Axes, not {_kind(ax)}")
    return ax


def panels_for(
    axes: Any,
    n: int,
    columns: int = 3,
    size: tuple[float, float] = (3.2, 3.2),
    **options: Any,
) -> np.ndarray[Any, Any]:
    """Return n Axes as a flat array: `axes`, or those of a new figure of so many panels."""
    from matplotlib import pyplot
    from matplotlib.axes import Axes

    if axes is None:
        high = -(-n // columns)
        wide = -(-n // high)
        figsize = (max(size[0] * wide, 4.5 if n == 1 else 0), size[1] * high)
        made = pyplot.subplots(
            high, wide, figsize=figsize, layout="constrained", squeeze=False, **options
        )[1].ravel()
        for spare in made[n:]:
            spare.remove()
        return np.asarray(made[:n])
    given = list(np.ravel(np.asarray(axes, dtype=object)))
    if len(given) != n or not all(isinstance(a, Axes) for a in given):
        raise ArgumentError(
            f"axes must be {n} matplotlib Axes, one a panel, not {_kind(axes)}"
            + (f" of {len(given)}" if len(given) != n else "")
        )
    out = np.empty(n, dtype=object)
    out[:] = given
    return out


def _kind(value: Any) -> str:
    return f"a {type(value).__name__}"


def plain(ax: Axes) -> None:
    """Take away the frame's upper and right line."""
    ax.spines[["top", "right"]].set_visible(False)


def legend(ax: Axes, title: str | None = None) -> None:
    """Place the legend above the data, or beside them where a title stands above."""
    handles = _labelled(ax)
    names = [str(handle.get_label()) for handle in handles]
    if not handles:
        return
    # As many a row as the width of a figure takes; more than two rows stand better at the side.
    spec = ax.get_subplotspec()
    beside = 1 if spec is None else spec.get_gridspec().ncols
    root: Any = ax.figure.figure  # of a subfigure, too
    ticks = [t.get_text().split("\n") for t in ax.get_yticklabels()] if beside == 1 else []
    left = max((len(line) for lines in ticks for line in lines), default=0)
    # Of the small font, and 9 for a handle; what stands left of the axes takes its part.
    letters = max(13.5 * root.get_figwidth() / beside - left, 9.0)
    columns = len(names)
    while (
        columns > 1 and sum(max(map(len, names[i::columns])) + 9 for i in range(columns)) > letters
    ):
        columns -= 1
    where: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1.0), "ncols": columns}
    if ax.get_title() or len(names) > 2 * columns:
        where = {"loc": "upper left", "bbox_to_anchor": (1.02, 1.0), "ncols": 1}
    # Matplotlib leaves out, or warns of, names that begin with "_"; they are put in afterwards.
    safe = [f" {name}" for name in names]
    drawn = ax.legend(handles, safe, title=title, frameon=False, fontsize="small", **where)
    for text, name in zip(drawn.get_texts(), names, strict=True):
        text.set_text(fill(name, int(letters)) if len(name) > letters > 9 else name)


#: Labels that matplotlib gives itself.
_AUTOMATIC = re.compile(r"_(child\d+|container\d+|nolegend_)$")


def _labelled(ax: Axes) -> list[Any]:
    """Return the artists with a label, also where it begins with "_" as a level's name may."""
    from matplotlib import collections, lines, patches

    kinds = (lines.Line2D, patches.Patch, collections.Collection)
    artists = [*(a for a in ax.get_children() if isinstance(a, kinds)), *ax.containers]
    names = [str(a.get_label() or "") for a in artists]
    shown = zip(artists, names, strict=True)
    return [a for a, name in shown if name and not _AUTOMATIC.match(name)]


def note(ax: Axes, text: str) -> None:
    """Write a remark along the right edge, outside of the data; after those that stand there."""
    for there in ax.texts:
        if there.get_gid() == "note":
            there.set_text(f"{there.get_text()}; {text}")
            return
    ax.annotate(
        text, (1, 0), xycoords="axes fraction", xytext=(3, 0), textcoords="offset points",
        rotation=90, va="bottom", ha="left", fontsize="x-small", color=GREY, gid="note",
    )  # fmt: skip


def zero_line(ax: Axes, at: float = 0.0, upright: bool = False) -> None:
    """Draw the line of no effect behind everything."""
    draw = ax.axvline if upright else ax.axhline
    draw(at, color=GREY, linewidth=0.8, zorder=0)


# --- how much is drawn --------------------------------------------------------------------------


def thinned(n: int, most: int, keep_ends: int = 0) -> np.ndarray[Any, Any]:
    """Return positions of at most about `most` of n things, evenly spread, both ends whole."""
    if n <= most:
        return np.arange(n)
    middle = np.linspace(keep_ends, n - 1 - keep_ends, most - 2 * keep_ends).round().astype(int)
    ends = np.arange(keep_ends)
    return np.unique(np.concatenate([ends, middle, n - 1 - ends]))


def some_rows(n: int, most: int = MOST_POINTS) -> np.ndarray[Any, Any]:
    """Return positions of at most `most` of n rows, drawn at random, the same every time."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(1).choice(n, most, replace=False))


def say_thinned(ax: Axes, drawn: int, n: int, what: str) -> None:
    """Say in a note that not all were drawn."""
    if drawn < n:
        note(ax, f"{drawn:,} of {n:,} {what} drawn")


__all__ = [
    "BLACK",
    "BLUE",
    "FAINT",
    "GREEN",
    "GREY",
    "MARKERS",
    "MOST_LABELS",
    "MOST_LINES",
    "MOST_POINTS",
    "ORANGE",
    "PALETTE",
    "PURPLE",
    "SKY",
    "STYLES",
    "VERMILION",
    "axes_for",
    "data_of",
    "figure",
    "legend",
    "listed",
    "named_models",
    "need",
    "normal_quantile",
    "note",
    "observed",
    "one_of",
    "panels_for",
    "plain",
    "response",
    "say_thinned",
    "several_of",
    "some_rows",
    "thinned",
    "worded",
    "zero_line",
]  # fmt: skip
