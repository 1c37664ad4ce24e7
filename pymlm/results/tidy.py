"""The model as broom.mixed tabulates it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from pymlm.results.base import ESTIMATES, Floats, Result


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Tidy(Result):
    """Estimates of a mixed model, one row each, in broom's columns.

    Attributes
    ----------
    effect : tuple of str, length k
        "fixed", "ran_pars" (variance components), "ran_vals" (conditional modes) or "ran_coefs"
        (coefficients by group).
    group, level : tuple of (str or None), length k
        Grouping factor ("Residual" for the residual) and its level.
    term : tuple of str, length k
        Coefficient; of a variance component "sd__(Intercept)", "cor__(Intercept).Days",
        "sd__Observation".
    estimate, std_error, df, statistic, p_value, conf_low, conf_high : ndarray, shape (k,)
        NaN where there is none: no degrees of freedom for z, no standard error of a variance
        component.
    ddf : str or None
        Method of the degrees of freedom.

    Notes
    -----
    Mirrors ``broom.mixed::tidy(model, effects, conf.int)``, names in snake case.
    """

    _columns: ClassVar[tuple[str, ...]] = ESTIMATES
    _index: ClassVar[str | None] = "term"

    effect: tuple[str, ...]
    group: tuple[str | None, ...]
    level: tuple[str | None, ...]
    term: tuple[str, ...]
    estimate: Floats
    std_error: Floats
    df: Floats
    statistic: Floats
    p_value: Floats
    conf_low: Floats
    conf_high: Floats
    ddf: str | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return effect, group, level (where rows have one), term, and the numbers."""
        frame = Result.to_frame(self)
        frame.insert(0, "effect", list(self.effect))
        frame.insert(1, "group", np.array(self.group, dtype=object))
        frame.insert(2, "term", list(self.term))
        if any(x is not None for x in self.level):
            frame.insert(2, "level", np.array(self.level, dtype=object))
        return frame


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Glance(Result):
    """One line about a whole model, in broom's columns.

    Attributes
    ----------
    nobs, df_residual : int
    sigma : float
        Residual standard deviation; 1 for families without a scale.
    loglik, aic, bic : float
        Of the REML fit, for a REML fit, as R has them.
    reml_criterion : float or None
        None for an ML fit.
    deviance : float
        −2 log-likelihood of an ML fit; the ML deviance at the estimates of a REML fit; for a GLMM
        R's ``deviance(model)``, given the random effects.

    Notes
    -----
    Mirrors ``broom.mixed::glance(model)``, which leaves out the deviance of a REML fit.
    """

    nobs: int
    sigma: float
    loglik: float
    aic: float
    bic: float
    reml_criterion: float | None = None
    deviance: float
    df_residual: int

    def to_frame(self) -> pd.DataFrame:
        """Return one row."""
        row = {k: [np.nan if v is None else v] for k, v in self._values().items()}
        return pd.DataFrame(row)

    def _values(self) -> dict[str, float | None]:
        return {
            "nobs": self.nobs, "sigma": self.sigma, "loglik": self.loglik, "aic": self.aic,
            "bic": self.bic, "reml_criterion": self.reml_criterion, "deviance": self.deviance,
            "df_residual": self.df_residual,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LinearGlance(Glance):
    """One line about an lm or glm, with the columns that broom adds for it.

    Attributes
    ----------
    r_squared, adj_r_squared, statistic, p_value, df : float
        Of an lm: its R² and the F test of all terms, with `df` and df_residual degrees of freedom.
    null_deviance, df_null : float
        Of a glm.

    Notes
    -----
    Mirrors ``broom::glance(model)``.
    """

    r_squared: float = np.nan
    adj_r_squared: float = np.nan
    statistic: float = np.nan
    p_value: float = np.nan
    df: float = np.nan
    null_deviance: float = np.nan
    df_null: float = np.nan

    def _values(self) -> dict[str, float | None]:
        own = (
            "r_squared", "adj_r_squared", "statistic", "p_value", "df", "null_deviance", "df_null",
        )  # fmt: skip
        shared = Glance._values(self)
        del shared["reml_criterion"]
        return shared | {name: getattr(self, name) for name in own}


@dataclass(frozen=True, slots=True, kw_only=True)
class TidyColumns:
    """What the bridge's `tidy_table` sends."""

    effect: tuple[str, ...]
    group: tuple[str | None, ...]
    level: tuple[str | None, ...]
    term: tuple[str, ...]
    estimate: Floats
    std_error: Floats
    df: Floats
    statistic: Floats
    p_value: Floats
    conf_low: Floats
    conf_high: Floats
    parameter: tuple[str | None, ...]
