"""Prediction from a fitted mixed model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, overload

import numpy as np
import pandas as pd

from pymlm.argument_types import Data, Ddf, Engine, Interval, Level, NewLevels, ResponseOrLink
from pymlm.arguments import strict
from pymlm.engine import Frame
from pymlm.errors import ArgumentError, NotSupportedError
from pymlm.formula import vet
from pymlm.frames import as_pandas, prepare
from pymlm.models.newdata import needed_columns, offset_column
from pymlm.models.simulation import SimulationMethods
from pymlm.results.averages import Averages
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


class PredictionMethods(SimulationMethods):
    """What a fitted mixed model says of rows, old and new."""

    @overload
    def predict(
        self,
        newdata: Data | None = None,
        re_form: str | None = None,
        type: ResponseOrLink = "response",
        allow_new_levels: NewLevels = False,
        interval: None = None,
        level: Level = 0.95,
        ddf: Ddf | None = None,
        engine: Engine | None = None,
        *,
        random_only: bool = False,
    ) -> pd.Series: ...

    @overload
    def predict(
        self,
        newdata: Data | None = None,
        re_form: str | None = None,
        type: ResponseOrLink = "response",
        allow_new_levels: NewLevels = False,
        *,
        interval: Interval,
        level: Level = 0.95,
        ddf: Ddf | None = None,
        engine: Engine | None = None,
        random_only: bool = False,
    ) -> Predictions: ...

    @strict
    def predict(
        self,
        newdata: Data | None = None,
        re_form: str | None = None,
        type: ResponseOrLink = "response",
        allow_new_levels: NewLevels = False,
        interval: Interval | None = None,
        level: Level = 0.95,
        ddf: Ddf | None = None,
        engine: Engine | None = None,
        *,
        random_only: bool = False,
    ) -> pd.Series | Predictions:
        """Predict for the data or for new rows, on request with intervals.

        Parameters
        ----------
        newdata : DataFrame, optional
            Rows to predict for; it needs the predictors and, unless `re_form` leaves them out, the
            grouping factors. A row that misses one is answered with NaN.
        re_form : None, "NA" or str
            Random effects to condition on: None all, "NA" none, or a formula such as
            ``"~ (1 | g)"``.
        type : {"response", "link"}
        allow_new_levels : bool or "nan"
            Take unknown levels of a grouping factor at the population mean, instead of refusing;
            "nan" answers their rows with NaN.
        interval : {None, "confidence", "prediction"}
            Add standard errors and limits: of the linear predictor with the random effects that
            `re_form` keeps, their joint uncertainty with the fixed effects included ("confidence"),
            or of a new observation in that group ("prediction"; linear models). With
            ``re_form="NA"`` this is for a group whose effects are exactly zero; for a group drawn
            anew give it an unknown level and ``allow_new_levels=True``, and its variance is added.
        level : float
            Confidence level of the limits; normal quantiles, covariance parameters taken as known.
        ddf : {"Satterthwaite", "Kenward-Roger", "asymptotic"}, optional
            Limits with these degrees of freedom instead, those of the row's own hypothesis x'β;
            with Kenward-Roger its adjusted standard errors, too. For interval="confidence" and
            ``re_form="NA"``: a random effect's modes have none.
        engine : {"auto", "lmerTest", "exact"}, optional
            As in `summary`.
        random_only : bool
            The part of the random effects alone, without fixed effects and offset.

        Returns
        -------
        Series, or Predictions when `interval` is given
            On the index of `newdata`, or of the data.

        Raises
        ------
        DataError
            For a missing column (an offset given as a column's name is one), a column of another
            kind than in the fit, a level that the model has not seen, or new rows for a model
            whose offset was an array.
        ArgumentError
            For a `re_form` that is none; for `ddf` or an interval where there are none.
        NotSupportedError
            A prediction interval of a generalized model; new rows where the formula has a
            function of the whole column, such as ``rank(x)``, that one row does not tell.

        Warns
        -----
        AdviceWarning
            For rows that a rank-deficient fit cannot estimate, as emmeans finds them, and rows
            with a level that the data have only where the fit dropped the row: both are NaN.

        Notes
        -----
        Mirrors ``predict(model, newdata, re.form, type, allow.new.levels)`` of lme4, with the
        statistics of whole columns, ``I(x - mean(x))``, ``I(scale(x)^2)``, at their values in the
        fit; R computes them anew from the new rows. Standard errors solve Henderson's equations,
        see `Predictions`. ``se.fit = TRUE`` of lme4 1.1-35 and later means the same, but is wrong
        for crossed factors (lme4 2.1 gives 0.260, 0.411, 0.448 where the equations, solved by
        brute force, give 0.338, 0.383, 0.423).

        Examples
        --------
        >>> import pymlm as mlm
        >>> data = mlm.load_dataset("sleepstudy")
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", data)
        >>> m.predict(data.head(2), interval="confidence").to_frame().round(2).values.tolist()
        [[253.66, 12.25, 229.64, 277.68], [273.33, 10.54, 252.67, 293.99]]
        """
        form = self._vetted_re_form(re_form)
        args: dict[str, Any] = {
            "re_form": form,
            "type": type,
        }
        if ddf is not None:
            self._check_ddf_of_rows(interval, form, random_only)
            return self._predicted_by_ddf(newdata, type, ddf, engine, level)
        if random_only and (interval is not None or form == "NA"):
            raise ArgumentError(
                "random_only=True is a prediction without interval, and without re_form='NA': "
                "m.ranef() has standard deviations of the random effects"
            )
        index = self._source.index
        if newdata is not None:
            frame = as_pandas(newdata)
            index = frame.index
            args["newdata"] = self._new_rows(frame, form)
            args["allow_new_levels"] = allow_new_levels
        if random_only:
            args["random_only"] = True
        if interval is None:
            values = self._call("predicted", **args)
            if newdata is None:
                return self._by_row(values, "predicted")
            return pd.Series(values, index=index, name="predicted")
        args |= {"interval": interval, "level": level}
        found = self._call("predicted_interval", PredictionColumns, **args)

        def column(values: Any) -> Any:
            return values if newdata is not None else self._by_row(values, "").to_numpy()

        return Predictions(
            index=index,
            fit=column(found.fit),
            std_error=column(found.std_error),
            conf_low=column(found.conf_low),
            conf_high=column(found.conf_high),
            interval=interval,
            level=level,
            type=args["type"],
        )

    @staticmethod
    def _check_ddf_of_rows(interval: Any, form: str | None, random_only: bool) -> None:
        if interval is None:
            raise ArgumentError("ddf= is for limits: ask for interval='confidence'")
        if interval != "confidence" or form != "NA" or random_only:
            raise NotSupportedError(
                "degrees of freedom are those of a row's fixed part: interval='confidence' with "
                "re_form='NA'. m.predictions(ddf=) holds random effects at their modes; "
                "m.bootstrap() gives limits of new observations"
            )

    def _predicted_by_ddf(
        self, newdata: Any, type: Any, ddf: Any, engine: Any, level: float
    ) -> Predictions:
        found: Averages = self.predictions(  # type: ignore[attr-defined]  # of every mixed model
            newdata=newdata, type=type, re_form="NA", ddf=ddf, engine=engine, level=level
        )
        index = self._source.index if newdata is None else as_pandas(newdata).index
        frame = found.to_frame()
        at = np.asarray(found.rows, dtype=np.int64) - 1
        if newdata is None and self._used_rows is not None:
            at = self._used_rows[at]

        def column(name: str) -> Any:
            out = np.full(len(index), np.nan)
            out[at] = frame[name].to_numpy()
            return out

        return Predictions(
            index=index,
            fit=column("estimate"),
            std_error=column("std_error"),
            df=column("df"),
            conf_low=column("conf_low"),
            conf_high=column("conf_high"),
            interval="confidence",
            level=level,
            type=type,
            ddf=found.ddf,
        )

    def _new_rows(self, frame: pd.DataFrame, re_form: str | None) -> Frame:
        """The columns of new rows that a prediction needs, an offset's among them."""
        own = self._own_formula
        needed = [n for n in own.names if n not in own.response_names]
        if re_form == "NA":
            needed = list(self._call("fixed_names", tuple[str, ...]))
        elif re_form is not None:
            groups = vet(re_form, columns=self._source.sent).names
            fixed = self._call("fixed_names", tuple[str, ...])
            needed = list(dict.fromkeys([*fixed, *groups]))
        needed = [n for n in needed if n not in own.constants]
        have = {str(c) for c in frame.columns}
        known = set(self._source.sent) or set(own.names)
        offset = offset_column(self._call("offset_name", str | None), self._source)
        needed = [n for n in needed if n in known or n in have]
        return prepare(needed_columns(frame, needed, offset), keys=own.keys)
