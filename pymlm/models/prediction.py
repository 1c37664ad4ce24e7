"""Prediction from a fitted mixed model."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd

from pymlm.arguments import choice, flag, strict
from pymlm.errors import ArgumentError, DataError
from pymlm.formula import vet
from pymlm.frames import as_pandas, prepare, used_columns
from pymlm.models.described import Described

PredictType = Literal["response", "link"]


class PredictionMethods(Described):
    """What a fitted mixed model says of rows, old and new."""

    @strict
    def predict(
        self,
        newdata: Any = None,
        re_form: str | None = None,
        type: PredictType = "response",
        allow_new_levels: bool = False,
    ) -> pd.Series:
        """Predict for the data or for new rows.

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

        Returns
        -------
        Series
            On the index of `newdata`, or of the data.

        Raises
        ------
        DataError
            For a missing column, or a level that the model has not seen.

        Notes
        -----
        Mirrors ``predict(model, newdata, re.form, type, allow.new.levels)`` of lme4.
        """
        form = self._vetted_re_form(re_form)
        kind = choice(type, ("response", "link"), "type")
        args: dict[str, Any] = {"re_form": form, "type": kind}
        if newdata is None:
            return self._by_row(self._call("predicted", **args), "predicted")
        frame = as_pandas(newdata)
        args["newdata"] = prepare(self._needed(frame, form))
        args["allow_new_levels"] = flag(allow_new_levels, "allow_new_levels")
        return pd.Series(self._call("predicted", **args), index=frame.index, name="predicted")

    def _vetted_re_form(self, re_form: str | None) -> str | None:
        if re_form is None or (isinstance(re_form, str) and re_form.strip() in ("NA", "~0", "~ 0")):
            return None if re_form is None else "NA"
        if not isinstance(re_form, str):
            raise ArgumentError(
                f"re_form is None (all random effects), 'NA' (none) or a formula such as "
                f"'~ (1 | g)', not {re_form!r}"
            )
        formula = vet(re_form)
        if formula.two_sided or not formula.n_bars:
            raise ArgumentError(
                f"re_form is one-sided and names random effects, e.g. '~ (1 | g)', not {re_form!r}"
            )
        return re_form

    def _needed(self, newdata: pd.DataFrame, re_form: str | None) -> pd.DataFrame:
        """The columns of `newdata` that a prediction needs."""
        own = vet(self.formula, trusted=True)
        needed = [n for n in own.names if n not in own.response_names]
        if re_form == "NA":
            needed = list(self._call("fixed_names", tuple[str, ...]))
        elif re_form is not None:
            groups = vet(re_form).names
            fixed = self._call("fixed_names", tuple[str, ...])
            needed = list(dict.fromkeys([*fixed, *groups]))
        have = {str(c) for c in newdata.columns}
        known = set(self._source.sent) or set(own.names)
        missing = [n for n in needed if n not in have and n in known]
        if missing:
            raise DataError(
                f"newdata has no column {missing[0]!r}, which the model uses. It needs: "
                f"{', '.join(n for n in needed if n in known)}"
            )
        return used_columns(newdata, [n for n in needed if n in have], "newdata")
