"""What every fitted mixed model answers; each method is one question to the bridge."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from pymlm.arguments import check_ddf, choice, flag, strict
from pymlm.engine import RObject, call
from pymlm.errors import DataError
from pymlm.figures import figure_of
from pymlm.frames import as_column, used_columns
from pymlm.models.all_fit import AllFitMethods
from pymlm.models.diagnostics import DiagnosticMethods
from pymlm.models.fitting import warn_about
from pymlm.models.fixed_tests import FixedTestMethods
from pymlm.models.means import MeansMethods
from pymlm.models.prediction import PredictionMethods
from pymlm.models.script import write_script
from pymlm.models.tables import TableMethods
from pymlm.models.variance_tests import VarianceMethods
from pymlm.results.base import Floats
from pymlm.results.fixed import NamedMatrix, NamedValues
from pymlm.results.ranef import Coefficients, RandomEffects
from pymlm.results.summary import Summary
from pymlm.results.varcorr import VarCorr

ResidualType = Literal["response", "pearson", "deviance", "working", "scaled"]
RESIDUALS: tuple[ResidualType, ...] = ("response", "pearson", "deviance", "working", "scaled")


class MixedModel(
    FixedTestMethods,
    VarianceMethods,
    MeansMethods,
    PredictionMethods,
    DiagnosticMethods,
    TableMethods,
    AllFitMethods,
):
    """A mixed model that lme4 fitted; it never changes.

    Made by `pymlm.lmer`, `pymlm.glmer` ... or read from a file by `pymlm.load_model`. Rows come
    back on the index of the data frame, with NaN where R dropped a row for missing values.
    """

    plot = figure_of("check")

    # --- fixed effects --------------------------------------------------------------------------

    def fixef(self) -> pd.Series:
        """Return the fixed effects, term -> estimate: ``fixef(model)``.

        Returns
        -------
        Series, length p
            In units of the response (of the link, for a GLMM) per unit of the predictor.
        """
        return self._ask("fixef", NamedValues).to_series()

    @strict
    def summary(self, ddf: str | None = "Satterthwaite", engine: str | None = None) -> Summary:
        """Summarise the model; ``print(m.summary())`` prints what R prints.

        Parameters
        ----------
        ddf : str or None
            Denominator degrees of freedom for the t tests: "Satterthwaite" (lmerTest),
            "Kenward-Roger" (pbkrtest; REML fits), "between-within" or "asymptotic"; None is lme4's
            own summary, without degrees of freedom. Computed when asked for, and kept.
        engine : {"auto", "lmerTest", "exact"}, optional
            What computes Satterthwaite's and Kenward-Roger's degrees of freedom: lmerTest and
            pbkrtest, or closed forms that give their numbers at a fraction of the cost. Default is
            `pymlm.options.engine`, "auto": lmerTest and pbkrtest where they are quick. The
            summary's `ddf_engine` says which one it was.

        Raises
        ------
        NotSupportedError
            Kenward-Roger for an ML fit, or by pbkrtest where its matrices would not fit into
            memory; any method for a model that is not linear.
        RError
            When Kenward-Roger fails (lmerTest would answer with Satterthwaite).

        Notes
        -----
        Mirrors ``summary(model)`` and, with lmerTest, ``summary(model, ddf = ddf)``.
        Kuznetsova et al. 2017, doi:10.18637/jss.v082.i13; Halekoh & Højsgaard 2014,
        doi:10.18637/jss.v059.i09.
        """
        return self._ask_ddf("summary", Summary, engine, ddf=check_ddf(ddf))

    @strict
    def vcov(self, ddf: str | None = None, engine: str | None = None) -> pd.DataFrame:
        """Return the covariance matrix of the fixed effects, shape (p, p).

        Parameters
        ----------
        ddf : {None, "Kenward-Roger"}
            Kenward-Roger gives the small-sample adjusted matrix: ``pbkrtest::vcovAdj(model)``.
            Every other method uses ``vcov(model)``.
        engine : {"auto", "lmerTest", "exact"}, optional
            As in `summary`.
        """
        method = "Kenward-Roger" if check_ddf(ddf) == "Kenward-Roger" else None
        return self._ask_ddf("vcov", NamedMatrix, engine, ddf=method).to_frame()

    @strict
    def model_matrix(self, type: Literal["fixed", "random"] = "fixed") -> pd.DataFrame:
        """Return the model matrix, one row per row used, on the data's index.

        Parameters
        ----------
        type : {"fixed", "random"}
            X, shape (n, p), or Z, shape (n, q), as a dense frame: ``model.matrix(model, type)``.
        """
        which = choice(type, ("fixed", "random"), "type")
        answer = self._ask("model_matrix", NamedMatrix, keep=False, type=which)
        return answer.to_frame(self._used_index)

    # --- random effects -------------------------------------------------------------------------

    def varcorr(self) -> VarCorr:
        """Return variances, covariances and correlations of the random effects: ``VarCorr``."""
        return self._ask("varcorr", VarCorr)

    @strict
    def ranef(self, cond_var: bool = True) -> RandomEffects:
        """Return the conditional modes of the random effects, by default with their SDs.

        Parameters
        ----------
        cond_var : bool
            Compute conditional variances, too: ``ranef(model, condVar =)``.
        """
        return self._ask("ranef", RandomEffects, cond_var=flag(cond_var, "cond_var"))

    def coef(self) -> dict[str, pd.DataFrame]:
        """Return the coefficients of every group, fixed effects plus modes: ``coef(model)``.

        Returns
        -------
        dict of DataFrame
            Grouping factor -> one row a level, one column a coefficient.
        """
        return self._ask("coef", Coefficients).to_dict()

    # --- rows -----------------------------------------------------------------------------------

    def fitted(self) -> pd.Series:
        """Return the fitted values, random effects included, on the data's index: ``fitted``."""
        return self._by_row(self._call("fitted_values"), "fitted")

    @strict
    def residuals(self, type: ResidualType = "response") -> pd.Series:
        """Return residuals on the data's index, NaN where R dropped the row.

        Parameters
        ----------
        type : {"response", "pearson", "deviance", "working", "scaled"}
            As in ``residuals(model, type)``; "scaled" is Pearson divided by sigma, what the summary
            shows.
        """
        kind = choice(type, RESIDUALS, "type")
        return self._by_row(self._call("residual_values", type=kind), "residual")

    # --- other fits from this one ---------------------------------------------------------------

    @strict
    def refit(self, y: Any) -> Self:
        """Fit the same model to another response; no data cross but the response.

        Parameters
        ----------
        y : str or array-like
            A column of the data, or one number per row of the data (or per row used).

        Returns
        -------
        The model that a fit to the new response would be
            Everything asked of it (df, tests, update, a script ...) is of that response. It keeps
            the rows of this one: the response is needed where a row is used, and a row that had
            none stays out. Where the response is an expression, ``log(y)``, `y` is its value; the
            expression stays where a column makes it so (here the exponential of `y`), and else
            the new response bears its name, in backticks.

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
        ``refit(model, newresp)`` of lme4 fits the same, but leaves the old response in the data and
        the call, from which lmerTest, drop1, influence ... then answer (lme4 issue 142); and it
        starts from this model's optimum.
        """
        return self._refitted(self._new_response(y))

    def _refitted(self, response: Any) -> Self:
        found = call("refit_model", self._handle, response, fitting=True)
        model = self._of_response(found["fit"], found["columns"])
        warn_about(model.convergence)
        return model

    def _of_response(self, handle: RObject, columns: Mapping[str, Any]) -> Self:
        """A model of this class that was fitted to another response, as the bridge sends it."""
        made = {name: as_column(column) for name, column in columns.items()}
        return type(self)(handle, self._source.with_columns(made))

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

    @strict
    def to_r(self, path: str | Path | None = None) -> str:
        """Return the R script that repeats the analysis.

        Parameters
        ----------
        path : path, optional
            Write the script there, and the data beside it: "analysis.R", "analysis-data.rds".
            Without it the script holds the data itself, so that it runs anywhere.

        Returns
        -------
        str
            The script.
        """
        return write_script(self._handle, path)

    def __repr__(self) -> str:
        groups = ", ".join(f"{k}: {v}" for k, v in self.ngroups.items())
        return f"<{type(self).__name__} {self.formula!r}, {self.nobs} rows, groups {groups}>"

    def __str__(self) -> str:
        text: str = self._call("print_model", str)
        return text

    def _repr_html_(self) -> str:
        return self._plain_summary()._repr_html_()

    def _plain_summary(self) -> Summary:
        return self._ask("summary", Summary, ddf=None)
