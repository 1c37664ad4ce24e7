"""refit(): the same model, another response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, overload

import numpy as np
import pandas as pd

from pymlm.arguments import strict
from pymlm.engine import RObject, call
from pymlm.errors import ArgumentError, DataError, NotSupportedError
from pymlm.formula import right_side, vet
from pymlm.frames import as_column, as_pandas, used_columns
from pymlm.models.common_attributes import CommonAttributes
from pymlm.models.families import check_two_levels
from pymlm.results.base import Floats
from pymlm.upward import from_above


class RefitMethods(CommonAttributes):
    """A model that can be fitted to another response."""

    @overload
    def refit(self, y: pd.DataFrame, weights: None = None) -> Any: ...

    @overload
    def refit(self, y: Any = None, weights: Any = None) -> Self: ...

    @strict
    def refit(self, y: Any = None, weights: Any = None) -> Any:
        """Fit the same model to another response; no data cross but the response.

        Parameters
        ----------
        y : str or array-like, optional
            A column of the data, or one number per row of the data (or per row used). Of a
            binomial model also booleans or two categories; of ``cbind(successes, failures)`` two
            columns (an array, a frame, or two names). Left out, the response stays.
            Of ``lmer`` and ``glmer`` also a frame: each column is a response, as in
            `pymlm.fit_many`.
        weights : str or array-like, optional
            Prior weights instead of the model's, as in `pymlm.lmer`.

        Returns
        -------
        The model that a fit to the new response would be
            Everything asked of it (df, tests, update, a script ...) is of that response. It keeps
            the rows of this one: the response is needed where a row is used, and a row that had
            none stays out. Where the response is an expression, ``log(y)``, `y` is its value; the
            expression stays where a column makes it so (here the exponential of `y`), and else
            the new response bears its name, in backticks.
            Of a frame it is `ManyFits`, by the names of its columns; a row that misses a response
            is left out of that fit alone.

        Raises
        ------
        DataError
            For a wrong length, another index, text, or missing or infinite values.

        Warns
        -----
        RWarning
            When the new response has values in rows that were dropped for want of the old one.

        Notes
        -----
        ``refit(model, newresp, newweights)`` of lme4 fits the same, but leaves the old
        response in the data and the call, from which lmerTest, drop1, influence ... then answer
        (lme4 issue 142); and it starts from this model's optimum. The dispersion of a negative
        binomial model stays what it is, as there; `pymlm.glmer_nb` estimates it anew.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> again = m.refit(m.simulate(seed=1).iloc[:, 0])
        >>> again.nobs
        180
        """
        if y is None and weights is None:
            raise ArgumentError("refit needs a response, y, or other weights")
        if hasattr(y, "columns") and not self._two_column_response:  # a frame, of whatever library
            return self._refitted_to_each(as_pandas(y), weights)
        if weights is not None:
            if "weights" not in getattr(self, "_updatable", ()):
                raise NotSupportedError(
                    "this class of models has no prior weights to change; lme and gls have "
                    "variance_by= in m.update"
                )
            response = None if y is None else self._response(y)  # refused before anything is fitted
            weighed: Self = self.update(weights=weights)  # type: ignore[attr-defined]  # Model has
            return weighed if response is None else weighed._refitted(response)
        return self._refitted(self._response(y))

    def _refitted_to_each(self, responses: pd.DataFrame, weights: Any) -> Any:
        source = self._source
        if getattr(source.fit, "__name__", None) not in ("lmer", "glmer") or source.data is None:
            raise NotSupportedError(
                "a frame of responses is for models of lmer and glmer that have their data; refit "
                "this one column by column"
            )
        if weights is not None:
            raise ArgumentError(
                "weights= goes with one response: m.update(weights=...).refit(frame)"
            )
        data = source.data.copy(deep=False)
        names = [str(c) for c in responses.columns]
        right = right_side(self.formula)
        taken = set(vet(right, trusted=True, columns=source.columns).names) & set(names)
        if taken or len(set(names)) < len(names) or not names:
            raise ArgumentError(
                f"the responses need names of their own, at least one; not {names[:5]}"
                + (f", of which the formula uses {sorted(taken)}" if taken else "")
            )
        arguments = dict(source.arguments)
        for name in ("weights", "offset"):  # as columns, so that they follow the rows
            value = arguments.get(name)
            if value is not None and not isinstance(value, str):
                hidden = f".{name}"
                while hidden in data or hidden in names:
                    hidden += "."
                data[hidden] = np.asarray(value)
                arguments[name] = hidden
        rows = self._in_all_rows(responses)
        made = [rows.iloc[:, j].set_axis(data.index).rename(n) for j, n in enumerate(names)]
        data = pd.concat([data.drop(columns=[c for c in data if str(c) in names]), *made], axis=1)
        return from_above("many", "fit_many")(right, data, responses=names, **arguments)

    def _in_all_rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Responses with a row for every row of the data, missing where this model has none."""
        index, used = self._source.index, self._used_rows
        if len(frame) == len(index) and frame.index.equals(index):
            at = np.arange(len(index))
        elif len(frame) == self.nobs and frame.index.equals(self._used_index):
            at = np.flatnonzero(self._is_used(used))
        else:
            raise DataError(
                f"the frame of responses has {len(frame)} rows; the model was fitted to "
                f"{self.nobs} rows of {len(index)}: give the frame the index of those"
            )
        places = np.full(len(index), -1)
        places[at] = np.arange(len(frame))
        places[~self._is_used(used)] = -1
        if (places >= 0).all():
            return frame.iloc[places]
        numbered = frame.set_axis(np.arange(len(frame)))
        return numbered.reindex(places)  # −1 is no row

    def _is_used(self, used: Any) -> Any:
        rows = np.full(len(self._source.index), used is None)
        if used is not None:
            rows[used] = True
        return rows

    @property
    def _two_column_response(self) -> bool:
        """Whether the response is cbind(successes, failures)."""
        return False

    @property
    def _response_family(self) -> str | None:
        """R's name of the family, of a generalized model."""
        return None

    def _response(self, y: Any) -> Any:
        return self._two_columns(y) if self._two_column_response else self._one_column(y)

    def _refitted(self, response: Any) -> Self:
        found = call("refit_model", self._handle, response, fitting=True)
        model = self._of_response(found["fit"], found["columns"])
        model._say_convergence()
        return model

    def _of_response(self, handle: RObject, columns: Mapping[str, Any]) -> Self:
        """A model of this class that was fitted to another response, as the bridge sends it."""
        made = {name: as_column(column) for name, column in columns.items()}
        model = type(self)(handle, self._source.with_columns(made))
        model._check_as(self)
        return model

    def _users_columns(self, names: list[str]) -> pd.DataFrame:
        if self._source.users is None:
            raise DataError("this model came from a file, without its data: give refit numbers")
        return used_columns(self._source.users, names, "response")

    def _new_response(self, y: Any) -> Floats:
        """One number a row of the data, used or not; NaN where there is none."""
        if isinstance(y, str):
            y = self._users_columns([y]).iloc[:, 0]
        if not isinstance(y, pd.Series):
            y = np.asarray(y)
            if y.ndim != 1:
                raise DataError(f"the new response must have one dimension, not {y.ndim}")
        elif not any(y.index.equals(rows) for rows in (self._source.index, self._used_index)):
            raise DataError(
                "the new response is a Series whose index differs from the data's: reindex it, or "
                "pass .to_numpy() if the rows are in the same order"
            )
        series = pd.Series(y)
        if not pd.api.types.is_numeric_dtype(series.dtype) or series.dtype.kind == "c":
            raise DataError(f"the new response must be numbers, not {series.dtype}")
        given = series.to_numpy(dtype=np.float64, na_value=np.nan)
        n, used = len(self._source.index), self._used_rows
        rows = slice(None) if used is None else used
        if len(given) == self.nobs:
            values = np.full(n, np.nan)
            values[rows] = given
        elif len(given) == n:
            values = np.array(given)
        else:
            raise DataError(
                f"the new response has {len(given)} values; the model was fitted to {self.nobs} "
                f"rows of {n}"
            )
        if not np.isfinite(values[rows]).all():
            raise DataError("the new response has missing or infinite values in rows that are used")
        values[np.isinf(values)] = np.nan  # in rows that no fit of this model uses
        return values

    def _one_column(self, y: Any) -> Any:
        if isinstance(y, str):
            y = self._users_columns([y]).iloc[:, 0]
        if self._response_family != "binomial" or np.ndim(y) != 1:
            return self._new_response(y)
        series = pd.Series(y)
        if pd.api.types.is_numeric_dtype(series.dtype):
            return self._new_response(y)
        check_two_levels("y", series)
        levels = (
            list(series.cat.categories)
            if isinstance(series.dtype, pd.CategoricalDtype)
            else sorted(series.dropna().unique())
        )
        numbers = series.map({level: float(i) for i, level in enumerate(levels)}).astype(float)
        return self._new_response(numbers if isinstance(y, pd.Series) else numbers.to_numpy())

    def _two_columns(self, y: Any) -> Any:
        if isinstance(y, (list, tuple)) and all(isinstance(x, str) for x in y):
            y = self._users_columns(list(y))
        matrix = np.asarray(y, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != 2:
            raise DataError(
                "this model's response is cbind(successes, failures): give refit two columns, "
                f"not an array of shape {matrix.shape}"
            )
        columns = [y.iloc[:, j] if isinstance(y, pd.DataFrame) else matrix[:, j] for j in range(2)]
        return np.column_stack([self._new_response(column) for column in columns])
