"""What lm and glm predict."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, overload

import pandas as pd

from pymlm.argument_types import Data, Interval, Level, ResponseOrLink
from pymlm.arguments import strict
from pymlm.engine import Frame
from pymlm.errors import NotSupportedError
from pymlm.frames import as_pandas, prepare
from pymlm.models.averages import AverageMethods
from pymlm.models.model import Model
from pymlm.models.newdata import needed_columns, offset_column
from pymlm.results.base import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """Predictions, with standard errors and limits where they were asked for."""

    predicted: Floats
    std_error: Floats | None = None
    conf_low: Floats | None = None
    conf_high: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _LinearDescription:
    formula: str
    call: str
    nobs: int
    dropped: Floats
    sigma: float
    loglik: float
    npar: int
    df_residual: int
    aic: float
    bic: float
    deviance: float
    rank: int
    term_labels: tuple[str, ...]
    aliased: tuple[str, ...]
    family: str | None
    link: str | None
    converged: bool
    null_deviance: float | None
    dispersion: float | None
    offset: str | None
    two_columns: bool
    frame_names: tuple[str, ...]
    ddf: str | None


class LinearPrediction(Model, AverageMethods):
    """A linear model as far as its description and predictions go."""

    @cached_property
    def _described(self) -> _LinearDescription:
        found: _LinearDescription = self._call("describe", _LinearDescription)
        return found

    def _description(self) -> _LinearDescription:
        return self._described

    @overload
    def predict(
        self, newdata: Data | None = None, type: ResponseOrLink = "response", interval: None = None,
        level: Level = 0.95, se: Literal[False] = False,
    ) -> pd.Series: ...  # fmt: skip

    @overload
    def predict(
        self, newdata: Data | None = None, type: ResponseOrLink = "response", *, interval: Interval,
        level: Level = 0.95, se: bool = False,
    ) -> pd.DataFrame: ...  # fmt: skip

    @overload
    def predict(
        self, newdata: Data | None = None, type: ResponseOrLink = "response",
        interval: Interval | None = None, level: Level = 0.95, *, se: Literal[True],
    ) -> pd.DataFrame: ...  # fmt: skip

    @strict
    def predict(
        self,
        newdata: Data | None = None,
        type: ResponseOrLink = "response",
        interval: Interval | None = None,
        level: Level = 0.95,
        se: bool = False,
    ) -> pd.Series | pd.DataFrame:
        """Predict for the data or for new rows.

        Parameters
        ----------
        newdata : DataFrame, optional
        type : {"response", "link"}
        interval : {None, "confidence", "prediction"}
            Of an lm: limits of the mean, or of a new observation.
        level : float
        se : bool
            Add the standard error of the mean, on the scale of `type`: ``se.fit``.

        Returns
        -------
        Series, or with `interval` or `se` DataFrame
            The latter has columns predicted, std_error (with `se`), conf_low, conf_high.

        Raises
        ------
        DataError
            For a missing column (an offset given as a column's name is one), a column of another
            kind than in the fit, or a level that the model has not seen.
        NotSupportedError
            For an interval of a glm, which R's ``predict.glm`` does not give.

        Notes
        -----
        Mirrors ``predict(model, newdata, type =, se.fit =, interval =, level =)``.
        """
        if interval is not None and self._described.family is not None:
            raise NotSupportedError("R gives no intervals for predictions of a glm")
        args: dict[str, Any] = {
            "type": type, "interval": interval or "none", "level": level, "se": se,
        }  # fmt: skip
        index = self._used_index
        if newdata is not None:
            frame = as_pandas(newdata)
            args["newdata"] = self._new_rows(frame)
            index = frame.index
        found: Predicted = self._call("linear_predicted", Predicted, **args)
        columns = {"predicted": found.predicted}
        if found.std_error is not None:
            columns["std_error"] = found.std_error
        if found.conf_low is not None and found.conf_high is not None:
            columns |= {"conf_low": found.conf_low, "conf_high": found.conf_high}
        out = pd.DataFrame(columns, index=index)
        if newdata is None and self._used_rows is not None:
            rows = {k: self._by_row(v.to_numpy(), str(k)) for k, v in out.items()}
            out = pd.DataFrame(rows, index=self._source.index)
        return out if interval is not None or se else out["predicted"]

    def _new_rows(self, frame: pd.DataFrame, re_form: str | None = None) -> Frame:
        own = self._own_formula
        known = set(self._source.sent) or {str(c) for c in frame.columns}
        needed = [n for n in own.names if n not in own.response_names and n in known]
        offset = offset_column(self._described.offset, self._source)
        return prepare(needed_columns(frame, needed, offset), keys=own.keys)
