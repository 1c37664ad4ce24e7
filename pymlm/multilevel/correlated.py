"""nlme for what lme4 lacks: correlated residuals, and variances that differ between groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pymlm.argument_types import Correlation, Data, Timeout
from pymlm.arguments import own_words, strict
from pymlm.engine import call
from pymlm.errors import ArgumentError, DataError, FormulaError
from pymlm.formula import Formula, vet
from pymlm.frame_keys import check_names_in_r
from pymlm.frames import check_some_complete, complete_rows, prepare, used_columns
from pymlm.models.advice import about_bar, advise, advised
from pymlm.models.fitting import check_response, make_task
from pymlm.models.nlme import NlmeModel
from pymlm.multilevel.columns import numbers

CORRELATIONS = own_words(Correlation, "correlation")


@strict
def lme(
    formula: str,
    data: Data,
    random: str | None = None,
    correlation: Correlation | None = None,
    time: str | None = None,
    variance_by: str | None = None,
    reml: bool = True,
    contrasts: Mapping[str, Any] | None = None,
    control: Mapping[str, Any] | None = None,
    data_name: str | None = None,
    trusted: bool = False,
    timeout: Timeout | None = None,
    correlation_by: str | None = None,
) -> NlmeModel:
    """Fit a linear mixed model by ``nlme::lme``, with correlated or unequal residuals.

    Parameters
    ----------
    formula : str
        Fixed part: ``"distance ~ age"``; or lme4's way, with the random term in it: ``"distance ~
        age + (age | Subject)"``.
    data : DataFrame
    random : str, optional
        One-sided, with its grouping factor: ``"~ 1 | Subject"``, ``"~ age | school/pupil"``; left
        out where the formula has it.
    correlation : {None, "ar1", "car1", "cs", "symm"}
        Of the residuals within the innermost group: AR(1), continuous-time AR(1), compound
        symmetry, unstructured.
    time : str, optional
        Column that orders the rows of a group (for "ar1" whole numbers that step by 1); default
        their order.
    variance_by : str, optional
        Column whose groups have residual variances of their own (varIdent).
    reml : bool
    contrasts : dict, optional
        Column -> R's name of its contrasts ("contr.sum").
    control : dict, optional
        Options of ``lmeControl``, e.g. ``{"opt": "optim"}``.
    data_name, trusted, timeout
        As in `pymlm.lmer`.
    correlation_by : str, optional
        Column within the innermost group whose rows alone are correlated: the person, where several
        outcomes of one person are stacked (`pymlm.stack_outcomes`).

    Returns
    -------
    NlmeModel

    Raises
    ------
    FormulaError, DataError, FitError, FitTimeout
        As in `pymlm.lmer`.

    Notes
    -----
    Mirrors ``nlme::lme(fixed, data, random, correlation, weights, method)``; Pinheiro & Bates 2000,
    doi:10.1007/b98882. nlme has neither Satterthwaite's nor Kenward-Roger's degrees of freedom. For
    known residual variances use `pymlm.meta_analysis`: nlme's fixed sigma is wrong under REML.

    Examples
    --------
    >>> import pymlm as mlm
    >>> d = mlm.load_dataset("nlme::Orthodont")
    >>> m = mlm.lme("distance ~ age", d, random="~ 1 | Subject", correlation="ar1")
    >>> round(float(m.correlation()["Phi"]), 3)
    0.047
    """
    if random is None:
        fixed, random = _apart(formula, trusted)
    else:
        fixed = formula
    part = vet(random, trusted=trusted)
    if part.two_sided or part.n_bars != 1:
        raise FormulaError(f"random is one-sided with one bar, e.g. '~ 1 | g', not {random!r}")
    given = {
        "random": random, "correlation": correlation, "time": time, "variance_by": variance_by,
        "reml": reml, "contrasts": contrasts, "control": control, "data_name": data_name,
        "trusted": trusted, "correlation_by": correlation_by,
    }  # fmt: skip
    if correlation_by is not None and correlation is None:
        raise ArgumentError("correlation_by says whose rows are correlated; name a correlation")
    return _fit(
        fixed, data, _again_lme, given, random=random, part=part, group=list(part.groups),
        inner=correlation_by, correlation=correlation, time=time, variance_by=variance_by,
        reml=reml, contrasts=contrasts, control=control, data_name=data_name, trusted=trusted,
        timeout=timeout,
    )  # fmt: skip


@strict
def gls(
    formula: str,
    data: Data,
    correlation: Correlation | None = None,
    group: str | None = None,
    time: str | None = None,
    variance_by: str | None = None,
    reml: bool = True,
    contrasts: Mapping[str, Any] | None = None,
    control: Mapping[str, Any] | None = None,
    data_name: str | None = None,
    trusted: bool = False,
    timeout: Timeout | None = None,
) -> NlmeModel:
    """Fit a linear model with correlated or unequal residuals by ``nlme::gls``.

    Parameters
    ----------
    formula : str
    data : DataFrame
    correlation, time, variance_by
        As in `pymlm.lme`.
    group : str, optional
        Column within whose groups the residuals are correlated; default all rows are one group.
    reml, contrasts, control, data_name, trusted, timeout
        As in `pymlm.lme`; control holds options of ``glsControl``.

    Returns
    -------
    NlmeModel

    Notes
    -----
    Mirrors ``nlme::gls(model, data, correlation, weights, method)``. With correlation="cs" it is
    the random-intercept model, except that the correlation may be negative.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("nlme::Orthodont")
    >>> m = mlm.gls("distance ~ age", data, correlation="cs", group="Subject")
    >>> m.fixef().round(3).to_dict()
    {'(Intercept)': 16.761, 'age': 0.66}
    """
    given = {
        "correlation": correlation, "group": group, "time": time, "variance_by": variance_by,
        "reml": reml, "contrasts": contrasts, "control": control, "data_name": data_name,
        "trusted": trusted,
    }  # fmt: skip
    return _fit(
        formula, data, gls, given, random=None, part=None, group=[] if group is None else [group],
        correlation=correlation, time=time, variance_by=variance_by, reml=reml, contrasts=contrasts,
        control=control, data_name=data_name, trusted=trusted, timeout=timeout,
    )  # fmt: skip


def _again_lme(formula: str, data: Data, **arguments: Any) -> NlmeModel:
    """Fit anew for update(): a formula with a random term of its own replaces the old one."""
    if vet(formula, trusted=True).n_bars:
        arguments["random"] = None
    return lme(formula, data, **arguments)


def _apart(formula: str, trusted: bool) -> tuple[str, str]:
    """The fixed part and nlme's random formula of a formula in lme4's way."""
    found = vet(formula, trusted=trusted)
    advise(*about_bar(found))
    parts: Mapping[str, Any] = call("nlme_parts", found.text)
    return str(parts["fixed"][0]), str(parts["random"][0])


def _fit(
    formula: str, data: Data, again: Callable[..., NlmeModel], given: dict[str, Any], *,
    random: str | None, part: Formula | None, group: list[str], inner: str | None = None,
    correlation: str | None, time: str | None, variance_by: str | None,
    reml: bool, contrasts: Mapping[str, Any] | None, control: Mapping[str, Any] | None,
    data_name: str | None, trusted: bool, timeout: float | None,
) -> NlmeModel:  # fmt: skip
    for name, column in (
        ("time", time),
        ("variance_by", variance_by),
        ("correlation_by", inner),
        *(("group", g) for g in group),
    ):
        if column is not None and not isinstance(column, str):
            raise ArgumentError(f"{name} names a column, not {column!r}")
    if correlation is None and time is not None:
        raise ArgumentError("time orders the rows for a correlation; name one, e.g. 'ar1'")
    if control is not None and not isinstance(control, Mapping):
        raise ArgumentError("control is a dict of lmeControl's (or glsControl's) options")
    random_names = [] if part is None else list(part.names)
    extra = [n for n in (*random_names, *group, time, variance_by, inner) if n is not None]
    task = make_task(formula, data, given, timeout)
    named_here: dict[str, list[str | None]] = {
        "group": [*group] if part is None else [],
        "time": [time],
        "variance_by": [variance_by],
        "correlation_by": [inner],
    }
    for name, columns in named_here.items():
        used_columns(task.data, [c for c in columns if c is not None], f"argument {name}")
    if not task.formula.two_sided or task.formula.n_bars:
        raise FormulaError("the formula is the fixed part alone, e.g. 'y ~ x'; see `random`")
    check_response(task.formula, task.data)
    used = used_columns(task.data, list(dict.fromkeys([*task.source.sent, *extra])))
    check_some_complete(used)
    within = [] if inner is None else [inner]
    fixed, named = task.formula, {*group, *within, *(() if variance_by is None else (variance_by,))}
    named |= {*fixed.keys} | ({*part.keys, *part.keys_and_values} if part else set())
    numbers_too = {n for n in fixed.names if n not in fixed.keys} | {time}
    numbers_too |= {n for n in random_names if part and n not in part.keys}
    check_names_in_r(used, named & numbers_too)
    keys = tuple(named - numbers_too)
    if correlation == "ar1" and time is not None:
        _check_occasions(used, time)
    if random is not None:
        _check_groups(used, group)
    handle = call(
        "fit_nlme",
        task.formula.text,
        prepare(used, row_names=True, keys=keys),
        task.data_name,
        random=random,
        structure={
            "correlation": correlation, "time": time, "group": [*group, *within] or None,
            "variance_by": variance_by,
        },
        reml=reml,
        contrasts=task.contrasts,
        control=dict(control or {}),
        fitting=True,
        timeout=task.timeout,
    )  # fmt: skip
    source = replace(
        task.fitted_by(again),
        sent=tuple(map(str, used.columns)),
        crossed_as_keys=keys,
        group_names=tuple(random_names),
    )
    return advised(NlmeModel(handle, source))


def _check_groups(used: pd.DataFrame, group: list[str]) -> None:
    """Refuse, as lmer does, a factor with one group: nlme prints where its optimizer stood."""
    complete = used.loc[complete_rows(used)]
    for name in group:
        if name in complete and complete[name].nunique() < 2:
            raise DataError(
                f"all rows are in one {name!r}: a variance between groups needs two groups or more"
            )


def _check_occasions(used: pd.DataFrame, time: str) -> None:
    """Refuse times that corAR1 would cut to whole numbers, or of which no two are one apart."""
    if not pd.api.types.is_numeric_dtype(used[time].dtype):
        return  # nlme has its own words for it
    known = np.unique(numbers(used, time))
    known = known[~np.isnan(known)]
    if (known != np.round(known)).any() or (len(known) > 1 and np.diff(known).min() > 1):
        raise DataError(
            f"time={time!r} counts occasions for correlation='ar1': whole numbers, one apart. nlme "
            "cuts others to whole numbers, or cannot estimate from gaps alone. Number the "
            "occasions 1, 2, ..., or ask for 'car1', which takes times as they are"
        )
