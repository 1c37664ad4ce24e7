"""The structure of the data: sizes of groups, and how grouping factors lie to each other."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pymlm.argument_types import Data
from pymlm.errors import AdviceWarning
from pymlm.frames import as_pandas
from pymlm.multilevel.columns import names
from pymlm.multilevel.groups import Groups, groups_of
from pymlm.multilevel.levels import Relation, describe_levels
from pymlm.plot import _style as style
from pymlm.plot._style import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Groups of the coarser factor that a table of two factors shows.
MOST_COLUMNS = 60


@figure("Rectangle")
def levels(
    data: Data,
    groups: str | Sequence[str],
    unit: str | None = None,
    axes: Any = None,
    **bars: Any,
) -> Any:
    """Draw the sizes of the groups, and which groups of two factors share rows.

    Parameters
    ----------
    data : DataFrame
    groups : str or list of str
        Grouping factors.
    unit : str, optional
        Identifier of a unit with several rows, as in ``mlm.describe_levels``: one with rows in
        several groups is a multiple membership.
    axes : ndarray of Axes, optional
        One a factor, then one for each pair of factors.
    **bars
        matplotlib's keywords of the bars (Rectangle).

    Returns
    -------
    ndarray of Axes

    Raises
    ------
    DataError
        For a column that is not there.

    Notes
    -----
    Draws ``mlm.describe_levels(data, groups, unit=unit)`` and counts of rows; Rosche's figures 1 to
    6. In a table of two factors nested groups make a staircase, crossed ones fill the square, and a
    unit of several groups has several marks in its line.

    Examples
    --------
    >>> import pymlm as mlm
    >>> axes = mlm.plot.levels(mlm.load_dataset("Pastes"), ["batch", "sample"])
    >>> print(axes[2].get_title())
    sample in batch: nested
    each sample lies in one batch
    """
    frame = as_pandas(data)
    wanted = names(groups, "groups")
    with warnings.catch_warnings():  # describe_levels() gives its advice; a picture need not
        warnings.simplefilter("ignore", AdviceWarning)
        found = describe_levels(frame, wanted, predictors=wanted[:1], unit=unit)
    factors = {g: groups_of(frame, g) for g in dict.fromkeys([*wanted, *([unit] if unit else [])])}
    panels = style.panels_for(axes, len(wanted) + len(found.relations), 3, (3.4, 3.2))
    for panel, name in zip(panels, wanted, strict=False):
        _sizes(panel, factors[name], bars)
    for panel, relation in zip(panels[len(wanted) :], found.relations, strict=True):
        _table(panel, factors[relation.lower], factors[relation.upper], relation)
    return panels


def _sizes(ax: Axes, factor: Groups, bars: dict[str, Any]) -> None:
    sizes = factor.sizes
    looks = {"color": style.BLUE, "edgecolor": "white"}
    if factor.n <= 25:
        order = np.argsort(-sizes, kind="stable")
        at = np.arange(factor.n)
        ax.bar(at, sizes[order], **{**looks, **bars})
        labels = [str(factor.labels[i]) for i in order]
        ax.set_xticks(at, labels, rotation=90, fontsize="x-small")
        ax.set(xlabel=factor.name, ylabel="rows")
    else:
        low, high = int(sizes.min()), int(sizes.max())
        width = max(1, -(-(high - low + 1) // 30))
        ax.hist(sizes, bins=list(np.arange(low - 0.5, high + width + 0.5, width)),
                **{**looks, **bars})  # fmt: skip
        if low == high:
            ax.set_xlim(max(low - 4, 0), high + 4)
        ax.axvline(float(sizes.mean()), color=style.VERMILION, linestyle="--", linewidth=1.2)
        ax.set(xlabel=f"rows per {factor.name}", ylabel="groups")
        ax.locator_params(axis="x", integer=True)
    several = f"{sizes.min():,} to {sizes.max():,} rows, mean {sizes.mean():,.1f}"
    rows = f"{sizes.min():,} rows each" if sizes.min() == sizes.max() else several
    ax.set_title(f"{factor.n:,} {factor.name}\n{rows}", fontsize="small")
    style.plain(ax)


def _table(ax: Axes, lower: Groups, upper: Groups, relation: Relation) -> None:
    """Marks where a group of the finer factor has rows in one of the coarser."""
    known = (lower.codes >= 0) & (upper.codes >= 0)
    pairs = np.unique(np.stack([upper.codes[known], lower.codes[known]]), axis=1)
    columns = style.thinned(upper.n, MOST_COLUMNS)
    pairs = pairs[:, np.isin(pairs[0], columns)]
    place = {c: i for i, c in enumerate(columns)}
    # Lower groups in the order of the first upper group that they lie in.
    first: dict[int, int] = {}
    for up, low in sorted(zip(*pairs.tolist(), strict=True)):
        first.setdefault(low, len(first))
        del up
    keep = set(style.thinned(len(first), 4 * MOST_COLUMNS).tolist())
    marks = [(place[u], first[w]) for u, w in zip(*pairs.tolist(), strict=True)
             if first[w] in keep]  # fmt: skip
    rows = max(len(first), 1)
    size = float(np.clip(150 / max(len(columns), min(rows, 60)), 1.2, 7.0))
    ax.plot(*np.array(marks).T, linestyle="none", marker="s", markersize=size, color=style.BLUE,
            markeredgewidth=0)  # fmt: skip
    ax.set(xlabel=upper.name, ylabel=lower.name, xticks=[], yticks=[],
           xlim=(-0.7, len(columns) - 0.3), ylim=(rows - 0.3, -0.7))  # fmt: skip
    ax.set_title(
        f"{relation.lower} in {relation.upper}: {relation.relation}\n{relation.detail}",
        fontsize="small",
    )
    style.say_thinned(ax, len(columns), upper.n, f"{upper.name} drawn, all their {lower.name}"
                      if len(keep) == len(first) else f"{upper.name}")  # fmt: skip
