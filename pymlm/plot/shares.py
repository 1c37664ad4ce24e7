"""How the outcome's variance divides into levels."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from pymlm.models.mixed import MixedModel
from pymlm.multilevel.variance_partition import VariancePartition, variance_partition
from pymlm.plot import _style as style
from pymlm.plot._style import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Letters of a bar's name on one line: a third of the figure.
LONGEST = 34


@figure("Rectangle")
def variance_shares(
    *models: Any,
    names: Sequence[str] | None = None,
    ax: Axes | None = None,
    **bars: Any,
) -> Axes:
    """Draw how the outcome's variance divides into levels, a bar for each of one or more models.

    Parameters
    ----------
    *models : mixed models or VariancePartitions
        Or one dict of name to model.
    names : sequence of str, optional
        Of the bars; default the formulas.
    ax : Axes, optional
    **bars
        matplotlib's keywords of the bars' parts (Rectangle).

    Returns
    -------
    Axes

    Raises
    ------
    ArgumentError
        For something else than a model, or another number of names.

    Notes
    -----
    Draws ``mlm.variance_partition(m).to_frame()``; Rosche's figure 12.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("strength ~ 1 + (1 | batch / cask)", mlm.load_dataset("Pastes"))
    >>> ax = mlm.plot.variance_shares(m, names=["Pastes"])
    >>> [t.get_text() for t in ax.get_legend().get_texts()]
    ['batch', 'cask:batch', 'Residual']
    """
    listed, names = style.named_models(models, names, "variance_shares")
    parts = []
    for m in listed:
        kinds = (MixedModel, VariancePartition)
        style.need(m, kinds, "mixed models or mlm.variance_partition(m)", "variance_shares")
        parts.append((m if isinstance(m, VariancePartition) else variance_partition(m)).to_frame())
    given = names or [_name(m, i) for i, m in enumerate(listed)]
    shown = [fill(str(name), LONGEST) for name in given]
    height = 0.9 + sum(max(0.55, 0.25 + 0.17 * name.count("\n")) for name in shown)
    levels = list(dict.fromkeys(level for p in parts for level in p.index if level != "Residual"))
    levels += ["Residual"] if any("Residual" in p.index for p in parts) else []
    where = style.axes_for(ax, (6.0, height))
    at, left = np.arange(len(parts))[::-1], np.zeros(len(parts))
    colours = [*style.PALETTE[: len(levels) - 1], style.FAINT]
    hatches = ["", "///", "...", "xx", "\\\\\\", "++", "oo"]
    for i, level in enumerate(levels):
        share = np.array([float(p["proportion"].get(level, 0.0)) for p in parts])
        last = level == "Residual"
        looks = {"color": colours[-1] if last else colours[i], "edgecolor": "white",
                 "hatch": "" if last else hatches[i % 7], "height": 0.6}  # fmt: skip
        where.barh(at, share, left=left, label=level, **{**looks, **bars})
        for y, a, s in zip(at, left, share, strict=True):
            if s >= 0.07:
                where.text(a + s / 2, y, f"{100 * s:.0f} %", ha="center", va="center",
                           fontsize="small", bbox={"facecolor": "white", "edgecolor": "none",
                           "pad": 1.0, "alpha": 0.8})  # fmt: skip
        left += share
    where.set_yticks(at, shown, fontsize="small")
    where.set(xlim=(0, 1), xlabel="share of the variance")
    style.plain(where)
    style.legend(where)
    return where


def _name(m: Any, i: int) -> str:
    return str(m.formula) if hasattr(m, "formula") else f"model {i + 1}"
