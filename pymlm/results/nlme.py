"""Results of nlme's models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from pymlm.results.base import Floats, Printed, Result
from pymlm.results.fixed import FixedEffects


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NlmeSummary(Result):
    """Summary of an lme or gls fit; ``print`` shows R's.

    Attributes
    ----------
    fixed : FixedEffects
        t tests with nlme's degrees of freedom: inner and outer ones for lme (not SAS's
        between-within for the intercept), rows less coefficients for gls.
    correlation : ndarray, shape (p, p)
        Of the estimates of the fixed effects.
    scaled_residuals : ndarray, shape (5,)
        Minimum, quartiles and maximum of the Pearson residuals.
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``summary(model)`` of nlme; Pinheiro & Bates 2000, doi:10.1007/b98882.
    """

    fixed: FixedEffects
    correlation: Floats
    scaled_residuals: Floats
    printed: Printed | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return the coefficient table as a fresh DataFrame."""
        return self.fixed.to_frame()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NlmeIntervals(Result):
    """Approximate confidence intervals of every parameter.

    Attributes
    ----------
    part : tuple of str, length k
        "fixed", "random" (standard deviations and correlations), "correlation" (of residuals),
        "variance ratio" (ratios of residual standard deviations) or "sigma".
    group, term : tuple of str, length k
        Grouping factor of a random-effects parameter ("" elsewhere), and R's name.
    estimate, conf_low, conf_high : ndarray, shape (k,)
    level : float
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``nlme::intervals(model, level)``.
    """

    _columns: ClassVar[tuple[str, ...]] = ("part", "group", "estimate", "conf_low", "conf_high")
    _index: ClassVar[str | None] = "term"

    part: tuple[str, ...]
    group: tuple[str, ...]
    term: tuple[str, ...]
    estimate: Floats
    conf_low: Floats
    conf_high: Floats
    level: float
    printed: Printed | None = None
