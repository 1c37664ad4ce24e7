"""Complete, no and partial pooling, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from pymlm.argument_types import Data
from pymlm.arguments import strict
from pymlm.engine import call
from pymlm.errors import DataError, FormulaError
from pymlm.figures import figure_of
from pymlm.formula import quoted, sides, vet
from pymlm.frames import as_pandas, check_some_complete, prepare, used_columns
from pymlm.models.advice import advise
from pymlm.models.fitting import check_response
from pymlm.models.inside import call_on
from pymlm.models.lmer import lmer
from pymlm.multilevel.columns import column
from pymlm.results.base import Floats, Result, readonly

Vary = Literal["all", "intercept", "slope"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Pooling(Result):
    """Complete, no and partial pooling side by side; one row per coefficient and group.

    Attributes
    ----------
    term, grp : tuple of str, length k
        Coefficient and group.
    n : ndarray, shape (k,)
        Rows of the group.
    complete : ndarray, shape (k,)
        One regression for all groups (lm): the same for every group.
    no_pooling, no_pooling_se : ndarray, shape (k,)
        The group's own regression (lmList), or own intercept (group indicators), with the residual
        SD pooled over groups; NaN where the group cannot estimate it.
    partial : ndarray, shape (k,)
        The group's coefficient in the mixed model, fixed effect plus conditional mode.
    partial_se : ndarray, shape (k,)
        Its standard error, in which both are estimated; the variances are taken as known.
    weight : ndarray, shape (k,)
        (partial − overall) / (no_pooling − overall), the share of the group's own estimate, for one
        random intercept and nothing else in the formula: λ of `Shrinkage`; NaN otherwise.
    overall : ndarray, shape (k,)
        Fixed effect of the mixed model, towards which estimates shrink.
    by : str
        The grouping factor.

    Notes
    -----
    Lectures of Rosche and Hermansen; Gelman & Hill 2007, ch. 12, doi:10.1017/CBO9780511790942.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "term", "grp", "n", "complete", "no_pooling", "no_pooling_se", "partial",
        "partial_se", "overall", "weight",
    )  # fmt: skip

    plot = figure_of("pooling")

    term: tuple[str, ...]
    grp: tuple[str, ...]
    n: Floats
    complete: Floats
    no_pooling: Floats
    no_pooling_se: Floats
    partial: Floats
    partial_se: Floats
    overall: Floats
    weight: Floats
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fits:
    level: tuple[str, ...]
    n: Floats
    term: tuple[str, ...]
    complete: Floats
    none: Floats
    none_se: Floats
    whole: bool
    own: tuple[str, ...]
    common: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Errors:
    level: tuple[str, ...]
    term: tuple[str, ...]
    values: Floats


