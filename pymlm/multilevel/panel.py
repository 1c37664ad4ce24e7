"""Alternatives to a multilevel model: aggregation, one row a group, panel estimators, GEE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pymlm.argument_types import GeeCorrelation, GeeErrors, GeeFamily, Level, PanelModel, Seed
from pymlm.arguments import own_words, strict
from pymlm.engine import RObject, call
from pymlm.errors import ArgumentError, DataError, FormulaError
from pymlm.formula import vet
from pymlm.frames import as_pandas, complete_rows, level_name, prepare, used_columns
from pymlm.models.base import Fitted, Source
from pymlm.models.fitting import check_response
from pymlm.models.inside import ask, handle_of
from pymlm.multilevel._tools import Groups, groups_of, names, numbers
from pymlm.results.base import Printed
from pymlm.results.panel import GeeEstimates, Hausman, PanelEstimates

MODELS = own_words(PanelModel, "model")
#: GEE's families and the R names of their variance functions.
FAMILIES = {
    "gaussian": "gaussian",
    "binomial": "binomial",
    "poisson": "poisson",
    "gamma": "Gamma",
}


@strict
def aggregate(data: Any, by: str, columns: str | Sequence[str] | None = None) -> pd.DataFrame:
    """Return group means, one row a group: the data of an aggregated analysis.

    What holds for group means need not hold for persons (the ecological fallacy), and cross-level
    interactions are lost; lecture S0 names this as the first of two problematic approaches.

    Parameters
    ----------
    data : DataFrame
    by : str
        The grouping factor.
    columns : str or list of str, optional
        Numeric columns; default all numeric ones.

    Returns
    -------
    DataFrame
        Column `by`, the means of the known values, and "n", the rows of every group.

    Examples
    --------
    >>> import pandas as pd, pymlm as mlm
    >>> d = pd.DataFrame({"g": ["a", "a", "b"], "y": [1.0, 3.0, 5.0]})
    >>> mlm.aggregate(d, by="g").to_dict("list")
    {'g': ['a', 'b'], 'y': [2.0, 5.0], 'n': [2, 1]}
    """
    frame = as_pandas(data)
    groups = groups_of(frame, by)
    if columns is None:
        wanted = [
            str(c) for c in frame.columns
            if str(c) != by and pd.api.types.is_numeric_dtype(frame[c].dtype)
        ]  # fmt: skip
    else:
        wanted = names(columns, "columns")
    out = pd.DataFrame({by: list(groups.labels)})
    for name in wanted:
        values = numbers(frame, name)
        known = (groups.codes >= 0) & ~np.isnan(values)
        count = np.bincount(groups.codes[known], minlength=groups.n)
        total = np.bincount(groups.codes[known], weights=values[known], minlength=groups.n)
        with np.errstate(invalid="ignore"):
            out[name] = total / count
    out["n"] = groups.sizes
    return out


@strict
def one_per_group(data: Any, by: str, seed: Seed | None = None) -> pd.DataFrame:
    """Return one random row of every group: independent rows, at the price of all others.

    Parameters
    ----------
    data : DataFrame
    by : str
        The grouping factor; rows without a group are left out.
    seed : int, optional
        Of numpy's generator.

    Returns
    -------
    DataFrame
        One row a group, in the data's order and on its index.

    Notes
    -----
    Lecture S3, "other options".

    Examples
    --------
    >>> import pymlm as mlm
    >>> mlm.one_per_group(mlm.load_dataset("sleepstudy"), "Subject", seed=1).shape
    (18, 3)
    """
    frame = as_pandas(data)
    groups = groups_of(frame, by)
    whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    if seed is not None and (not whole or seed < 0):
        raise ArgumentError(f"seed must be a whole number of at least 0, not {seed!r}")
    order = np.random.default_rng(seed).permutation(len(frame))
    order = order[groups.codes[order] >= 0]
    first = np.unique(groups.codes[order], return_index=True)[1]
    return frame.iloc[np.sort(order[first])].copy()


def _task(formula: str, data: Any, by: str) -> tuple[str, pd.DataFrame, Groups]:
    """Vetted formula, the complete rows of the columns it uses, and the groups."""
    frame = as_pandas(data)
    vetted = vet(formula, columns=frame.columns, rows=len(frame))
    if not vetted.two_sided:
        raise FormulaError("the formula has no response; write e.g. 'y ~ x'")
    if vetted.n_bars:
        raise FormulaError("the formula has random effects; this alternative takes none: 'y ~ x'")
    groups_of(frame, by)
    used = used_columns(frame, list(dict.fromkeys([*vetted.names, by])))
    complete = complete_rows(used)
    if not complete.any():
        raise DataError("every row misses a column that is used")
    used = used.loc[complete]
    check_response(vetted, used)
    return vetted.text, used, groups_of(used, by)


def complete_task(formula: str, data: Any, by: str) -> tuple[str, pd.DataFrame]:
    """Return the vetted formula and the complete rows of what it uses; see `panel` for errors."""
    text, used, _ = _task(formula, data, by)
    return text, used


def _codes(used: pd.DataFrame, groups: Groups, by: str) -> pd.DataFrame:
    """The columns with the grouping factor as a category of its used levels."""
    out = used.copy()
    labels = pd.Index([level_name(x) for x in groups.labels], dtype=object)
    out[by] = pd.Categorical.from_codes(groups.codes.tolist(), labels)
    return out


class _PanelModel(Fitted):
    """plm's model behind the usual questions."""

    def _dropped_rows(self) -> Any:
        return np.array([], dtype=np.int64)


