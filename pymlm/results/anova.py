"""Tests of terms: analysis of variance tables, single deletions, backward elimination."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from pymlm.results.base import Floats, Printed, Result


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AnovaTable(Result):
    """Tests of the fixed effects, one row per term (or one row for a joint hypothesis).

    Attributes
    ----------
    term : tuple of str, length k
        Terms as R writes them, e.g. "nutrient:amd"; "<none>" is the model itself.
    sum_sq, mean_sq : ndarray, shape (k,), or None
        statistic × sigma² (times num_df), in squared units of the response.
    num_df, den_df : ndarray, shape (k,), or None
        Numerator and denominator degrees of freedom; den_df is infinite for Wald chi-squared
        tests, None in lme4's own table.
    statistic : ndarray, shape (k,)
        F, or chi-squared where `statistic_name` says so.
    p_value : ndarray, shape (k,), or None
    aic : ndarray, shape (k,), or None
        Akaike's criterion of the model without the term; `drop1(ddf=None)` alone has it.
    statistic_name : str
        "F" or "chisq".
    type : str or None
        "I", "II" or "III".
    ddf : str or None
        Method of the denominator degrees of freedom.
    ddf_engine : str or None
        What computed them: "lmerTest", "pbkrtest", "exact" or "rule".
    hypotheses : ndarray, shape (k, p), or None
        The rows of L of a joint contest, and `rhs`, shape (k,), what they are tested against.
    coefficients : tuple of str, length p
        What the columns of `hypotheses` belong to; empty of other tables, as `response` is None.
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``anova(model, type, ddf)`` and ``drop1(model, ddf = ddf)`` of lmerTest,
    ``anova(model)`` of lme4; Kuznetsova et al. 2017, doi:10.18637/jss.v082.i13.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "sum_sq", "mean_sq", "num_df", "den_df", "statistic", "p_value",
    )  # fmt: skip
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    sum_sq: Floats | None = None
    mean_sq: Floats | None = None
    num_df: Floats | None = None
    den_df: Floats | None = None
    statistic: Floats
    p_value: Floats | None = None
    aic: Floats | None = None
    statistic_name: str = "F"
    type: str | None = None
    ddf: str | None = None
    ddf_engine: str | None = None
    hypotheses: Floats | None = None
    rhs: Floats | None = None
    coefficients: tuple[str, ...] = ()
    response: str | None = None
    printed: Printed | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return one row a term; chi-squared tests say so in a column `test`, and keep AIC."""
        frame = Result.to_frame(self)
        if self.statistic_name != "F":
            frame["test"] = self.statistic_name
        if self.aic is not None:
            frame["aic"] = self.aic
        return frame


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RandomSteps(Result):
    """Backward elimination of random-effect terms; columns as in `RandomAnova`.

    Attributes
    ----------
    term : tuple of str, length k
    eliminated : ndarray, shape (k,)
        1, 2 … in the order in which terms left; 0 for those that stayed; NaN for the full model.
    npar, loglik, aic, lrt, df, p_value : ndarray, shape (k,)
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "eliminated", "npar", "loglik", "aic", "lrt", "df", "p_value",
    )  # fmt: skip
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    eliminated: Floats
    npar: Floats
    loglik: Floats
    aic: Floats
    lrt: Floats
    df: Floats
    p_value: Floats


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class FixedSteps(Result):
    """Backward elimination of fixed-effect terms; columns as in `AnovaTable`.

    Attributes
    ----------
    term : tuple of str, length k
    eliminated : ndarray, shape (k,)
        1, 2 … in the order in which terms left; 0 for those that stayed.
    sum_sq, mean_sq, num_df, den_df, statistic, p_value : ndarray, shape (k,)
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "eliminated", "sum_sq", "mean_sq", "num_df", "den_df", "statistic", "p_value",
    )  # fmt: skip
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    eliminated: Floats
    sum_sq: Floats
    mean_sq: Floats
    num_df: Floats
    den_df: Floats | None = None
    statistic: Floats
    p_value: Floats


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Steps(Result):
    """The path of a backward elimination and the model that it ended with.

    Attributes
    ----------
    random : RandomSteps
        Likelihood-ratio tests of random-effect terms, with R's p-values (no mixture).
    fixed : FixedSteps
        F tests of fixed-effect terms.
    formula : str
        Formula of the final model.
    ddf : str
        Method of the denominator degrees of freedom.
    ddf_engine : str or None
        What computed them: "lmerTest", "pbkrtest", "exact" or "rule".
    model : object
        The final model, fitted: a LinearMixedModel, or a LinearModel when no random effect was
        left. Not part of `to_dict`.
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``step(model, ddf, alpha.random, alpha.fixed, …)`` of lmerTest. p-values after
    selection are too small; report the path.
    """

    random: RandomSteps
    fixed: FixedSteps
    formula: str
    ddf: str
    ddf_engine: str | None = None
    model: Any = None
    printed: Printed | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return both tables, one below the other; column `part` is "random" or "fixed"."""
        parts = [
            table.to_frame().assign(part=name)
            for name, table in (("random", self.random), ("fixed", self.fixed))
        ]
        columns = ["part", *dict.fromkeys(c for p in parts for c in p.columns if c != "part")]
        index = [*parts[0].index, *parts[1].index]
        data = {
            c: np.concatenate([p[c] if c in p else np.full(len(p), np.nan) for p in parts])
            for c in columns
        }
        return pd.DataFrame(data, index=pd.Index(index, dtype=object))

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain dicts; the fitted model stays out."""
        return {
            "random": self.random.to_dict(),
            "fixed": self.fixed.to_dict(),
            "formula": self.formula,
            "ddf": self.ddf,
            "ddf_engine": self.ddf_engine,
            "notes": list(self.notes),
            "printed": None if self.printed is None else str(self.printed),
        }
