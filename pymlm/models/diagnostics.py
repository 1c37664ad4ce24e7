"""Residuals, influence and other checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from pymlm.argument_types import (
    LinearResidualType,
    NlmeResidualType,
    ResidualType,
    Seed,
)
from pymlm.arguments import choice, strict
from pymlm.figures import figure_of
from pymlm.models.common_attributes import CommonAttributes
from pymlm.models.parallel import check_seed
from pymlm.results.base import Floats, Printed, Result

CheckName = Literal[
    "normality", "random_effects", "heteroscedasticity", "homogeneity", "autocorrelation",
    "overdispersion", "zero_inflation", "outliers",
]  # fmt: skip


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


class DiagnosticMethods(CommonAttributes):
    """Diagnostics of a fitted model."""

    #: Kinds of residuals that R has for the class.
    _residual_types: tuple[str, ...] = ()

    def re_pca(self) -> RePCA:
        """Return the principal components of the random effects of each grouping factor.

        Notes
        -----
        Mirrors ``rePCA(model)`` of lme4.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.re_pca().to_frame()["proportion"].round(3).to_list()
        [0.946, 0.054]
        """
        return self._ask("re_pca", RePCA)

    def vif(self) -> VarianceInflation:
        """Return (generalized) variance inflation factors of the terms of the fixed part.

        Raises
        ------
        NotSupportedError
            When the model has fewer than two terms.

        Notes
        -----
        Equal to ``car::vif(model)``; see `VarianceInflation` for the formula.

        Examples
        --------
        >>> import pymlm as mlm
        >>> exam = mlm.load_dataset("mlmRev::Exam")
        >>> m = mlm.lmer("normexam ~ standLRT + schavg + (1 | school)", exam)
        >>> m.vif().to_frame()["vif"].round(2).to_list()
        [1.01, 1.01]
        """
        found: VarianceInflation = self._call("vif_values", VarianceInflation)
        return found

    @strict
    def qq_data(
        self,
        what: Literal["residuals", "random"] = "residuals",
        type: ResidualType | LinearResidualType | NlmeResidualType = "pearson",
    ) -> Quantiles:
        """Return sample and normal quantiles of the residuals or of the random effects.

        Parameters
        ----------
        what : {"residuals", "random"}
        type : str
            Of the residuals: any kind that `residuals` of the class has.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.qq_data("residuals").to_frame()[["sample", "theoretical"]].shape
        (180, 2)
        """
        kind = choice(type, self._residual_types, "type")
        blocks: Any = self._call("qq_points", tuple[QuantileBlock, ...], what=what, type=kind)
        return Quantiles(blocks=blocks)

    @strict
    def check(self, what: CheckName, seed: Seed = 1) -> Check:
        """Check one of the model's assumptions, by R's performance package.

        Parameters
        ----------
        what : str
            "normality" (of residuals), "random_effects" (their normality), "heteroscedasticity",
            "homogeneity" (of variances between groups), "autocorrelation", "overdispersion",
            "zero_inflation" (counts) or "outliers". For collinearity see `vif`.
        seed : int
            Of the checks that draw random numbers; R's own stream stays where it was.

        Returns
        -------
        Check
            Its numbers; ``print`` gives performance's verdict.

        Raises
        ------
        RPackageError
            When performance is not installed.
        NotSupportedError
            Where the check does not apply to the model.

        Notes
        -----
        Mirrors ``performance::check_normality(model)`` and its like. "heteroscedasticity" is
        the score test of Breusch & Pagan (1979, doi:10.2307/1911963) and Cook & Weisberg (1983,
        doi:10.1093/biomet/70.1.1) on the fitted values, for performance's is wrong for lme4's
        models.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.check("heteroscedasticity").to_frame().loc["statistic", "value"].round(2).item()
        20.1
        """
        return self._ask("check", Check, what=what, seed=check_seed(seed))
