"""Averages over the data: predictions, comparisons and slopes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pymlm.results.base import ESTIMATES, Floats
from pymlm.results.emm import LabelColumn
from pymlm.results.estimates import EstimateColumns


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Averages(EstimateColumns):
    """Predictions, comparisons or slopes: averages over rows of the data, or one a row.

    Attributes
    ----------
    kind : str
        "predictions", "comparisons" or "slopes".
    term : tuple of str, length k
        The variable that is changed; "" for predictions.
    contrast : tuple of str, length k
        What is compared: "TRUE - FALSE", "b - a", "+1"; "dY/dX" for a slope.
    labels : tuple of LabelColumn
        Values of the variables that predictions were set to, and the groups averaged within.
    rows : ndarray, shape (k,), or None
        Position of the row of the data, from 1, where there is one answer a row.
    n_rows : ndarray, shape (k,), or None
        Rows averaged over; None for hypotheses.
    estimate, std_error : ndarray, shape (k,)
        On the scale of `type`; standard errors by the delta method. NaN after a `transform`.
    df : ndarray, shape (k,)
        Infinite for z.
    statistic, p_value : ndarray, shape (k,)
        (estimate − null) / std_error, two-sided.
    conf_low, conf_high : ndarray, shape (k,)
        At `level`. Of a row's prediction on the response scale they are the limits of its linear
        predictor, transformed; else estimate ± quantile × std_error.
    vcov : ndarray, shape (k, k), or None
        Covariance matrix of the averages; None for one answer a row.
    type : str
        "response" or "link".
    ddf : str
        Method of the degrees of freedom: "asymptotic" is z.
    level : float
    comparison : str
        How predictions were compared, or the kind of slope.
    hypothesis : tuple of str, length k, or None
        What of the averages was tested.
    null : float
        Value under the null hypothesis.
    transform : str or None
        Name of what was done to estimates and limits.
    index : Index or None
        Labels of the rows, where there is one answer a row.

    Notes
    -----
    With μ the inverse link and η̂ = x'β̂ + z'b̂ + offset, an average is g(β̂) = Σ wᵢ μ(η̂ᵢ), its
    gradient Σ wᵢ μ'(η̂ᵢ) xᵢ and its variance J V J', V = ``vcov(model)`` (Kenward-Roger's adjusted
    matrix for that method). Random effects stay at their modes and covariance parameters are taken
    as known, as in R's marginaleffects, whose published numbers the tests reproduce; Arel-Bundock,
    Greifer & Heiss 2024, doi:10.18637/jss.v111.i09. Ratios of averages, and hypotheses
    about them, have the gradients of the chain rule. Degrees of freedom are lmerTest's and
    pbkrtest's of the hypothesis Jβ = 0.
    """

    kind: str
    term: tuple[str, ...]
    contrast: tuple[str, ...]
    labels: tuple[LabelColumn, ...]
    rows: Floats | None
    n_rows: Floats | None
    vcov: Floats | None
    type: str
    ddf: str
    level: float
    comparison: str = "difference"
    hypothesis: tuple[str, ...] | None = None
    null: float = 0.0
    transform: str | None = None
    index: pd.Index | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return term and contrast (not of predictions), the groups, and the numbers.

        One answer a row stands on the index of the data that it is of.
        """
        out: dict[str, object] = {}
        if self.hypothesis is not None:
            out["hypothesis"] = list(self.hypothesis)
        elif self.kind != "predictions":
            out |= {"term": list(self.term), "contrast": list(self.contrast)}
        out |= {label.name: label.values for label in self.labels}
        out |= {name: np.array(getattr(self, name)) for name in ESTIMATES}
        index = None
        if self.rows is not None and self.index is not None:
            index = self.index[np.asarray(self.rows, dtype=np.int64) - 1]
        return pd.DataFrame(out, index=index)

    def __getitem__(self, column: str) -> pd.Series:
        return self.to_frame()[column]

    def __len__(self) -> int:
        return len(self.estimate)

    def _html_caption(self) -> str:
        what = "Average" if self.rows is None else "Row by row:"
        return f"{what} {self.kind}, {self.type} scale"
