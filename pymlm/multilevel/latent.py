"""Latent centring: lavaan lets the model partition predictor and outcome alike."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from pymlm.argument_types import Data, Level, Missing
from pymlm.arguments import strict
from pymlm.engine import call
from pymlm.errors import ArgumentError, DataError
from pymlm.frames import as_pandas, prepare
from pymlm.models.advice import advise
from pymlm.multilevel.columns import names, numbers
from pymlm.multilevel.groups import Groups, groups_of, spread
from pymlm.results.base import Printed, readonly
from pymlm.results.estimates import Estimates

#: Words of R and of lavaan's syntax, in lower case.
NOT_NAMES = {
    "na", "nan", "null", "inf", "true", "false", "t", "f", "if", "else", "for", "while", "repeat",
    "function", "next", "break", "in", "c", "level", "group", "block", "class", "start", "equal",
    "label", "efa", "rv", "da",
}  # fmt: skip
COLUMNS = ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LatentCentering(Estimates):
    """Slopes of latent-centred predictors: lavaan partitions predictor and outcome alike.

    Attributes
    ----------
    term : tuple of str
        "within: x", "between: x", "contextual: x", then covariates by level; z tests.
    converged, admissible : bool
        An inadmissible solution has, for example, a negative variance.
    nobs, n_clusters : int
    loglik : float
    syntax : str
        The lavaan model that was fitted.
    notes : tuple of str
        lavaan's own warnings.
    n_flat : dict of str to int
        Clusters in which the predictor does not vary.
    printed : Printed or None
        lavaan's own summary.

    Notes
    -----
    Mirrors ``lavaan::sem(model, cluster =, fixed.x = FALSE)``; Rosseel 2012,
    doi:10.18637/jss.v048.i02; Lüdtke et al. 2008, doi:10.1037/a0012869; lecture S4, option 3.
    Limits: two levels, continuous variables, no random slopes, maximum likelihood, z tests.
    """

    converged: bool
    admissible: bool
    nobs: int
    n_clusters: int
    loglik: float
    syntax: str
    n_flat: Mapping[str, int]
    printed: Printed | None = None


@strict
def latent_centering(
    outcome: str | Sequence[str],
    x: str | Sequence[str],
    data: Data,
    by: str,
    within: str | Sequence[str] = (),
    between: str | Sequence[str] = (),
    missing: Missing = "fiml",
    level: Level = 0.95,
) -> LatentCentering:
    """Estimate within, between and contextual slopes with latent cluster means.

    An observed cluster mean of few rows is an unreliable measure of the cluster; here the model
    splits predictor and outcome into latent parts (multivariate MLM, two-level SEM).

    Parameters
    ----------
    outcome : str or list of str
        Several outcomes have slopes of their own and covary at both levels (multivariate MLM).
    x : str or list of str
        Level-1 predictors to split; numeric.
    data : DataFrame
    by : str
        The grouping factor.
    within, between : str or list of str
        Further predictors at level 1 only (centred) or at level 2 only (constant within groups).
    missing : {"fiml", "listwise"}
        Full-information maximum likelihood keeps rows that miss outcome or predictors; "listwise"
        drops them.
    level : float

    Returns
    -------
    LatentCentering
        Rows "within: x", "between: x", "contextual: x" for each x, then the covariates; z tests. Of
        several outcomes "y: within: x" ..., and after them "within covariance: y1, y2" and "between
        covariance: y1, y2".

    Raises
    ------
    FitError
        When lavaan does not converge.
    ArgumentError
        For a column in two places.
    DataError
        For a column that is not numeric; an x that does not vary at both levels; a `between`
        predictor that varies within groups.
    RPackageError
        When lavaan is not installed.

    Warns
    -----
    AdviceWarning
        For an inadmissible solution, such as a negative variance.

    Notes
    -----
    Mirrors ``lavaan::sem(model, cluster = by, fixed.x = FALSE, missing = "ml")``; Lüdtke et al.
    2008, doi:10.1037/a0012869; lecture S4, option 3. Limits: two levels, continuous variables,
    maximum likelihood, **no random slopes** (lavaan has none in two-level models), z tests that
    presume many groups. For random slopes use cluster-mean centring: `within_between`.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("mlmRev::Exam")
    >>> fit = mlm.latent_centering("normexam", "standLRT", data, by="school")
    >>> fit.to_frame()["estimate"].round(2)
    within: standLRT        0.56
    between: standLRT       1.03
    contextual: standLRT    0.47
    Name: estimate, dtype: float64
    """
    outcomes = names(outcome, "outcome")
    columns = names(x, "x")
    more_w, more_b = _some(within, "within"), _some(between, "between")
    frame = as_pandas(data)
    groups = groups_of(frame, by)
    flat = _check(frame, columns, more_b, groups)
    known = groups.codes >= 0
    used = [*outcomes, *columns, *more_w, *more_b]
    twice = {c for c in used if used.count(c) > 1}
    if twice:
        raise ArgumentError(
            f"{', '.join(sorted(twice))} stand(s) in two places: a column is the outcome, or one "
            "of x= (both levels), within= or between="
        )
    *own, cluster = _aliases([*used, by])
    aliases = dict(zip(used, own, strict=True))
    renamed = pd.DataFrame({alias: numbers(frame, c)[known] for c, alias in aliases.items()})
    renamed[cluster] = groups.codes[known]
    found = call(
        "ml_latent", prepare(renamed), [aliases[y] for y in outcomes], cluster,
        [aliases[c] for c in columns],
        [aliases[c] for c in more_w] or None, [aliases[c] for c in more_b] or None,
        missing == "fiml", level, fitting=True,
    )  # fmt: skip
    if not bool(found["admissible"][0]):
        advise(
            "lavaan's solution is inadmissible (a negative variance, or a covariance matrix that "
            "is not positive definite): do not read its slopes. " + " ".join(found["notes"])
        )
    return _result(found, aliases, outcomes, columns, more_w, more_b, flat)


def _some(value: Any, what: str) -> list[str]:
    """Columns' names, or none of them."""
    none = value is None or (isinstance(value, (str, list, tuple)) and not value)
    return [] if none else names(value, what)


