"""Tests of terms: analysis of variance tables, single deletions, backward elimination."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

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
