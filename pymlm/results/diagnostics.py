"""Influence, collinearity, dimensions of the random effects, quantiles, checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from pymlm.figures import figure_of
from pymlm.results.base import Floats, Printed, Result


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Influence(Result):
    """What the fit becomes without each case, or each group; row i leaves level[i] out.

    Attributes
    ----------
    groups : str
        "case", or the grouping columns, joined by dots.
    level : tuple of str, length l
        R's row names, or the groups' levels.
    term : tuple of str, length p
        Fixed effects.
    cooks_distance : ndarray, shape (l,)
        Of the fixed effects.
    coefficients : ndarray, shape (l, p)
        Fixed effects of the fit without level[i].
    dfbeta : ndarray, shape (l, p)
        Their change: coefficients less those of the whole fit.
    dfbetas : ndarray, shape (l, p)
        The change in standard errors of the reduced fit.
    component : tuple of str, length k
        "sigma^2", "v[(Intercept)]", "C[Days,(Intercept)]" ...: variances and covariances.
    components : ndarray, shape (l, k)
        Variance components of the fit without level[i], in squared units of the response.
    component_change : ndarray, shape (l, k)
        Their change.
    converged : ndarray of bool, shape (l,)
    evaluations : ndarray of int, shape (l,)
        Deviance evaluations of each refit.

    Notes
    -----
    Mirrors ``influence(model, groups)``, ``cooks.distance()``, ``dfbeta()`` and ``dfbetas()`` of
    lme4; Nieuwenhuis, te Grotenhuis & Pelzer 2012, doi:10.32614/RJ-2012-011.
    """

    _columns: ClassVar[tuple[str, ...]] = ("cooks_distance", "converged")
    _index: ClassVar[str | None] = "level"

    groups: str
    level: tuple[str, ...]
    term: tuple[str, ...]
    cooks_distance: Floats
    coefficients: Floats
    dfbeta: Floats
    dfbetas: Floats
    component: tuple[str, ...]
    components: Floats
    component_change: Floats
    converged: Floats
    evaluations: Floats

    def to_frame(self) -> pd.DataFrame:
        """Return Cook's distance, a column "dfbetas.<term>" a fixed effect, and converged."""
        frame = Result.to_frame(self)
        for at, term in enumerate(self.term):
            frame.insert(1 + at, f"dfbetas.{term}", np.array(self.dfbetas[:, at]))
        return frame

    def fixed(self) -> pd.DataFrame:
        """Return the fixed effects of the reduced fits, one row a level left out."""
        return pd.DataFrame(
            np.array(self.coefficients), index=list(self.level), columns=list(self.term)
        )

    def variances(self) -> pd.DataFrame:
        """Return the variance components of the reduced fits, one row a level left out."""
        return pd.DataFrame(
            np.array(self.components), index=list(self.level), columns=list(self.component)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPCA:
    """Principal components of one grouping factor's random effects.

    Attributes
    ----------
    grpvar : str
    term : tuple of str, length k
    std_dev : ndarray, shape (k,)
        Standard deviations along the components, relative to sigma.
    proportion, cumulative : ndarray, shape (k,)
        Share of the variance.
    rotation : ndarray, shape (k, k)
        Columns are the components' directions.
    """

    grpvar: str
    term: tuple[str, ...]
    std_dev: Floats
    proportion: Floats
    cumulative: Floats
    rotation: Floats


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RePCA(Result):
    """Principal components of the random effects; a component without variance is one too many.

    Attributes
    ----------
    groups : tuple of GroupPCA
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``rePCA(model)`` of lme4; Bates et al. 2015, arXiv:1506.04967.
    """

    groups: tuple[GroupPCA, ...]
    printed: Printed | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return grpvar, component, std_dev, proportion and cumulative, one row a component."""
        parts = [
            pd.DataFrame(
                {
                    "grpvar": g.grpvar,
                    "component": np.arange(1, len(g.std_dev) + 1),
                    "std_dev": np.array(g.std_dev),
                    "proportion": np.array(g.proportion),
                    "cumulative": np.array(g.cumulative),
                }
            )
            for g in self.groups
        ]
        return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class VarianceInflation(Result):
    """Variance inflation factors of the terms of the fixed part.

    Attributes
    ----------
    term : tuple of str, length k
    vif : ndarray, shape (k,)
        Generalized variance inflation factor (the usual one for a term of one column).
    df : ndarray, shape (k,)
        Columns of the term.
    scaled_vif : ndarray, shape (k,)
        vif^(1 / (2 df)): by how much the standard error of one column grows.

    Notes
    -----
    With R the correlation of the estimates without the intercept and t the term's columns,
    vif = det(R[t,t]) det(R[-t,-t]) / det(R); Fox & Monette 1992,
    doi:10.1080/01621459.1992.10475190. Equal to ``car::vif(model)``.
    """

    _columns: ClassVar[tuple[str, ...]] = ("vif", "df", "scaled_vif")
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    vif: Floats
    df: Floats
    scaled_vif: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantileBlock:
    """Sample and theoretical quantiles of the residuals, or of one coefficient of one factor."""

    grpvar: str
    term: str
    label: tuple[str, ...]
    sample: Floats
    theoretical: Floats
    std_error: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Quantiles(Result):
    """Data of normal Q-Q plots.

    Attributes
    ----------
    blocks : tuple of QuantileBlock
        One for the residuals, or one a coefficient and grouping factor. `label` names a point (row
        or level), `sample` is the value, `theoretical` the standard normal quantile at its rank,
        `std_error` the conditional SD of a random effect.

    Notes
    -----
    Mirrors ``qqnorm()`` (plotting positions of ``ppoints``) of ``residuals(model)`` or
    ``ranef(model)``.
    """

    plot = figure_of("qq")

    blocks: tuple[QuantileBlock, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return grpvar, term, label, sample, theoretical and std_error, one row a point."""
        parts = [
            pd.DataFrame(
                {
                    "grpvar": b.grpvar,
                    "term": b.term,
                    "label": list(b.label),
                    "sample": np.array(b.sample),
                    "theoretical": np.array(b.theoretical),
                    "std_error": np.nan if b.std_error is None else np.array(b.std_error),
                }
            )
            for b in self.blocks
        ]
        return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Check(Result):
    """A check of one of a model's assumptions.

    Attributes
    ----------
    check : str
        "normality", "heteroscedasticity" ...
    values : dict of str to float
        The numbers by name: "p_value"; "statistic", "df" and "p_value" for "heteroscedasticity";
        p-values by coefficient for "random_effects";
        "dispersion_ratio", "chisq_statistic", "residual_df" and "p_value" for "overdispersion";
        "observed_zeros", "predicted_zeros", "ratio" for "zero_inflation"; "n_outliers".
    rows : tuple of int, or None
        Positions (from 0) among the rows used of the outliers.
    printed : Printed or None
        R's own verdict.

    Notes
    -----
    Mirrors ``performance::check_normality(model)`` and its like; Lüdecke et al. 2021,
    doi:10.21105/joss.03139.
    """

    check: str
    values: Mapping[str, float]
    rows: tuple[int, ...] | None = None
    printed: Printed | None = None

    @property
    def p_value(self) -> float:
        """The p value; the smallest where there are several, NaN where there is none."""
        if "p_value" in self.values:
            return self.values["p_value"]
        return min(self.values.values()) if self.check == "random_effects" else float("nan")

    def to_frame(self) -> pd.DataFrame:
        """Return one row a number."""
        return pd.DataFrame({"value": list(self.values.values())}, index=list(self.values))