def _aliases(columns: Sequence[str]) -> list[str]:
    """The columns' own names where lavaan's syntax can read them, for its output's sake."""
    out: list[str] = []
    for i, name in enumerate(columns):
        plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9._]*", name) and name.lower() not in NOT_NAMES
        alias = name if plain else f"v{i}"
        while alias in out or (alias != name and alias in columns):
            alias += "_"
        out.append(alias)
    return out


def _check(
    frame: pd.DataFrame, columns: Sequence[str], between: Sequence[str], groups: Groups
) -> dict[str, int]:
    flat = {}
    for name in columns:
        values = numbers(frame, name)
        w, b = spread(values, groups.codes, groups.n)
        if not w > 1e-12 * (w + b) or not b > 1e-12 * (w + b):
            where = "within" if not w > 1e-12 * (w + b) else "between"
            raise DataError(
                f"{name!r} does not vary {where} {groups.name!r}; pass it as "
                f"{'between' if where == 'within' else 'within'}= instead of x="
            )
        varying = pd.Series(values).groupby(np.where(groups.codes < 0, np.nan, groups.codes))
        flat[name] = int((varying.nunique() < 2).sum())
    for name in between:
        w, b = spread(numbers(frame, name), groups.codes, groups.n)
        if w > 1e-10 * (w + b):
            raise DataError(f"{name!r} varies within {groups.name!r}; pass it as x= or within=")
    return flat


def _result(
    found: dict[str, Any],
    aliases: dict[str, str],
    outcomes: Sequence[str],
    columns: Sequence[str],
    within: Sequence[str],
    between: Sequence[str],
    flat: dict[str, int],
) -> LatentCentering:
    table = pd.DataFrame(
        {k: found[k] for k in ("lhs", "op", "rhs", "label", "est_level", *COLUMNS)}
    )
    wanted: list[tuple[str, pd.DataFrame]] = []
    several = len(outcomes) > 1
    for i, outcome in enumerate(outcomes):
        number, of = (str(i + 1), f"{outcome}: ") if several else ("", "")
        slopes = table[(table["op"] == "~") & (table["lhs"] == aliases[outcome])]
        for name in columns:
            alias = aliases[name]
            for kind, mark in (("within", "w"), ("between", "b")):
                own = slopes[slopes["label"] == f"{mark}{number}_{alias}"]
                wanted.append((f"{of}{kind}: {name}", own))
            contextual = table[table["lhs"] == f"contextual{number}_{alias}"]
            wanted.append((f"{of}contextual: {name}", contextual))
        for kind, more in (("within", within), ("between", between)):
            wanted += [(f"{of}{kind}: {n}", slopes[slopes["rhs"] == aliases[n]]) for n in more]
    wanted += _covariances(table, aliases, outcomes)
    rows = pd.concat([frame.iloc[[0]] for _, frame in wanted])
    values = {k: readonly(rows[k].to_numpy(dtype=float, copy=True)) for k in COLUMNS}
    return LatentCentering(
        term=tuple(name for name, _ in wanted),
        df=readonly(np.full(len(wanted), np.inf)),
        converged=True,
        admissible=bool(found["admissible"][0]),
        nobs=int(found["nobs"][0]),
        n_clusters=int(found["nclusters"][0]),
        loglik=float(found["loglik"][0]),
        syntax=found["syntax"][0],
        notes=tuple(found["notes"]),
        n_flat=flat,
        printed=Printed.from_r(found["printed"]),
        **values,
    )


def _covariances(
    table: pd.DataFrame, aliases: dict[str, str], outcomes: Sequence[str]
) -> list[tuple[str, pd.DataFrame]]:
    """Residual covariances of the outcomes at both levels, one row a pair."""
    rows = []
    for level, kind in ((1, "within"), (2, "between")):
        here = table[(table["op"] == "~~") & (table["est_level"] == level)]
        for a, b in combinations(outcomes, 2):
            pair = {aliases[a], aliases[b]}
            own = here[[{x, y} == pair for x, y in zip(here["lhs"], here["rhs"], strict=True)]]
            rows.append((f"{kind} covariance: {a}, {b}", own))
    return rows
