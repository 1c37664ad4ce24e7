"""Leverage, Cook's distance, and what leaving out a group or a row does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from pymlm.argument_types import Names, Timeout
from pymlm.arguments import strict
from pymlm.models.common_attributes import CommonAttributes
from pymlm.results.base import Floats, Result


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


class InfluenceMethods(CommonAttributes):
    """What single rows and groups do to the fit."""

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
