"""Explained variance and effect sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from pymlm.results.base import Floats, Result


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PseudoR2(Result):
    """Proportional reduction of each variance component; it may be negative.

    Attributes
    ----------
    grp, term : tuple of str, length k
        Grouping factor ("Residual" last) and coefficient.
    fewer, more : ndarray, shape (k,)
        The variance in the model with fewer and with more fixed effects.
    pseudo_r2 : ndarray, shape (k,)
        (fewer − more) / fewer; NaN where `fewer` is 0 or a model lacks the component.
    total_r2 : float
        Squared correlation of the outcome with the fixed part of the larger model.

    Notes
    -----
    Lectures S1 and S4; Raudenbush & Bryk 2002, Hierarchical Linear Models, 2nd ed., p. 74.
    """

    _columns: ClassVar[tuple[str, ...]] = ("fewer", "more", "pseudo_r2")

    grp: tuple[str, ...]
    term: tuple[str, ...]
    fewer: Floats
    more: Floats
    pseudo_r2: Floats
    total_r2: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row a component, indexed "group: coefficient"."""
        names = [g if g == "Residual" else f"{g}: {t}" for g, t in self._names()]
        return pd.DataFrame({c: np.array(getattr(self, c)) for c in self._columns}, index=names)

    def _names(self) -> list[tuple[str, str]]:
        return list(zip(self.grp, self.term, strict=True))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class R2(Result):
    """Marginal, conditional and total R².

    Attributes
    ----------
    marginal : float
        Variance of the fixed part over the total that the model implies.
    conditional : float
        Variance of fixed part and random effects over the same. Lecture S4 dissents from it:
        random effects are still unexplained.
    total : float
        Squared correlation of the outcome with the fixed part (S4's total R²); NaN for a GLMM.
    source : str
        "performance", or "own": for singular fits, which performance answers with NA, and where
        it does not count every random effect.

    Notes
    -----
    Mirrors ``performance::r2_nakagawa(model)``; Nakagawa & Schielzeth 2013,
    doi:10.1111/j.2041-210x.2012.00261.x; Johnson 2014, doi:10.1111/2041-210X.12225.
    """

    marginal: float
    conditional: float
    total: float
    source: str

    _columns: ClassVar[tuple[str, ...]] = ("marginal", "conditional", "total")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class R2Decomposition(Result):
    """Rights and Sterba's decomposition of the model-implied variance of a two-level model.

    Attributes
    ----------
    source : tuple of str
        "fixed, within" (f1), "fixed, between" (f2), "slope variation" (v), "mean variation" (m) and
        "residual".
    variance : ndarray, shape (5,)
        Squared units of the outcome.
    total, within, between : ndarray, shape (5,)
        Share of the total, the within-cluster and the between-cluster variance; NaN for a source
        that has no part in it, and `within` and `between` NaN throughout where a slope is random
        for a predictor that is not cluster-mean-centred.
    measures : dict of str to float
        R² by Rights and Sterba's names: "f1_t", "f2_t", "f_t", "v_t", "m_t", "fv_t", "fvm_t",
        "f1_w", "v_w", "f1v_w", "f2_b", "m_b", NaN where not defined.

    Notes
    -----
    Rights & Sterba 2019, doi:10.1037/met0000184. Within and between parts of the fixed part are
    those of the linear predictor X·beta itself, so no predictor needs to be centred for them.
    Variances and covariances of predictors are divided by n − 1, as in the R package r2mlm.
    """

    _columns: ClassVar[tuple[str, ...]] = ("variance", "total", "within", "between")
    _index: ClassVar[str | None] = "source"

    source: tuple[str, ...]
    variance: Floats
    total: Floats
    within: Floats
    between: Floats
    measures: dict[str, float]
