"""Bootstrap draws and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from pymlm.errors import ArgumentError, near_names
from pymlm.figures import figure_of
from pymlm.results.base import Floats, Result
from pymlm.results.printed import shown


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Interval(Result):
    """Limits of every statistic, in the order of `Bootstrap.term`.

    Attributes
    ----------
    conf_low, conf_high : ndarray, shape (k,)
        On the scale of the statistic.
    """

    _columns: ClassVar[tuple[str, ...]] = ("conf_low", "conf_high")

    conf_low: Floats
    conf_high: Floats


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Bootstrap(Result):
    """Bootstrap of a fitted model.

    Attributes
    ----------
    term : tuple of str, length k
        Names of the statistics.
    estimate : ndarray, shape (k,)
        Of the model itself.
    bias, std_error : ndarray, shape (k,)
        Mean of the draws less the estimate, and their standard deviation, over successful refits.
    draws : ndarray, shape (nsim, k)
        One row a simulation, NaN where its refit failed. For one seed they equal R's
        ``bootMer(model, FUN, nsim, seed)$t``, however many processes made them.
    intervals : dict
        "perc", "basic", "norm" -> limits at `level`.
    n_failed : int
        Refits that failed; `failures` has "draw: message", draws numbered from 1.
    failures : tuple of str
    messages : dict of str to int
        What lme4 said in successful refits (singular, not converged), and how often.
    nsim, seed : int
    level : float
    type : str
        "parametric" or "semiparametric".
    use_u : bool
        Random effects held at their conditional modes instead of drawn anew.

    Notes
    -----
    Mirrors ``bootMer`` of lme4 and ``confint`` of its result (boot::boot.ci); Davison & Hinkley
    1997, doi:10.1017/CBO9780511802843.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "estimate", "bias", "std_error", "conf_low", "conf_high",
    )  # fmt: skip
    _index: ClassVar[str | None] = "term"

    plot = figure_of("bootstrap")

    term: tuple[str, ...]
    estimate: Floats
    bias: Floats
    std_error: Floats
    draws: Floats
    intervals: Mapping[str, Interval]
    n_failed: int
    failures: tuple[str, ...]
    messages: Mapping[str, int]
    nsim: int
    seed: int
    level: float
    type: str
    use_u: bool

    @property
    def conf_low(self) -> Floats:
        """Lower percentile limits."""
        return self.intervals["perc"].conf_low

    @property
    def conf_high(self) -> Floats:
        """Upper percentile limits."""
        return self.intervals["perc"].conf_high

    def draws_frame(self) -> pd.DataFrame:
        """Return the draws, one column a statistic, index `draw` from 1."""
        index = pd.RangeIndex(1, len(self.draws) + 1, name="draw")
        return pd.DataFrame(np.array(self.draws), columns=list(self.term), index=index)

    def confint(self, type: str = "perc") -> pd.DataFrame:
        """Return the limits by "perc", "basic" or "norm", columns conf_low and conf_high.

        Raises
        ------
        ArgumentError
            For another type.
        """
        if type not in self.intervals:
            raise ArgumentError(
                f"type={type!r} is not one of {', '.join(self.intervals)}."
                + near_names(str(type), self.intervals)
            )
        limits = self.intervals[type]
        return pd.DataFrame(
            {"conf_low": np.array(limits.conf_low), "conf_high": np.array(limits.conf_high)},
            index=list(self.term),
        )

    def _body(self) -> str:
        """The table, and how many refits failed or spoke."""
        kind = f"{self.type} bootstrap, {self.nsim} draws, seed {self.seed}"
        lines = [kind + (", random effects as estimated" if self.use_u else "")]
        lines.append(f"{self.level:.0%} percentile intervals")
        lines += [shown(self.to_frame()), f"failed refits: {self.n_failed} of {self.nsim}"]
        lines += [f"  {text}" for text in self.failures[:5]]
        lines += [f"{count} x {text}" for text, count in self.messages.items()]
        return "\n".join(lines)
