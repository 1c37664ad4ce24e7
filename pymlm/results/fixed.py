"""Fixed effects: the coefficient table, and intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pandas as pd

from pymlm.figures import figure_of
from pymlm.results.base import ESTIMATES, Floats, Printed, Result


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FixedEffects(Result):
    """Coefficient table of the fixed effects; row i of every array belongs to term[i].

    Attributes
    ----------
    term : tuple of str, length p
        Names as R writes them, e.g. "(Intercept)". Columns dropped for rank deficiency are absent.
    estimate, std_error : ndarray, shape (p,)
        In units of the response per unit of the predictor (link scale for a GLMM).
    df : ndarray, shape (p,), or None
        Denominator degrees of freedom by method `ddf`; not an integer in general.
    statistic : ndarray, shape (p,)
        estimate / std_error: t, or z where `statistic_name` says so.
    p_value : ndarray, shape (p,), or None
        Two-sided; None where the summary has none (lme4's own, ddf=None).
    conf_low, conf_high : ndarray, shape (p,)
        95 % Wald interval with the same degrees of freedom (normal where df is None).
    statistic_name : str
        "t" or "z".
    ddf : str or None
        Method of the degrees of freedom.

    Notes
    -----
    Mirrors ``coef(summary(model, ddf = ddf))`` of lme4 and lmerTest; Kuznetsova et al. 2017,
    doi:10.18637/jss.v082.i13.
    """

    _columns: ClassVar[tuple[str, ...]] = ESTIMATES
    _index: ClassVar[str | None] = "term"

    plot = figure_of("coefs")

    term: tuple[str, ...]
    estimate: Floats
    std_error: Floats
    df: Floats | None = None
    statistic: Floats
    p_value: Floats | None = None
    conf_low: Floats
    conf_high: Floats
    statistic_name: str = "t"
    ddf: str | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ConfidenceIntervals(Result):
    """Confidence intervals, one row per parameter.

    Attributes
    ----------
    term : tuple of str, length k
        Parameter names as R writes them.
    conf_low, conf_high : ndarray, shape (k,)
        On the scale of the parameter (link scale for a GLMM's fixed effects).
    level : float
        Confidence level, between 0 and 1.
    method : str
        "Wald", "profile" or "boot".
    r_names : tuple of (str or None), length k
        R's short names, ".sig01" for the first variance component; fixed effects keep theirs.
    failures : dict of str to str
        Parameter -> why its interval is missing or doubtful.
    notes : tuple of str
        How the intervals came about; not printed.
    printed : Printed or None
        R's own print; the failures stand below it.

    Notes
    -----
    Mirrors ``confint(model, method =, level =, oldNames = FALSE)`` of lme4; Bates et al. 2015,
    doi:10.18637/jss.v067.i01. Rows are matched by name, for lme4 2.0 reorders them.
    """

    _columns: ClassVar[tuple[str, ...]] = ("conf_low", "conf_high")
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    conf_low: Floats
    conf_high: Floats
    level: float
    method: str
    r_names: tuple[str | None, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    printed: Printed | None = None

    def _remarks(self) -> list[str]:
        return [f"{name}: {why}" for name, why in self.failures.items()]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedValues:
    """A named vector of R."""

    term: tuple[str, ...]
    estimate: Floats

    def to_series(self) -> pd.Series:
        """Return a fresh Series, term -> estimate."""
        return pd.Series(np.array(self.estimate), index=list(self.term), name="estimate")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedMatrix:
    """A matrix of R whose columns have names."""

    term: tuple[str, ...]
    values: Floats

    def to_frame(self, index: pd.Index | None = None) -> pd.DataFrame:
        """Return a fresh DataFrame; a square matrix gets its column names as index, too."""
        rows = list(self.term) if index is None else index
        return pd.DataFrame(np.array(self.values), index=rows, columns=list(self.term))
