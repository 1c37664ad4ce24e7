"""What clustering costs: the design effect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pymlm.models.mixed import MixedModel
from pymlm.multilevel.design_effect import DesignEffect
from pymlm.multilevel.design_effect import design_effect as effect_of
from pymlm.plot import _style as style
from pymlm.plot._style import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@figure("Line2D")
def design_effect(
    m: Any = None,
    icc: float | Sequence[float] | None = None,
    n: float | Sequence[float] | None = None,
    ax: Axes | None = None,
    label: str | None = None,
    **line: Any,
) -> Axes:
    """Draw the design effect over the size of the groups, a curve for each intraclass correlation.

    Parameters
    ----------
    m : mixed model or DesignEffect, optional
        Its levels' ICCs make the curves, its own sizes of groups are marked.
    icc : float or sequence of float, optional
        Intraclass correlations; default 0.01, 0.05, 0.1, 0.2 and 0.4.
    n : float or sequence of float, optional
        Sizes of groups: the largest, or all of them; default up to 50, or twice the model's.
    ax : Axes, optional
    label : str, optional
        Of the mark of the model's own size in the legend.
    **line
        matplotlib's keywords of the curves (Line2D).

    Returns
    -------
    Axes

    Raises
    ------
    ArgumentError
        As ``mlm.design_effect``: numbers out of range.

    Notes
    -----
    Draws ``mlm.design_effect(icc=, n=)``, 1 + (n − 1)·ICC; Hoffman's lecture S4.

    Examples
    --------
    >>> import pymlm as mlm
    >>> ax = mlm.plot.design_effect(icc=[0.1, 0.3], n=30)
    >>> [t.get_text() for t in ax.get_legend().get_texts()]
    ['ICC 0.1', 'ICC 0.3']
    """
    own = m
    if m is not None:
        kinds = (MixedModel, DesignEffect)
        style.need(m, kinds, "a mixed model, mlm.design_effect(m), or icc=", "design_effect")
        own = m if isinstance(m, DesignEffect) else effect_of(m)
    shares = np.atleast_1d(np.asarray(_or(icc, own, "icc", [0.01, 0.05, 0.1, 0.2, 0.4])))
    largest = 50.0 if own is None else 2 * float(np.max(own.size))
    sizes = np.atleast_1d(np.asarray(largest if n is None else n, dtype=float))
    if len(sizes) == 1:
        sizes = np.linspace(1.0, max(float(sizes[0]), 1.0), 50)
    where = style.axes_for(ax, (5.4, 3.6))
    named = own.level if own is not None and icc is None else [""] * len(shares)
    for i, (share, level) in enumerate(zip(shares, named, strict=True)):
        effect = [float(effect_of(icc=float(share), n=float(k)).design_effect[0]) for k in sizes]
        looks = {"color": style.PALETTE[i % 7], "linestyle": style.STYLES[i % 7], "linewidth": 2.0}
        name = f"{level + ': ' if level else ''}ICC {share:.3g}"
        where.plot(sizes, effect, **{**looks, **line, "label": name})
    if own is not None:
        name = label or "groups of the data"
        where.plot(own.size, own.design_effect, linestyle="none", marker="o", color=style.BLACK,
                   label=name)  # fmt: skip
    where.set(xlabel="rows per group", ylabel="design effect", ylim=(0.0, None))
    style.zero_line(where, 1.0)
    style.plain(where)
    style.legend(where)
    return where


def _or(given: Any, own: Any, name: str, default: Any) -> Any:
    if given is not None:
        return given
    return default if own is None else getattr(own, name)
