"""Complete, no and partial pooling; shrinkage; residuals by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import norm

from pymlm.argument_types import Level
from pymlm.arguments import flag, strict
from pymlm.engine import call
from pymlm.errors import ArgumentError, DataError, FormulaError
from pymlm.formula import quoted, sides, vet
from pymlm.frames import as_pandas, check_some_complete, prepare, used_columns
from pymlm.models.fitting import check_response
from pymlm.models.inside import ask, call_on, source_of
from pymlm.models.lmer import LinearMixedModel, lmer
from pymlm.multilevel._tools import advise, column, groups_of, mixed
from pymlm.results.base import Floats, readonly
from pymlm.results.pooling import Pooling, ResidualGroups, Shrinkage

Vary = Literal["all", "intercept", "slope"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    grpvar: str
    level: tuple[str, ...]
    term: tuple[str, ...]
    condval: Floats
    condsd: Floats
    n: Floats
    tau2: Floats
    sum_weights: Floats | None
    unpooled: Floats | None
    least_squares: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shrunk:
    groups: tuple[_Group, ...]
    sigma2: float
    fixed: Floats
    term: tuple[str, ...]
    single: bool


@strict
def pooling(
    formula: str, data: Any, by: str, vary: Vary = "all", reml: bool = True
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
        When `by` is no column; for "slope" when no predictor varies within groups.
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


@strict
def shrinkage(m: LinearMixedModel, level: Level = 0.95) -> Shrinkage:
    """Say how far each group's estimate is shrunk, from what towards what, with its rank.

    Parameters
    ----------
    m : LinearMixedModel
    level : float
        Of the intervals of the conditional modes.

    Returns
    -------
    Shrinkage

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Yield ~ 1 + (1 | Batch)", mlm.load_dataset("Dyestuff"))
    >>> mlm.shrinkage(m).to_frame()[["grp", "group_mean", "shrinkage", "estimate"]].head(2).round(3)
      grp  group_mean  shrinkage  estimate
    0   A      1505.0      0.783  1509.893
    1   B      1528.0      0.783  1527.891
    """
    z = float(norm.ppf((1 + level) / 2))
    found: _Shrunk = ask(mixed(m, "shrinkage"), "shrinkage", _Shrunk)
    fixed = dict(zip(found.term, found.fixed, strict=True))
    columns = [
        _shrunk_columns(g, t, found, fixed, z) for g in found.groups for t in range(len(g.term))
    ]
    merged: dict[str, Any] = {k: tuple(x for c in columns for x in c[k]) for k in _TEXTS}
    for k in columns[0]:
        if k not in _TEXTS:
            merged[k] = readonly(np.concatenate([c[k] for c in columns]))
    return Shrinkage(**merged, level=float(level))


_TEXTS = ("grpvar", "term", "grp")


def _shrunk_columns(
    g: _Group, t: int, found: _Shrunk, fixed: dict[str, float], z: float
) -> dict[str, Any]:
    k = len(g.level)
    tau2 = float(g.tau2[t])
    mode, sd = g.condval[:, t], g.condsd[:, t]
    overall = float(fixed.get(g.term[t], 0.0))
    nan = np.full(k, np.nan)
    group_mean, w_group, w_overall = nan, nan, nan
    if found.single and g.unpooled is not None and g.sum_weights is not None:
        group_mean = overall + g.unpooled
        w_group = g.sum_weights / found.sigma2
        w_overall = np.full(k, 1 / tau2 if tau2 > 0 else np.inf)
    order = np.empty(k)
    order[np.argsort(-mode, kind="stable")] = np.arange(1, k + 1)
    return {
        "grpvar": (g.grpvar,) * k,
        "term": (g.term[t],) * k,
        "grp": g.level,
        "n": np.asarray(g.n, dtype=float),
        "shrinkage": 1 - sd**2 / tau2 if tau2 > 0 else np.zeros(k),
        "group_mean": group_mean,
        "overall": np.full(k, overall),
        "no_pooling": overall + g.least_squares[:, t],
        "estimate": overall + mode,
        "weight_group": w_group,
        "weight_overall": w_overall,
        "condval": mode,
        "condsd": sd,
        "conf_low": mode - z * sd,
        "conf_high": mode + z * sd,
        "rank": order,
    }


@strict
def residuals_by_group(formula: str, data: Any, by: str) -> ResidualGroups:
    """Label the residuals of the pooled regression by group: their means and spreads.

    Parameters
    ----------
    formula : str
        Of the regression that ignores the groups, e.g. ``"y ~ x"``.
    data : DataFrame
    by : str
        The grouping column; rows that miss it, or a column of the formula, are left out.

    Returns
    -------
    ResidualGroups
        Groups in sorted order (a category's own order).

    Raises
    ------
    FormulaError
        For a formula with random effects.
    DataError
        When no row has both a residual and a group.

    Notes
    -----
    ``residuals(lm(formula, data))`` with mean and sd by group: Hermansen's labelled residuals.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("sleepstudy")
    >>> mlm.residuals_by_group("Reaction ~ Days", data, "Subject").to_frame().head(2).round(1)
            n  mean    sd     var
    308  10.0  43.6  56.6  3199.2
    309  10.0 -83.3  26.2   687.2
    """
    frame = as_pandas(data)
    vetted = vet(formula, columns=frame.columns, rows=len(frame))
    if vetted.n_bars or not vetted.two_sided:
        raise FormulaError("residuals_by_group() takes the pooled regression, e.g. 'y ~ x'")
    used = used_columns(frame, list(dict.fromkeys(vetted.names)))
    check_some_complete(used)
    residual = np.asarray(call("pooled_residuals", formula, prepare(used))["residual"])
    group = used_columns(frame, [by], "argument by").iloc[:, 0]
    both = ~np.isnan(residual) & group.notna().to_numpy()
    if not both.any():
        raise DataError(f"no row has both a residual and a group in {by!r}")
    return _labelled(residual[both], group[both])


def residuals_of_model(m: Any, by: str | None = None, random: bool = False) -> ResidualGroups:
    """Label the residuals of a fitted model by group, for `pymlm.plot.residuals_by_group`.

    Parameters
    ----------
    m : mixed or linear model
    by : str, optional
        The grouping column; default the first factor of a mixed model.
    random : bool
        Of a mixed model: the residuals themselves, instead of those of the fixed part alone (the
        response less ``predict(re_form="NA")``).
    """
    factors = list(m.ngroups)
    if by is None and not factors:
        raise ArgumentError("the model has no grouping factor: by= names the grouping column")
    name = factors[0] if by is None else by
    residual = m.residuals("response")
    if factors and not flag(random, "random"):
        residual = residual + m.fitted() - m.predict(re_form="NA")
    data = source_of(m).data
    if data is None:
        raise DataError("this model came from a file, without its data frame")
    groups = groups_of(data, name)
    known = residual.notna().to_numpy() & (groups.codes >= 0)
    labels = pd.Series([str(g) for g in groups.labels], dtype=object)
    return _labelled(
        residual.to_numpy()[known], labels.iloc[groups.codes[known]].reset_index(drop=True)
    )


def _labelled(residual: Floats, group: pd.Series) -> ResidualGroups:
    values = pd.Series(residual)
    label = group.reset_index(drop=True)
    parts = values.groupby(label, observed=True)
    table = parts.agg(["size", "mean", "std", "var"])
    return ResidualGroups(
        grp=tuple(str(x) for x in table.index),
        n=readonly(table["size"].to_numpy(dtype=float)),
        mean=readonly(table["mean"].to_numpy()),
        sd=readonly(table["std"].to_numpy()),
        var=readonly(table["var"].to_numpy()),
        residual=readonly(values.to_numpy()),
        label=tuple(str(x) for x in label),
    )
