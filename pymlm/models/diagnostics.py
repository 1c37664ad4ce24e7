"""Residuals, influence and other checks."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd

from pymlm.argument_types import (
    LinearResidualType,
    Names,
    NlmeResidualType,
    ResidualType,
    Seed,
    Timeout,
)
from pymlm.arguments import choice, strict
from pymlm.models.attributes import CommonAttributes
from pymlm.models.parallel import check_seed
from pymlm.results.diagnostics import (
    Check,
    Influence,
    QuantileBlock,
    Quantiles,
    RePCA,
    VarianceInflation,
)

CheckName = Literal[
    "normality", "random_effects", "heteroscedasticity", "homogeneity", "autocorrelation",
    "overdispersion", "zero_inflation", "outliers",
]  # fmt: skip


class DiagnosticMethods(CommonAttributes):
    """Diagnostics of a fitted model."""

    #: Kinds of residuals that R has for the class.
    _residual_types: tuple[str, ...] = ()

    @strict
    def hat_values(self) -> pd.Series:
        """Return the leverages: the diagonal of the hat matrix, random effects included.

        Returns
        -------
        Series
            On the data's index, NaN where R dropped the row. Their sum is the effective number of
            parameters of the conditional fit.

        Notes
        -----
        Mirrors ``hatvalues(model)`` of lme4, which warns that they may not make sense for a GLMM.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.hat_values().head(2).round(3).to_list()
        [0.229, 0.17]
        """
        return self._by_row(self._call("hat_values"), "hat")

    @strict
    def cooks_distance(self) -> pd.Series:
        """Return Cook's distance of every row, from leverages and Pearson residuals.

        Returns
        -------
        Series
            On the data's index, NaN where R dropped the row.

        Notes
        -----
        Mirrors ``cooks.distance(model)`` of lme4, which refits nothing; `influence` does.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.cooks_distance().nlargest(1).index.to_list()
        [59]
        """
        return self._by_row(self._call("cooks_distances"), "cooks_distance")

    @strict
    def influence(self, groups: Names | None = None, timeout: Timeout | None = None) -> Influence:
        """Refit the model without each row, or each level of a grouping factor.

        Parameters
        ----------
        groups : str or list of str, optional
            Column (or columns, crossed) whose levels are left out one at a time; rows by default.
        timeout : float, optional
            Seconds after which R is stopped: there is one refit a level.

        Returns
        -------
        Influence
            Cook's distances, dfbetas, fixed effects and variance components of every refit.

        Raises
        ------
        DataError
            When `groups` is no column that the model uses; when the data did not come
            with a model from a file.

        Notes
        -----
        Mirrors ``influence(model, groups)`` of lme4; of an lm or glm R's own closed forms, which
        refit nothing, for single rows: ``dfbeta`` is then the estimate less that without the row
        (lme4's has the other sign), as ``stats::dfbeta`` has it.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> found = m.influence(groups="Subject").to_frame()
        >>> found["cooks_distance"].nlargest(2).index.to_list()
        ['309', '335']
        """
        return self._ask("influence", Influence, groups=groups, timeout=timeout)

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
