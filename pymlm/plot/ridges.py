"""The ridges of a bootstrap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import gaussian_kde

from pymlm.argument_types import BootInterval
from pymlm.models.bootstrap import Bootstrap
from pymlm.plot import _style as style
from pymlm.plot._style import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@figure("Line2D")
def bootstrap(
    boot: Bootstrap,
    terms: str | Sequence[str] | None = None,
    type: BootInterval = "perc",
    ax: Axes | None = None,
    axes: Any = None,
    label: str | None = None,
    **line: Any,
) -> Any:
    """Draw the densities of bootstrap draws, a ridge a statistic, with estimate and interval.

    Parameters
    ----------
    boot : Bootstrap
        What ``m.bootstrap()`` returns.
    terms : str or list of str, optional
        Statistics to draw; default all.
    type : {"perc", "basic", "norm"}
        Of the intervals, at the result's own level.
    ax, axes : Axes
        Where to draw: `ax` for one panel, `axes` for one a statistic (their scales differ).
    label : str, optional
        Of the densities in the legend.
    **line
        matplotlib's keywords of the densities (Line2D).

    Returns
    -------
    ndarray of Axes, one a statistic, one below the other; the Axes when `ax` was given

    Raises
    ------
    ArgumentError
        For something else than a Bootstrap, an unknown statistic or type of interval.

    Notes
    -----
    Draws ``boot.draws_frame()``; MixedModelsMakie's ``ridgeplot``.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Yield ~ 1 + (1 | Batch)", mlm.load_dataset("Dyestuff"))
    >>> axes = mlm.plot.bootstrap(m.bootstrap(nsim=100, seed=1), "(Intercept)")
    >>> axes[0].get_ylabel()
    '(Intercept)'
    """
    style.need(boot, Bootstrap, "what m.bootstrap() returns", "bootstrap")
    chosen = style.several_of(terms, boot.term, "statistic")
    draws, limits = boot.draws_frame(), boot.confint(type)
    estimate = dict(zip(boot.term, boot.estimate, strict=True))
    panels = style.panels_for(ax if axes is None else axes, len(chosen), 1, (5.6, 1.1))
    for panel, term in zip(panels, chosen, strict=True):
        values = draws[term].dropna().to_numpy()
        low, high = limits.loc[term, ["conf_low", "conf_high"]].astype(float)
        looks = {"color": style.BLUE, "linewidth": 1.4, "label": label}
        if np.ptp(values) > 0:
            at = np.linspace(values.min(), values.max(), 256)
            height = gaussian_kde(values)(at)
            panel.plot(at, height, **{**looks, **line})
            panel.fill_between(at, 0, height, where=(at >= low) & (at <= high), color=style.SKY,
                               alpha=0.5, linewidth=0)  # fmt: skip
        panel.axvline(float(estimate[term]), color=style.VERMILION, linestyle="--", linewidth=1.4)
        panel.set(yticks=[], ylim=(0, None))
        panel.set_ylabel(term, rotation=0, ha="right", va="center", fontsize="small")
        panel.spines[["left", "top", "right"]].set_visible(False)
    if label is not None:
        style.legend(panels[0])
    if boot.n_failed:
        style.note(panels[-1], f"{boot.n_failed} of {boot.nsim} refits failed")
    return panels if ax is None else panels[0]
