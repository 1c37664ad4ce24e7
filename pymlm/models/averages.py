"""Averages over the data: predictions, comparisons and slopes of a fitted model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pymlm.argument_types import Ddf, Engine, Level, Names, ResponseOrLink
from pymlm.arguments import strict, text_list
from pymlm.engine import Frame
from pymlm.errors import ArgumentError, DataError, NotSupportedError, near_names
from pymlm.frames import as_pandas, prepare, used_columns
from pymlm.models.simulation import SimulationMethods
from pymlm.results.averages import Averages

Variables = str | Sequence[str] | Mapping[str, Any]
#: Rows to average over: a frame, "mean" (one row of means and most frequent levels), or None.
Rows = Any


class AverageMethods(SimulationMethods):
    """What a model predicts on average, and how that changes with a predictor."""

    @strict
    def avg_predictions(
        self, variables: Variables | None = None, by: Names | None = None, newdata: Rows = None,
        type: ResponseOrLink = "response", re_form: str | None = None,
        ddf: Ddf | None = "asymptotic", level: Level = 0.95, engine: Engine | None = None,
    ) -> Averages:  # fmt: skip
        """Average the predictions over the rows of the data.

        Parameters
        ----------
        variables : str, list or dict, optional
            Predictors that every row is set to, in all combinations: counterfactual predictions.
            A dict names the values, ``{"Days": [0, 5]}``; else all levels, or for a number its
            five-number summary.
        by : str or list of str, optional
            Average within the groups of these columns, of any column of the data.
        newdata : DataFrame or "mean", optional
            Rows to average over, instead of those of the fit; "mean" is one row of means and most
            frequent values.
        type : {"response", "link"}
        re_form : None, "NA" or str
            Random effects that the predictions keep, as in `predict`.
        ddf : {"asymptotic", "Satterthwaite", "Kenward-Roger", "residual", "containment"}
            Degrees of freedom: z, as R's marginaleffects; lmerTest's or pbkrtest's of the average
            (linear mixed models; Kenward-Roger with its adjusted covariance); the residual ones
            of a model without random effects; or the smallest of the coefficients involved of an
            `lme`.
        level : float
        engine : {"auto", "lmerTest", "exact"}, optional
            As in `summary`.

        Returns
        -------
        Averages

        Raises
        ------
        ArgumentError
            For a variable that is no predictor, or a value that it has not.
        DataError
            For a missing column, or a group that the model has not seen.
        NotSupportedError
            For a nonlinear model, or degrees of freedom that the model has not.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (1 | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.avg_predictions({"Days": [0, 9]}, re_form="NA")["estimate"].round(2).tolist()
        [251.41, 345.61]
        """
        return self._averages(
            "predictions", variables, by, newdata, type, re_form, ddf, level, engine
        )

    @strict
    def avg_comparisons(
        self, variables: Variables | None = None, by: Names | None = None, newdata: Rows = None,
        type: ResponseOrLink = "response", re_form: str | None = None,
        ddf: Ddf | None = "asymptotic", level: Level = 0.95, engine: Engine | None = None,
    ) -> Averages:  # fmt: skip
        """Average what a change of a predictor does to the predictions.

        Parameters
        ----------
        variables : str, list or dict, optional
            Predictors; default those of the fixed part. A number changes by +1 (from 0 to 1 where
            it has no other values); a factor from its first level to each other, True from False.
            A dict says otherwise: a step, ``{"x": 5}``; two values, ``{"x": [0, 10]}``; "sd",
            "2sd", "iqr", "minmax", "slope"; for a factor "reference", "sequential", "pairwise" or
            two levels, the second less the first.
        by, newdata, type, re_form, ddf, level, engine
            As in `avg_predictions`.

        Returns
        -------
        Averages

        Notes
        -----
        Errors are those of `avg_predictions`.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.avg_comparisons(["Days"]).to_frame()["estimate"].round(3).to_list()
        [10.467]
        """
        return self._averages(
            "comparisons", variables, by, newdata, type, re_form, ddf, level, engine
        )

    @strict
    def avg_slopes(
        self, variables: Variables | None = None, by: Names | None = None, newdata: Rows = None,
        type: ResponseOrLink = "response", re_form: str | None = None,
        ddf: Ddf | None = "asymptotic", level: Level = 0.95, engine: Engine | None = None,
    ) -> Averages:  # fmt: skip
        """Average the slopes of the predictions: average marginal effects.

        Parameters
        ----------
        variables : str, list or dict, optional
            As in `avg_comparisons`; numbers have slopes dY/dX, factors are compared.
        by, newdata, type, re_form, ddf, level, engine
            As in `avg_predictions`.

        Returns
        -------
        Averages

        Notes
        -----
        Derivatives are central differences. Errors are those of `avg_predictions`.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.avg_slopes(["Days"]).to_frame()[["estimate", "std_error"]].round(3).values.tolist()
        [[10.467, 1.546]]
        """
        return self._averages("slopes", variables, by, newdata, type, re_form, ddf, level, engine)

    @strict
    def predictions(
        self, variables: Variables | None = None, newdata: Rows = None,
        type: ResponseOrLink = "response", re_form: str | None = None,
        ddf: Ddf | None = "asymptotic", level: Level = 0.95, engine: Engine | None = None,
    ) -> Averages:  # fmt: skip
        """Return the prediction of every row with its test and interval; see `avg_predictions`.

        With `ddf` they have Satterthwaite's or Kenward-Roger's degrees of freedom. The uncertainty
        is that of the fixed effects; `predict` with interval= adds that of the random effects.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.predictions().to_frame()["estimate"].head(2).round(1).to_list()
        [253.7, 273.3]
        """
        return self._averages(
            "predictions", variables, None, newdata, type, re_form, ddf, level, engine, each=True
        )

    @strict
    def comparisons(
        self, variables: Variables | None = None, newdata: Rows = None,
        type: ResponseOrLink = "response", re_form: str | None = None,
        ddf: Ddf | None = "asymptotic", level: Level = 0.95, engine: Engine | None = None,
    ) -> Averages:  # fmt: skip
        """Return the comparison of every row; see `avg_comparisons`.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.comparisons(["Days"]).to_frame()["estimate"].head(2).round(1).to_list()
        [19.7, 19.7]
        """
        return self._averages(
            "comparisons", variables, None, newdata, type, re_form, ddf, level, engine, each=True
        )

    @strict
    def slopes(
        self, variables: Variables | None = None, newdata: Rows = None,
        type: ResponseOrLink = "response", re_form: str | None = None,
        ddf: Ddf | None = "asymptotic", level: Level = 0.95, engine: Engine | None = None,
    ) -> Averages:  # fmt: skip
        """Return the slope of every row; ``newdata="mean"`` is at the means; see `avg_slopes`.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> slope = m.slopes(["Days"], newdata="mean", re_form="NA")
        >>> slope.to_frame()["estimate"].round(2).to_list()
        [10.47]
        """
        return self._averages(
            "slopes", variables, None, newdata, type, re_form, ddf, level, engine, each=True
        )

    def _averages(
        self, what: str, variables: Any, by: Any, newdata: Any, type: Any, re_form: Any, ddf: Any,
        level: Any, engine: Engine | None, each: bool = False,
    ) -> Averages:  # fmt: skip
        names, how = _variables(variables)
        groups = by
        means = isinstance(newdata, str)
        if means and newdata != "mean":
            raise ArgumentError(f"newdata is a data frame, 'mean' or None, not {newdata!r}")
        frame = None if newdata is None or means else as_pandas(newdata)
        form = self._vetted_re_form(re_form)
        args: dict[str, Any] = {
            "what": what, "variables": names, "how": how, "by": groups, "at_means": means,
            "type": type, "re_form": form,
            "ddf": _checked_ddf(ddf), "level": level, "each": each,
        }  # fmt: skip
        index = self._used_index
        if frame is not None:
            index = frame.index
            args["newdata"] = self._new_rows(frame, form)
        elif means:
            index = pd.Index(["mean"])
        if groups and not means:
            args["by_data"] = self._groups(groups, frame)
        found: Averages = self._call_ddf("averages", Averages, args["ddf"], engine, **args)
        return replace(found, index=index) if each else found

    def _new_rows(self, frame: pd.DataFrame, re_form: str | None) -> Frame:
        """The columns of new rows that a prediction needs, made ready for R."""
        raise NotImplementedError  # every class that predicts has its own

    def _groups(self, by: list[str], frame: pd.DataFrame | None) -> Any:
        """The columns of `by`, one row a row averaged over; None where R alone has them."""
        data = self._source.users if frame is None else frame
        if data is None:
            return None
        if frame is None and self._used_rows is not None:
            data = data.iloc[self._used_rows]
        have = [str(c) for c in data.columns]
        for name in by:
            if name not in have:
                raise DataError(f"by: the data have no column {name!r}.{near_names(name, have)}")
        return prepare(used_columns(data, by, "by"))


def _variables(given: Any) -> tuple[list[str] | None, dict[str, Any] | None]:
    if not isinstance(given, Mapping):
        return text_list(given, "variables"), None
    how = {}
    for name, value in given.items():
        if value is None:
            continue
        how[str(name)] = _values(str(name), value)
    if not given:
        raise ArgumentError("variables is empty: name predictors, or leave it out")
    return [str(k) for k in given], how


def _values(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return value
    array = np.atleast_1d(np.asarray(value))
    if array.ndim != 1 or not array.size or array.dtype.kind not in "biufUO":
        raise ArgumentError(f"variables: {name!r} takes a word, a number, or values, not {value!r}")
    if array.dtype.kind in "iuf":
        if not np.isfinite(array).all():
            raise ArgumentError(f"variables: {name!r} has a missing or infinite value")
        return array.astype(float)
    return [str(v).upper() if isinstance(v, bool) else str(v) for v in array.tolist()]


def _checked_ddf(ddf: str | None) -> str:
    method = ddf or "asymptotic"
    if method == "between-within":
        raise NotSupportedError(
            "the between-within rule is of single coefficients, not of averages over rows; use "
            "ddf='Satterthwaite', 'Kenward-Roger' or 'asymptotic'"
        )
    return method
