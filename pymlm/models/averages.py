"""Averages over the data: predictions, comparisons and slopes of a fitted model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pymlm.argument_types import Comparison, Ddf, Engine, Level, Names, ResponseOrLink, SlopeKind
from pymlm.arguments import strict
from pymlm.engine import Frame
from pymlm.errors import ArgumentError, DataError, near_names
from pymlm.frames import as_pandas, per_row, prepare, used_columns
from pymlm.models.averages_arguments import (
    Hypothesis,
    Rows,
    Transform,
    Variables,
    checked_ddf,
    hypothesis_asked,
    in_units,
    rows_made,
    transform_asked,
    variables_asked,
)
from pymlm.models.covariances import Covariance, fixed_covariance
from pymlm.models.simulation import SimulationMethods
from pymlm.results.averages import Averages


class AverageMethods(SimulationMethods):
    """What a model predicts on average, and how that changes with a predictor."""

    @strict
    def avg_predictions(
        self, variables: Variables | None = None, by: Names | None = None, newdata: Rows = None,
        type: ResponseOrLink = "response", re_form: str | None = None,
        ddf: Ddf | None = "asymptotic", level: Level = 0.95, engine: Engine | None = None,
        *, hypothesis: Hypothesis = None, wts: Any = None, vcov: Covariance = None,
        transform: Transform | None = None,
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
        newdata : DataFrame, dict or {"mean", "median", "balanced"}, optional
            Rows to average over, instead of those of the fit: "mean" and "median" are one row, of
            means or medians and most frequent values; "balanced" has all combinations of the fixed
            part's levels; a dict all combinations of its values, ``{"Days": [0, 5]}``, and the
            other columns as for "mean" (marginaleffects' ``datagrid()``).
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
        hypothesis : float, str, array, list or dict, optional
            What is tested of the averages. A number: the value under the null hypothesis. A family:
            "reference", "sequential", "pairwise" (the later less the earlier; "rev..." the other
            way), "meandev", "meanotherdev", "trt_vs_ctrl", "poly" or "helmert", also as
            ``"ratio ~ pairwise | group"``. An equation of the rows, which are b1, b2 ..., or of
            their terms: ``"b1 / b2 = 1"``, ``"am = vs"``; it need not be linear. Weights, one a
            row of the table. A list or a dict has several; a matrix a row each.
        wts : str or array, optional
            Weights of the rows in the averages: a column, or numbers.
        vcov : array, DataFrame, str, result or function, optional
            Another covariance matrix of the coefficients: numbers; "HC3", "CR2" or the like; "~ g"
            for errors clustered by g; what `pymlm.cluster_robust` or `robust_errors` answered; or a
            function of the model that gives one of these. With z tests (or residual df).
        transform : str or function, optional
            Of estimates and limits, at the end: "exp", "ln", "expit" ..., or a function of an
            array. Tests stay those of before, and there are no standard errors.

        Returns
        -------
        Averages

        Raises
        ------
        ArgumentError
            For a variable that is no predictor, or a value that it has not; a hypothesis that names
            no estimate or has the wrong length; a matrix that is no covariance of the coefficients.
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
            "predictions",
            variables,
            by,
            newdata,
            type,
            re_form,
            ddf,
            level,
            engine,
            hypothesis=hypothesis,
            vcov=vcov,
            transform=transform,
            wts=wts,
        )

    @strict
    def avg_comparisons(
        self, variables: Variables | None = None, by: Names | None = None, newdata: Rows = None,
        type: ResponseOrLink = "response", re_form: str | None = None,
        ddf: Ddf | None = "asymptotic", level: Level = 0.95, engine: Engine | None = None,
        *, comparison: Comparison = "difference", hypothesis: Hypothesis = None, wts: Any = None,
        vcov: Covariance = None, transform: Transform | None = None,
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
        by, newdata, type, re_form, ddf, level, engine, hypothesis, wts, vcov, transform
            As in `avg_predictions`.
        comparison : {"difference", "ratio", "lnratio", "lnor", "lift"}
            How two predictions are compared: a − b, a / b (tested against 0 unless hypothesis=1),
            ln(a / b), the log odds ratio, (a − b) / b. All but the difference are those of the
            averages, mean(a) / mean(b), as in marginaleffects; rows compare their own predictions.

        Returns
        -------
        Averages

        Notes
        -----
        Errors are those of `avg_predictions`, and of odds of no probability, logs below 0.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.avg_comparisons(["Days"]).to_frame()["estimate"].round(3).to_list()
        [10.467]
        """
        return self._averages(
            "comparisons",
            variables,
            by,
            newdata,
            type,
            re_form,
            ddf,
            level,
            engine,
            hypothesis=hypothesis,
            vcov=vcov,
            transform=transform,
            wts=wts,
            comparison=comparison,
        )

    @strict
    def avg_slopes(
        self, variables: Variables | None = None, by: Names | None = None, newdata: Rows = None,
        type: ResponseOrLink = "response", re_form: str | None = None,
        ddf: Ddf | None = "asymptotic", level: Level = 0.95, engine: Engine | None = None,
        *, slope: SlopeKind = "dydx", hypothesis: Hypothesis = None, wts: Any = None,
        vcov: Covariance = None, transform: Transform | None = None,
    ) -> Averages:  # fmt: skip
        """Average the slopes of the predictions: average marginal effects.

        Parameters
        ----------
        variables : str, list or dict, optional
            As in `avg_comparisons`; numbers have slopes dY/dX, factors are compared.
        by, newdata, type, re_form, ddf, level, engine, hypothesis, wts, vcov, transform
            As in `avg_predictions`.
        slope : {"dydx", "eyex", "eydx", "dyex"}
            dY/dX, or elasticities: dY/dX · x/ŷ, dY/dX / ŷ, dY/dX · x, averaged over the rows.
            Factors are compared by their difference.

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
        return self._averages(
            "slopes",
            variables,
            by,
            newdata,
            type,
            re_form,
            ddf,
            level,
            engine,
            hypothesis=hypothesis,
            vcov=vcov,
            transform=transform,
            wts=wts,
            comparison=slope,
        )

    @strict
    def predictions(
        self, variables: Variables | None = None, newdata: Rows = None,
        type: ResponseOrLink = "response", re_form: str | None = None,
        ddf: Ddf | None = "asymptotic", level: Level = 0.95, engine: Engine | None = None,
        *, hypothesis: Hypothesis = None, vcov: Covariance = None,
        transform: Transform | None = None,
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
            "predictions",
            variables,
            None,
            newdata,
            type,
            re_form,
            ddf,
            level,
            engine,
            each=True,
            hypothesis=hypothesis,
            vcov=vcov,
            transform=transform,
        )

    @strict
    def comparisons(
        self, variables: Variables | None = None, newdata: Rows = None,
        type: ResponseOrLink = "response", re_form: str | None = None,
        ddf: Ddf | None = "asymptotic", level: Level = 0.95, engine: Engine | None = None,
        *, comparison: Comparison = "difference", hypothesis: Hypothesis = None,
        vcov: Covariance = None, transform: Transform | None = None,
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
            "comparisons",
            variables,
            None,
            newdata,
            type,
            re_form,
            ddf,
            level,
            engine,
            each=True,
            hypothesis=hypothesis,
            vcov=vcov,
            transform=transform,
            comparison=comparison,
        )

    @strict
    def slopes(
        self, variables: Variables | None = None, newdata: Rows = None,
        type: ResponseOrLink = "response", re_form: str | None = None,
        ddf: Ddf | None = "asymptotic", level: Level = 0.95, engine: Engine | None = None,
        *, slope: SlopeKind = "dydx", hypothesis: Hypothesis = None,
        vcov: Covariance = None, transform: Transform | None = None,
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
            "slopes",
            variables,
            None,
            newdata,
            type,
            re_form,
            ddf,
            level,
            engine,
            each=True,
            hypothesis=hypothesis,
            vcov=vcov,
            transform=transform,
            comparison=slope,
        )

    def _averages(
        self, what: str, variables: Any, by: Any, newdata: Any, type: Any, re_form: Any, ddf: Any,
        level: Any, engine: Engine | None, each: bool = False, comparison: str = "difference",
        hypothesis: Hypothesis = None, wts: Any = None, vcov: Covariance = None,
        transform: Transform | None = None,
    ) -> Averages:  # fmt: skip
        names, how = variables_asked(variables)
        changed = transform_asked(transform)
        made = rows_made(newdata)
        frame = None if newdata is None or made is not None else as_pandas(newdata)
        form = self._vetted_re_form(re_form)
        asked, null = hypothesis_asked(hypothesis)
        args: dict[str, Any] = {
            "what": what, "variables": names, "how": how, "by": by, "made": made,
            "type": type, "re_form": form, "ddf": checked_ddf(ddf, vcov), "level": level,
            "each": each, "comparison": comparison, "hypothesis": asked, "null": null,
            "vcov": fixed_covariance(self, vcov), "weights": self._row_weights(wts, made, frame),
        }  # fmt: skip
        if frame is not None:
            args["newdata"] = self._new_rows(frame, form)
        if by and made is None:
            args["by_data"] = self._groups(by, frame)
        found: Averages = self._call_ddf("averages", Averages, args["ddf"], engine, **args)
        if each and not isinstance(made, dict) and made != "balanced":
            index = self._used_index if frame is None else frame.index
            found = replace(found, index=index if made is None else pd.Index([made]))
        return found if changed is None else in_units(found, *changed)

    def _row_weights(self, wts: Any, made: Any, frame: pd.DataFrame | None) -> Any:
        """One number a row averaged over."""
        if wts is None:
            return None
        if made is not None:
            raise ArgumentError(
                "wts weight the rows of data; give them to newdata that is a data frame"
            )
        data = self._source.users if frame is None else frame
        if data is None:
            raise DataError("wts: the data did not come with this model: give them as newdata=")
        weights = per_row(wts, "wts", data)
        if frame is None and self._used_rows is not None:
            weights = weights.iloc[self._used_rows]
        numbers = weights.to_numpy()
        if np.isnan(numbers).any() or (numbers < 0).any() or not numbers.any():
            raise DataError("wts must be numbers of at least 0, some above, without missing values")
        return numbers

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
