"""Marginal means, trends, contrasts, and joint tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from pymlm.figures import figure_of
from pymlm.results.base import Floats, Printed, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelColumn:
    """One column that names the rows: a factor's levels, a covariate's values, or contrasts.

    Attributes
    ----------
    name : str
    text : tuple of str
        As R prints them.
    number : ndarray or None
        The values of a covariate; None for a factor.
    """

    name: str
    text: tuple[str, ...]
    number: Floats | None = None

    @property
    def values(self) -> Any:
        """Numbers for a covariate, text for a factor."""
        return list(self.text) if self.number is None else np.array(self.number)


_AFTER_ESTIMATE = (
    "std_error", "df", "conf_low", "conf_high", "null", "statistic", "p_value", "arrow_low",
    "arrow_high",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EmmGrid(Result):
    """Estimated marginal means, trends (slopes), or contrasts of them, one row each.

    Attributes
    ----------
    labels : tuple of LabelColumn
        What names row i: the factors of `specs` and `by`, or "contrast" and the `by` factors.
    by_names : tuple of str
        The factors that split the rows into families; adjustments hold within a family.
    kind : str
        "emmean", "trend" or "estimate" (a contrast): the name of the estimates' column.
    estimate : ndarray, shape (k,)
        On the scale of the linear predictor, or of the response for type="response". A trend is per
        unit of its variable. A contrast on the response scale of a log or logit link is a ratio.
        NaN where it is not estimable.
    std_error : ndarray, shape (k,)
        On the scale of `estimate` (delta method on the response scale).
    df : ndarray, shape (k,)
        Degrees of freedom by method `ddf`; infinite for z.
    conf_low, conf_high : ndarray, shape (k,), or None
        Interval at the level asked for, adjusted by `adjust`.
    null : ndarray, shape (k,), or None
        Value under the null hypothesis; None where it is 0.
    statistic, p_value : ndarray, shape (k,), or None
        t, or z where `statistic_name` says so; two-sided p adjusted by `adjust`.
    group : tuple of str, or None
        Compact letter display: means that share a symbol are not shown to differ.
    arrow_low, arrow_high : ndarray, shape (k,), or None
        Ends of the comparison arrows, where they were asked for; NaN where none points there.
    estimate_name : str
        R's name of the estimates: "emmean", "prob", "odds.ratio", "Days.trend" ...
    adjust : str
        Adjustment that was used, e.g. "tukey"; "none".
    ddf : str
        Method of the degrees of freedom.
    ddf_engine : str or None
        What computed them: "lmerTest", "pbkrtest", "exact" or "rule".
    notes : tuple of str
        emmeans' own remarks: what was averaged over, scale, adjustment; involved interactions.
    printed : Printed or None
        R's own print; what R says in messages stands below it.

    Notes
    -----
    Mirrors ``summary(emmeans(...))``, ``summary(emtrends(...))`` and ``summary(contrast(...))`` of
    emmeans; Searle, Speed & Milliken 1980, doi:10.1080/00031305.1980.10483031.
    """

    plot = figure_of("means")

    labels: tuple[LabelColumn, ...]
    by_names: tuple[str, ...] = ()
    kind: str
    estimate: Floats
    std_error: Floats
    df: Floats
    conf_low: Floats | None = None
    conf_high: Floats | None = None
    null: Floats | None = None
    statistic: Floats | None = None
    p_value: Floats | None = None
    group: tuple[str, ...] | None = None
    arrow_low: Floats | None = None
    arrow_high: Floats | None = None
    estimate_name: str
    statistic_name: str = "t"
    adjust: str = "none"
    ddf: str
    ddf_engine: str | None = None
    printed: Printed | None = None

    def __len__(self) -> int:
        return len(self.estimate)

    def to_frame(self) -> pd.DataFrame:
        """Return the factors, the estimates under the name `kind`, std_error, df and what is there.

        Columns conf_low and conf_high stand where there are intervals, statistic and p_value where
        there are tests, as in R.
        """
        columns: dict[str, Any] = {c.name: c.values for c in self.labels}
        columns[self.kind] = np.array(self.estimate)
        for name in _AFTER_ESTIMATE:
            values = getattr(self, name)
            if values is not None:
                columns[name] = np.array(values)
        if self.group is not None:
            columns["group"] = list(self.group)
        return pd.DataFrame(columns)

    def _html_caption(self) -> str:
        return "\n".join(self.notes)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class JointTests(Result):
    """F tests of all terms of a model through its marginal means ("type III").

    Attributes
    ----------
    term : tuple of str, length k
        Terms; "(confounded)" stands for effects that cannot be told apart.
    by : tuple of LabelColumn
        The factors within whose levels the tests were made.
    num_df, den_df : ndarray, shape (k,)
        Numerator and denominator degrees of freedom; den_df is infinite for z.
    statistic, p_value : ndarray, shape (k,)
        F (chi-square / num_df where den_df is infinite) and its p value.
    ddf : str
        Method of the denominator degrees of freedom.
    ddf_engine : str or None
        What computed them: "lmerTest", "pbkrtest", "exact" or "rule".
    notes : tuple of str
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``emmeans::joint_tests(model, by = )``. Sums of squares are not computed there: their
    columns in `to_frame` are NaN.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "sum_sq", "mean_sq", "num_df", "den_df", "statistic", "p_value",
    )  # fmt: skip
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    by: tuple[LabelColumn, ...] = ()
    sum_sq: Floats | None = None
    mean_sq: Floats | None = None
    num_df: Floats
    den_df: Floats
    statistic: Floats
    p_value: Floats
    ddf: str
    ddf_engine: str | None = None
    printed: Printed | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return one row a term; the `by` factors, where there are any, come first."""
        frame = Result.to_frame(self)
        for at, column in enumerate(self.by):
            frame.insert(at, column.name, column.values)
        return frame
