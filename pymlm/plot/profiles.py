"""Likelihood profiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.stats import norm

from pymlm.argument_types import Level
from pymlm.models.mixed import MixedModel
from pymlm.models.variance_tests import Profile
from pymlm.plot import _style as style
from pymlm.plot._style import figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@figure("Line2D")
def profile(
    p: Any,
    kind: Literal["zeta", "density"] = "zeta",
    parameters: str | Sequence[str] | None = None,
    level: Level = 0.95,
    ax: Axes | None = None,
    axes: Any = None,
    label: str | None = None,
    **line: Any,
) -> Any:
    """Draw the profile of every parameter: ζ with its interval, or the density that it implies.

    Parameters
    ----------
    p : Profile, or mixed model
        What ``m.profile()`` returns; of a model it is computed.
    kind : {"zeta", "density"}
        A straight ζ is a parameter whose likelihood is normal; the density says the same.
    parameters : str or list of str, optional
        Default all.
    level : float
        Of the interval that is marked.
    ax, axes : Axes
        Where to draw: `ax` for one panel, `axes` for one a parameter.
    label : str, optional
        Of the curve in the legend.
    **line
        matplotlib's keywords of the curve (Line2D).

    Returns
    -------
    ndarray of Axes, one a parameter; the Axes when `ax` was given

    Raises
    ------
    ArgumentError
        For another kind, or a parameter that was not profiled.

    Notes
    -----
    Draws ``p.curve(parameter)``, as ``lattice::xyplot(profile(m))`` and ``densityplot`` do. Between
    the points ζ is interpolated by a monotone cubic; the density is φ(ζ) dζ/dx (Bates et al. 2015,
    section 5.1, doi:10.18637/jss.v067.i01).

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Yield ~ 1 + (1 | Batch)", mlm.load_dataset("Dyestuff"))
    >>> axes = mlm.plot.profile(m.profile(), "density")
    >>> [ax.get_xlabel() for ax in axes]
    ['sd_(Intercept)|Batch', 'sigma', '(Intercept)']
    """
    style.need(p, (Profile, MixedModel), "what m.profile() returns, or the model", "profile")
    found = p if isinstance(p, Profile) else p.profile()
    have = list(dict.fromkeys(found.parameter))
    wanted = [parameters] if isinstance(parameters, str) else parameters
    chosen = have if wanted is None else list(wanted)
    curves = [found.curve(name).dropna() for name in chosen]
    panels = style.panels_for(ax if axes is None else axes, len(chosen), 4, (2.9, 2.7))
    z = style.normal_quantile(level)
    for panel, name, curve in zip(panels, chosen, curves, strict=True):
        curve = curve.drop_duplicates("value")
        x, zeta = curve["value"].to_numpy(), curve["zeta"].to_numpy()
        spline = PchipInterpolator(x, zeta)
        at = np.linspace(x[0], x[-1], 301)
        looks = {"color": style.BLUE, "linewidth": 1.8, "label": label}
        if kind == "zeta":
            panel.plot(at, spline(at), **{**looks, **line})
            panel.plot(x, zeta, linestyle="none", marker="o", markersize=2.5, color=style.BLUE)
            style.zero_line(panel)
            _interval_by_zeta(panel, spline, at, z)
            panel.set_ylabel("ζ")
        else:
            at = at[np.abs(spline(at)) <= 3.3]
            height = norm.pdf(spline(at)) * spline.derivative()(at)
            panel.plot(at, height, **{**looks, **line})
            inside = np.abs(spline(at)) <= z
            panel.fill_between(at, 0, height, where=inside, color=style.SKY, alpha=0.4, linewidth=0)
            panel.set(ylabel="density", ylim=(0, None))
        panel.set_xlabel(str(name))
        style.plain(panel)
        panel.xaxis.set_major_locator(_few_ticks())
    if label is not None:
        style.legend(panels[-1])
    return panels if ax is None else panels[0]


def _few_ticks() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(5)


def _interval_by_zeta(ax: Axes, spline: Any, at: Any, z: float) -> None:
    """Mark where the curve crosses ±z; a side without a crossing has no limit."""
    values = spline(at)
    for side in (-z, z):
        if values[0] <= side <= values[-1]:
            limit = float(np.interp(side, values, at))
            ax.plot([limit, limit], [0, side], color=style.VERMILION, linewidth=1.2,
                    linestyle="--")  # fmt: skip
