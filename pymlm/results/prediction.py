"""Predictions with their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from pymlm.results.base import Floats, Result


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Predictions(Result):
    """Predictions with standard errors and limits, one row per row of the new data.

    ``predictions["conf_low"]`` is a column on the data's own index; `to_frame` has them all.

    Attributes
    ----------
    index : Index, length n
        Of the data that were predicted for.
    fit : ndarray, shape (n,)
        The prediction, on the scale of `type`. NaN where a needed value is missing.
    std_error : ndarray, shape (n,)
        Standard error of the prediction, residual variance included for interval="prediction". On
        the response scale of a GLMM by the delta method.
    conf_low, conf_high : ndarray, shape (n,)
        fit ± z × std_error on the scale of the linear predictor, its ends transformed; with t
        where degrees of freedom were asked for.
    df : ndarray, shape (n,), or None
        Degrees of freedom of each row by method `ddf`.
    interval : str
        "confidence" or "prediction".
    level : float
    type : str
        "response" or "link".
    ddf : str or None

    Notes
    -----
    With x and z a row's fixed and random design, u the spherical random effects and Λ their
    relative covariance factor, the variance of the error of x'β̂ + z'Λû is
    σ² t'M⁻¹t with t = (Λ'z, x) and M = [[Λ'Z'WZΛ + I, Λ'Z'WX], [X'WZΛ, X'WX]]: the inverse of
    Henderson's mixed-model equations (1975, doi:10.2307/2529430), from the Cholesky factors that
    lme4 holds (Bates et al. 2015, doi:10.18637/jss.v067.i01).
    ``predict(model, se.fit = TRUE)`` of lme4 1.1-35 and later computes it, too, but agrees only
    without crossed factors. Without random effects it is x'Vx. A
    level that the model has not seen adds its variance σ² z'ΛΛ'z; a prediction interval adds σ².
    Covariance parameters are taken as known, as lme4 does.
    """

    _columns: ClassVar[tuple[str, ...]] = ("fit", "std_error", "conf_low", "conf_high")

    index: pd.Index
    fit: Floats
    std_error: Floats
    conf_low: Floats
    conf_high: Floats
    interval: str
    level: float
    type: str
    df: Floats | None = None
    ddf: str | None = None

    def __len__(self) -> int:
        return len(self.fit)

    @property
    def columns(self) -> pd.Index:
        """Names of the columns."""
        return self.to_frame().columns

    def to_frame(self) -> pd.DataFrame:
        """Return fit, std_error, conf_low and conf_high on the data's index; df where asked for."""
        names = [n for n in (*self._columns[:2], "df", *self._columns[2:])
                 if getattr(self, n) is not None]  # fmt: skip
        return pd.DataFrame({n: np.array(getattr(self, n)) for n in names}, index=self.index)

    def _html_caption(self) -> str:
        return f"{100 * self.level:g} % {self.interval} intervals, {self.type} scale"


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionColumns:
    """What the bridge's `predicted_interval` sends."""

    fit: Floats
    std_error: Floats
    conf_low: Floats
    conf_high: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedColumn:
    """One column of simulated responses, as the bridge's `simulated` sends it."""

    simulation: str
    name: str
    values: Floats | None
    text: tuple[str, ...] | None