def _fit_panel(formula: str, data: Any, by: str, model: str) -> _PanelModel:
    text, used, groups = _task(formula, data, by)
    frame = _codes(used, groups, by)
    name = str(as_pandas(data).attrs.get("name", "data"))
    handle: RObject = call("ml_fit_panel", text, prepare(frame), name, by, model, fitting=True)
    return _PanelModel(
        handle,
        Source(index=used.index, data=None, sent=tuple(map(str, used.columns)), arguments={}),
    )


@strict
def panel(formula: str, data: Any, by: str, model: PanelModel = "within") -> PanelEstimates:
    """Fit a panel model with plm: within (fixed effects), between, random-effects GLS, or pooled.

    Parameters
    ----------
    formula : str
        Without random effects: ``"gpa ~ ses + clubs"``.
    data : DataFrame
    by : str
        The grouping factor (the panel's individuals).
    model : {"within", "between", "random", "pooling"}
        - "within": deviations from group means (``xtreg, fe``); level-2 predictors drop out.
        - "between": regression of group means.
        - "random": feasible GLS, Swamy and Arora's variances (``xtreg, re``).
        - "pooling": ordinary least squares.

    Returns
    -------
    PanelEstimates

    Raises
    ------
    FormulaError, DataError
        For random effects in the formula, or columns that are not there.
    FitError
        When plm cannot fit it: no variation within any group, too few groups.
    RPackageError
        When plm is not installed.

    Notes
    -----
    Mirrors ``plm::plm(formula, data, index = by, model = model)``; Croissant & Millo 2008,
    doi:10.18637/jss.v027.i02. Lectures S0 (within model, xtreg) and S3.

    Examples
    --------
    >>> import pymlm as mlm
    >>> d = mlm.load_dataset("nlme::bdf")
    >>> mlm.panel("langPOST ~ ses", d, by="schoolNR").fixed.estimate.round(4).tolist()
    [0.297]
    """
    return ask(_fit_panel(formula, data, by, model), "ml_panel", PanelEstimates)


@strict
def hausman(formula: str, data: Any, by: str) -> Hausman:
    """Test by Hausman whether random-effects and within estimates differ.

    Parameters
    ----------
    formula, data, by
        As in `panel`.

    Returns
    -------
    Hausman
        A small p-value says that within and between slopes differ, so that a random-effects model
        with the raw predictors has smushed slopes; `within_between` shows by how much.

    Notes
    -----
    Mirrors ``plm::phtest(within, random)``; Hausman 1978, doi:10.2307/1913827.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("mlmRev::Exam")
    >>> test = mlm.hausman("normexam ~ standLRT", data, by="school")
    >>> round(test.chisq, 1), test.p_value < 0.001
    (15.1, True)
    """
    within = _fit_panel(formula, data, by, "within")
    random = _fit_panel(formula, data, by, "random")
    found = call("ml_hausman", handle_of(within), handle_of(random))
    a, b = ask(within, "ml_panel", PanelEstimates), ask(random, "ml_panel", PanelEstimates)
    return Hausman(
        chisq=float(found["chisq"][0]),
        df=float(found["df"][0]),
        p_value=float(found["p_value"][0]),
        within=dict(zip(a.fixed.term, map(float, a.fixed.estimate), strict=True)),
        random=dict(zip(b.fixed.term, map(float, b.fixed.estimate), strict=True)),
        printed=Printed.from_r(found["printed"]),
    )


@strict
def gee(
    formula: str,
    data: Any,
    by: str,
    family: GeeFamily = "gaussian",
    link: str | None = None,
    corstr: GeeCorrelation = "exchangeable",
    std_err: GeeErrors = "san.se",
    level: Level = 0.95,
) -> GeeEstimates:
    """Fit a population-average model by generalized estimating equations, with geepack.

    Parameters
    ----------
    formula : str
        Without random effects.
    data : DataFrame
        Rows may come in any order: they are sorted by group (keeping their order within), because
        geepack takes every change of the identifier as a new cluster.
    by : str
        The grouping factor.
    family : {"gaussian", "binomial", "poisson", "gamma"}
    link : str, optional
        Another link than the family's own.
    corstr : {"exchangeable", "independence", "ar1", "unstructured"}
        Working correlation; "ar1" takes rows in the data's order as equally spaced.
    std_err : {"san.se", "jack", "j1s", "fij"}
        Sandwich or jackknife standard errors.
    level : float
        Of the confidence intervals.

    Returns
    -------
    GeeEstimates

    Notes
    -----
    Mirrors ``geepack::geeglm(formula, family, data, id, corstr, std.err)``; Højsgaard, Halekoh &
    Yan 2006, doi:10.18637/jss.v015.i02. Lecture S3: estimates marginal effects only.

    Examples
    --------
    >>> import pymlm as mlm
    >>> d = mlm.load_dataset("nlme::bdf")
    >>> mlm.gee("langPOST ~ ses", d, by="schoolNR").n_clusters
    131
    """
    which = FAMILIES[family]
    if link is not None and not isinstance(link, str):
        raise ArgumentError(f"link is a name such as 'log', not {link!r}")
    text, used, groups = _task(formula, data, by)
    if groups.n < 2:
        raise DataError(
            f"all rows are in one {by!r}: the sandwich needs independent groups, and with one its "
            "standard errors are rounding"
        )
    frame = _codes(used, groups, by)
    frame = frame.iloc[np.argsort(groups.codes, kind="stable")]
    name = str(as_pandas(data).attrs.get("name", "data"))
    handle = call(
        "ml_fit_gee", text, prepare(frame), name, by, which, link, corstr, std_err, fitting=True
    )
    model = _PanelModel(
        handle, Source(index=frame.index, data=None, sent=tuple(map(str, frame.columns)),
                       arguments={})
    )  # fmt: skip
    return ask(model, "ml_gee", GeeEstimates, level=level)
