"""Conditional modes of the random effects in order: caterpillars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pymlm.argument_types import Level
from pymlm.errors import ArgumentError
from pymlm.models.mixed import MixedModel
from pymlm.models.nlme import NlmeModel
from pymlm.plot import _style as style
from pymlm.plot._style import figure
from pymlm.results.ranef import GroupModes, RandomEffects

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: More levels than this are drawn thinned out.
MOST_LEVELS = 400


@figure("Line2D")
def caterpillar(
    m: Any,
    by: str | None = None,
    terms: str | Sequence[str] | None = None,
    order: str | None = None,
    level: Level = 0.95,
    ax: Axes | None = None,
    axes: Any = None,
    label: str | None = None,
    **points: Any,
) -> Any:
    """Draw conditional modes with their intervals, a panel a coefficient, in rising order.

    Parameters
    ----------
    m : mixed model, or RandomEffects
        nlme's models have no intervals.
    by : str, optional
        The grouping factor; default the first.
    terms : str or list of str, optional
        Coefficients to draw; default all.
    order : str, optional
        The coefficient whose modes give the order of the levels in all panels, or "level" for the
        factor's own order; default the first of `terms`.
    level : float
        Of the intervals, condval ± z · condsd.
    ax, axes : Axes
        Where to draw: `ax` for one panel, `axes` for one a coefficient.
    label : str, optional
        Of the modes in the legend.
    **points
        matplotlib's keywords of the dots (Line2D).

    Returns
    -------
    ndarray of Axes, one a coefficient; the Axes when `ax` was given

    Raises
    ------
    ArgumentError
        For something else than a model or its modes, an unknown factor or coefficient.

    Notes
    -----
    Draws ``m.ranef().to_frame()``, as ``lattice::dotplot(ranef(m))`` does; above 400 levels evenly
    spread ones and both ends.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    >>> axes = mlm.plot.caterpillar(m)
    >>> [ax.get_title() for ax in axes]
    ['(Intercept)', 'Days']
    """
    frame, factor, chosen = chosen_modes(m, by, terms, "caterpillar")
    wide = frame.set_index(["grp", "term"])["condval"].unstack("term")  # noqa: PD010 - no aggregation
    wide = wide.loc[frame["grp"].unique()]
    if order != "level":
        first = chosen[0] if order is None else style.one_of(order, list(wide.columns), "term")
        wide = wide.sort_values(first, kind="stable")
    keep = style.thinned(len(wide), MOST_LEVELS, keep_ends=20)
    ranked = wide.index[keep]
    z = style.normal_quantile(level)
    panels = style.panels_for(
        ax if axes is None else axes, len(chosen), 4, (3.1, _height(len(keep))), sharey=ax is None
    )
    for panel, term in zip(panels, chosen, strict=True):
        own = frame[frame["term"] == term].set_index("grp").loc[ranked]
        at = np.arange(len(own))
        style.zero_line(panel, upright=True)
        panel.hlines(
            at, own["condval"] - z * own["condsd"], own["condval"] + z * own["condsd"],
            color=style.SKY, linewidth=1.4 if len(at) <= style.MOST_LABELS else 0.6,
        )  # fmt: skip
        looks = {"color": style.BLUE, "marker": "o", "linestyle": "none", "label": label,
                 "markersize": 3.5 if len(at) <= style.MOST_LABELS else 1.5}  # fmt: skip
        panel.plot(own["condval"], at, **{**looks, **points})
        panel.set_title(term, fontsize="medium")
        panel.set_ylim(-0.7, len(at) - 0.3)
        panel.set_xlabel("deviation")
        style.plain(panel)
    first_panel = panels[0]
    if len(keep) <= style.MOST_LABELS:
        first_panel.set_yticks(np.arange(len(keep)), [str(g) for g in ranked], fontsize="small")
    else:
        first_panel.set_yticks([])
    first_panel.set_ylabel(factor)
    for panel in panels[1:]:
        panel.tick_params(axis="y", length=0)
    if label is not None:
        style.legend(panels[-1])
    style.say_thinned(panels[-1], len(keep), len(wide), f"levels of {factor}")
    return panels if ax is None else panels[0]


def chosen_modes(
    m: Any, by: str | None, terms: Any, function: str
) -> tuple[pd.DataFrame, str, list[str]]:
    """One factor's modes in long form, the factor, and the coefficients chosen."""
    kinds = (MixedModel, NlmeModel, RandomEffects)
    style.need(m, kinds, "a mixed model or its m.ranef()", function)
    found = m if isinstance(m, RandomEffects) else random_effects(m)
    factor = style.one_of(found.keys()[0] if by is None else by, found.keys(), "grouping factor")
    own = found.group(factor)
    chosen = style.several_of(terms, own.term, "random effect")
    frame = RandomEffects(groups=(own,)).to_frame()
    return frame[frame["term"].isin(chosen)], factor, chosen


def random_effects(m: Any) -> RandomEffects:
    """The conditional modes of a model; nlme's, which come as frames, have no SDs."""
    found = m.ranef()
    if isinstance(found, RandomEffects):
        return found
    groups = tuple(
        GroupModes(
            grpvar=name, level=tuple(map(str, frame.index)), term=tuple(map(str, frame.columns)),
            condval=frame.to_numpy(dtype=float),
        )
        for name, frame in found.items()
    )  # fmt: skip
    if not groups:
        raise ArgumentError("the model has no random effects")
    return RandomEffects(groups=groups)


def _height(n: int) -> float:
    return 5.0 if n > style.MOST_LABELS else max(2.6, 0.16 * n + 1.0)