@strict
def pooling(
    formula: str, data: Data, by: str, vary: Vary = "all", reml: bool = True
) -> Pooling:  # fmt: skip
    """Fit complete, no and partial pooling and put each group's coefficients side by side.

    Parameters
    ----------
    formula : str
        Fixed part alone, e.g. ``"gpa ~ ses"``. Predictors that do not vary within groups
        (``"gpa ~ ses + clubs"``) have one slope for all.
    data : DataFrame
    by : str
        The grouping column.
    vary : {"all", "intercept", "slope"}
        "all": a regression per group against ``lmer(y ~ x + (x | g))``. "intercept": an intercept
        per group with common slopes (group indicators) against ``lmer(y ~ x + (1 | g))``. "slope":
        slopes per group with a common intercept against ``lmer(y ~ x + (0 + x | g))``.
    reml : bool
        Of the mixed model.

    Returns
    -------
    Pooling

    Raises
    ------
    FormulaError
        For a formula with random effects, or a name in it that is no column.
    DataError
        When `by` is no column, or has one group; for "slope" when no predictor varies within
        groups.
    NotSupportedError
        For "slope" of a factor, which needs an intercept.

    Warns
    -----
    AdviceWarning
        When groups are too small for their own regression; their no_pooling is NaN. So is that of a
        predictor of the groups, where each has an intercept of its own.
    SingularFitWarning, ConvergenceWarning
        Of the mixed model.

    Notes
    -----
    Mirrors ``lm``, ``lme4::lmList`` (residual SD pooled) and ``lme4::lmer``. Standard errors of the
    partially pooled coefficients are those of β̂ + b̂ − (β + b), fixed effect and conditional mode
    together, from Henderson's equations, σ² times the inverse of [[X'X, X'Z], [Z'X, Z'Z + σ²G⁻¹]];
    Robinson 1991, doi:10.1214/ss/1177011926. Variances are taken as known.

    Examples
    --------
    >>> import pymlm as mlm
    >>> p = mlm.pooling("Reaction ~ Days", mlm.load_dataset("sleepstudy"), "Subject")
    >>> p.to_frame().round(2).query("grp == '308' and term == 'Days'").iloc[0, 3:8].to_dict()
    {'complete': 10.47, 'no_pooling': 21.76, 'no_pooling_se': 2.82, 'partial': 19.67, \
'partial_se': 2.34}
    """
    frame = as_pandas(data)
    vetted = vet(formula, columns=frame.columns, rows=len(frame))
    if vetted.n_bars or not vetted.two_sided:
        raise FormulaError("pooling() takes the fixed part, e.g. 'y ~ x'; `by` names the groups")
    column(frame, by, "argument by")
    used = used_columns(frame, list(dict.fromkeys([*vetted.names, by])))
    check_some_complete(used)
    check_response(vetted, used)
    if used.dropna()[by].nunique() < 2:
        raise DataError(
            f"all complete rows are in one {by!r}: with one group there is nothing to pool. A "
            "model of the group alone is pymlm.lm"
        )
    fits = call("pooled_fits", formula, prepare(used, keys=[by]), by, vary, into=_Fits)
    left, right = sides(formula)
    mixed = lmer(
        f"{left} ~ {right} + ({_inner(fits, vary, right)} | {quoted(by)})", frame, reml=reml
    )
    _advise_of_gaps(fits, by)
    levels, terms = list(fits.level), list(fits.term)
    errors = call_on(mixed, "coef_errors", _Errors, group=by)
    found = pd.DataFrame(errors.values, index=list(errors.level), columns=list(errors.term))
    partial = mixed.coef()[by].loc[levels, terms].to_numpy()
    return _side_by_side(fits, partial, found.loc[levels, terms].to_numpy(), mixed.fixef(), by)


def _inner(fits: _Fits, vary: Vary, right: str) -> str:
    """What of the formula varies, as lme4 writes it before the bar."""
    if vary == "intercept":
        return "1"
    if fits.whole:
        return right
    intercept = "1" if vary == "all" and "(Intercept)" in fits.term else "0"
    return " + ".join([intercept, *fits.own])


def _advise_of_gaps(fits: _Fits, by: str) -> None:
    """Say where no pooling has no estimates, and why."""
    gap = np.isnan(fits.none)
    whole = [t for i, t in enumerate(fits.term) if gap[:, i].all()]
    if whole:
        advise(
            f"{', '.join(whole)} does not vary within {by}: beside an intercept of each group's "
            "own it has no coefficient without pooling (NaN)"
        )
    small = np.flatnonzero(gap[:, [t not in whole for t in fits.term]].any(axis=1))
    if len(small):
        advise(
            f"{len(small)} group(s) cannot estimate every coefficient of their own, the first is "
            f"{fits.level[small[0]]!r}: no_pooling is NaN there"
        )


def _side_by_side(
    fits: _Fits, partial: Floats, errors: Floats, fixef: pd.Series, by: str
) -> Pooling:
    levels, terms = len(fits.level), len(fits.term)
    overall = np.repeat(fixef.loc[list(fits.term)].to_numpy(), levels)
    own = fits.none.ravel(order="F")
    shrunk = partial.ravel(order="F")
    weight = np.full(levels * terms, np.nan)
    if fits.term == ("(Intercept)",):
        with np.errstate(invalid="ignore", divide="ignore"):
            weight = (shrunk - overall) / (own - overall)
    return Pooling(
        term=tuple(np.repeat(np.array(fits.term, dtype=object), levels)),
        grp=fits.level * terms,
        n=readonly(np.tile(fits.n, terms)),
        complete=readonly(np.repeat(fits.complete, levels)),
        no_pooling=readonly(own),
        no_pooling_se=readonly(fits.none_se.ravel(order="F")),
        partial=readonly(shrunk),
        partial_se=readonly(errors.ravel(order="F")),
        overall=readonly(overall),
        weight=readonly(weight),
        by=by,
    )
