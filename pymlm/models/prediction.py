"""Prediction from a fitted mixed model, and simulation."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal, overload

import numpy as np
import pandas as pd

from pymlm.arguments import choice, flag, fraction, strict
from pymlm.errors import ArgumentError, near_names
from pymlm.formula import Formula, vet
from pymlm.frames import as_pandas, prepare
from pymlm.models.described import Described
from pymlm.models.newdata import needed_columns
from pymlm.results.prediction import PredictionColumns, Predictions, SimulatedColumn

PredictType = Literal["response", "link"]
Interval = Literal["confidence", "prediction"]


class PredictionMethods(Described):
    """What a fitted mixed model says of rows, old and new."""

    @overload
    def predict(
        self,
        newdata: Any = None,
        re_form: str | None = None,
        type: PredictType = "response",
        allow_new_levels: bool = False,
        interval: None = None,
        level: float = 0.95,
    ) -> pd.Series: ...

    @overload
    def predict(
        self,
        newdata: Any = None,
        re_form: str | None = None,
        type: PredictType = "response",
        allow_new_levels: bool = False,
        *,
        interval: Interval,
        level: float = 0.95,
    ) -> Predictions: ...

    @strict
    def predict(
        self,
        newdata: Any = None,
        re_form: str | None = None,
        type: PredictType = "response",
        allow_new_levels: bool = False,
        interval: Interval | None = None,
        level: float = 0.95,
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
        allow_new_levels : bool
            Take unknown levels of a grouping factor at the population mean, instead of refusing.
        interval : {None, "confidence", "prediction"}
            Add standard errors and limits: of the linear predictor with the random effects that
            `re_form` keeps, their joint uncertainty with the fixed effects included ("confidence"),
            or of a new observation in that group ("prediction"; linear models). With
            ``re_form="NA"`` this is for a group whose effects are exactly zero; for a group drawn
            anew give it an unknown level and ``allow_new_levels=True``, and its variance is added.
        level : float
            Confidence level of the limits; normal quantiles, covariance parameters taken as known.

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
            For a `re_form` that is none.
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
            "type": choice(type, ("response", "link"), "type"),
        }
        index = self._source.index
        if newdata is not None:
            frame = as_pandas(newdata)
            index = frame.index
            args["newdata"] = prepare(self._needed(frame, form), keys=self._own_formula.keys)
            args["allow_new_levels"] = flag(allow_new_levels, "allow_new_levels")
        kind = choice(interval, ("confidence", "prediction", None), "interval")
        if kind is None:
            values = self._call("predicted", **args)
            if newdata is None:
                return self._by_row(values, "predicted")
            return pd.Series(values, index=index, name="predicted")
        args |= {"interval": kind, "level": fraction(level, "level")}
        found = self._call("predicted_interval", PredictionColumns, **args)

        def column(values: Any) -> Any:
            return values if newdata is not None else self._by_row(values, "").to_numpy()

        return Predictions(
            index=index,
            fit=column(found.fit),
            std_error=column(found.std_error),
            conf_low=column(found.conf_low),
            conf_high=column(found.conf_high),
            interval=kind,
            level=float(level),
            type=args["type"],
        )

    @strict
    def simulate(
        self,
        nsim: int = 1,
        seed: int | None = None,
        re_form: str | None = None,
        use_u: bool = False,
    ) -> pd.DataFrame:
        """Simulate responses from the fitted model.

        Parameters
        ----------
        nsim : int
            Number of simulations.
        seed : int, optional
            For the same seed the numbers are R's. R's own stream of random numbers stays where it
            was. Without a seed the numbers come from that stream.
        re_form : None, "NA" or str
            None (as "NA") draws all random effects anew, which is R's default here. A formula such
            as ``"~ (1 | g)"`` keeps the conditional modes of these terms and draws the others.
        use_u : bool
            Keep the conditional modes of all random effects.

        Returns
        -------
        DataFrame
            Columns sim_1, sim_2 ... on the data's index, NaN where R dropped the row. For a
            response ``cbind(successes, failures)`` two columns each: "sim_1.successes" ... .

        Raises
        ------
        ArgumentError
            For an impossible number, seed or `re_form`.

        Notes
        -----
        Mirrors ``simulate(model, nsim, seed, re.form, use.u)`` of lme4, with R's default random
        number generators.
        """
        if isinstance(nsim, bool) or not isinstance(nsim, (int, np.integer)) or nsim < 1:
            raise ArgumentError(f"nsim must be a whole number above 0, not {nsim!r}")
        form = self._vetted_re_form(re_form)
        if flag(use_u, "use_u") and form is not None:
            raise ArgumentError("give re_form or use_u, not both")
        columns = self._call(
            "simulated",
            tuple[SimulatedColumn, ...],
            nsim=int(nsim),
            seed=_checked_seed(seed),
            re_form=form,
            use_u=use_u,
        )
        out: dict[str, pd.Series] = {}
        for column in columns:
            name = f"{column.simulation}.{column.name}" if column.name else column.simulation
            if column.values is not None:
                out[name] = self._by_row(column.values, name)
            else:
                text = pd.Series(list(column.text or ()), index=self._used_positions())
                out[name] = text.reindex(range(len(self._source.index)))
                out[name].index = self._source.index
        return pd.DataFrame(out)

    @cached_property
    def _own_formula(self) -> Formula:
        return vet(self.formula, trusted=True, columns=self._source.sent)

    def _used_positions(self) -> Any:
        used = self._used_rows
        return range(len(self._source.index)) if used is None else used

    def _vetted_re_form(self, re_form: str | None) -> str | None:
        if re_form is None or (isinstance(re_form, str) and re_form.strip() in ("NA", "~0", "~ 0")):
            return None if re_form is None else "NA"
        if not isinstance(re_form, str):
            raise ArgumentError(
                f"re_form is None (all random effects), 'NA' (none) or a formula such as "
                f"'~ (1 | g)', not {re_form!r}"
            )
        formula = vet(re_form, columns=self._source.sent)
        if formula.two_sided or not formula.n_bars:
            raise ArgumentError(
                f"re_form is one-sided and names random effects, e.g. '~ (1 | g)', not {re_form!r}"
            )
        for group in formula.groups:
            own = self._own_formula.groups
            if group not in own:
                raise ArgumentError(
                    f"re_form={re_form!r}: the model has no grouping factor {group!r}."
                    + (near_names(group, own) or f" It has: {', '.join(own)}")
                )
        return re_form

    def _needed(self, newdata: pd.DataFrame, re_form: str | None) -> pd.DataFrame:
        """The columns of `newdata` that a prediction needs, an offset's among them."""
        own = self._own_formula
        needed = [n for n in own.names if n not in own.response_names]
        if re_form == "NA":
            needed = list(self._call("fixed_names", tuple[str, ...]))
        elif re_form is not None:
            groups = vet(re_form, columns=self._source.sent).names
            fixed = self._call("fixed_names", tuple[str, ...])
            needed = list(dict.fromkeys([*fixed, *groups]))
        needed = [n for n in needed if n not in own.constants]
        have = {str(c) for c in newdata.columns}
        known = set(self._source.sent) or set(own.names)
        offset = self._call("offset_name", str | None)
        return needed_columns(newdata, [n for n in needed if n in known or n in have], offset)


def _checked_seed(seed: int | None) -> int | None:
    if seed is None:
        return None
    whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    if not whole or not -(2**31) < seed < 2**31:
        raise ArgumentError(f"seed must be a whole number that R's set.seed takes, not {seed!r}")
    return int(seed)
