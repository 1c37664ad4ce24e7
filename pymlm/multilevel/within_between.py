"""The within-between and the contextual model, and what one slope alone would have been."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from pymlm.argument_types import Data, Level, MixedDdf
from pymlm.arguments import strict
from pymlm.engine import call
from pymlm.errors import ArgumentError, DataError
from pymlm.formula import quoted, vet
from pymlm.frames import as_pandas, complete_rows, used_columns
from pymlm.models.inside import call_on, handle_of
from pymlm.models.lmer import LinearMixedModel, lmer
from pymlm.multilevel.centering import center
from pymlm.multilevel.columns import names, numbers
from pymlm.multilevel.contrasts import coefficient, table
from pymlm.multilevel.groups import groups_of, spread
from pymlm.results.base import Floats, Result, readonly
from pymlm.results.estimates import Estimates


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class WithinBetween(Estimates):
    """Within, between, contextual and smushed slope of predictors that vary at both levels.

    Attributes
    ----------
    term : tuple of str
        "within: x", "between: x", "contextual: x" (between − within, tested) and "smushed: x" for
        each predictor.
    phi : dict of str to float
        Weight of the within slope in the smushed one.
    smushed_at_common_variances : dict of str to float
        phi · W + (1 − phi) · B with both slopes at the variances of the smushed model. With one x
        it is the estimate "smushed: x" itself.
    ddf : str
        Method of the degrees of freedom.
    formulas : dict of str to str
        The formulas fitted: "within-between", "contextual", "smushed".
    models : dict of str to model
        The fitted models by the same names; not part of `to_dict()`.

    Notes
    -----
    Lectures S0 (within-between model; beta = phi·W + (1 − phi)·B) and S4 (contextual slope).
    Bell, Fairbrother & Jones 2019, doi:10.1007/s11135-018-0802-x; Mundlak 1978,
    doi:10.2307/1913646.
    """

    phi: Mapping[str, float]
    smushed_at_common_variances: Mapping[str, float]
    ddf: str
    formulas: Mapping[str, str]
    models: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data; the fitted models are left out."""
        return Result.to_dict(dataclasses.replace(self, models={}))


@strict
def within_between(
    formula: str,
    data: Data,
    x: str | Sequence[str],
    by: str,
    reml: bool = True,
    ddf: MixedDdf = "Satterthwaite",
    level: Level = 0.95,
    control: Any = None,
) -> WithinBetween:
    """Fit the within-between and the contextual model, and test whether the slopes differ.

    Parameters
    ----------
    formula : str
        ``"gpa ~ ses + clubs"`` with the raw predictor, with or without a random part (without, a
        random intercept of `by` is added), or just the outcome: ``"gpa"``. In the within-between
        model each `x` becomes its within and between part (in the random part the within part, in
        the contextual model, too, lest the random slope be smushed).
    data : DataFrame
        Rows that miss a column of the formula are dropped before the means are taken.
    x : str or list of str
        Predictors to split.
    by : str
        The grouping factor.
    reml : bool
    ddf : str
        Degrees of freedom of the tests: "Satterthwaite", "Kenward-Roger", "between-within" or
        "asymptotic".
    level : float
    control : dict, optional
        As in `pymlm.lmer`.

    Returns
    -------
    WithinBetween
        Rows "within: x", "between: x", "contextual: x" (between − within) and "smushed: x"; the
        weight phi of the within slope in the smushed one; and the three models.

    Raises
    ------
    DataError
        When x does not vary within groups, or not between them: there are no two slopes.
    NotSupportedError
        When the formula uses x within a function call, such as ``log(x)``.

    Notes
    -----
    Lectures S0 and S4; ``lmerTest::contest1D`` tests between − within. With W and B estimated at
    the variances of the smushed model, its slope is exactly phi·W + (1 − phi)·B, where
    phi = (var(B) − cov(W, B)) / var(W − B): generalized least squares under the constraint W = B.
    With several `x` each phi is that of smushing this one alone.

    Examples
    --------
    >>> import pymlm as mlm
    >>> d = mlm.load_dataset("nlme::bdf")
    >>> wb = mlm.within_between("langPOST ~ ses", d, x="ses", by="schoolNR")
    >>> wb.term
    ('within: ses', 'between: ses', 'contextual: ses', 'smushed: ses')
    """
    columns = names(x, "x")
    frame = as_pandas(data)
    used_columns(frame, columns, "argument x")
    used_columns(frame, [by], "argument by")
    text = _whole_formula(formula, columns)
    frame = _used(frame, text, [*columns, by])
    for name in columns:
        _check_two_levels(frame, name, by)
    centred = center(frame, columns, by=by, replace=True)
    texts = {
        "within-between": _split(text, columns, by, ("_within", "_between"), "_within"),
        "contextual": _split(text, columns, by, ("", "_between"), "_within"),
        "smushed": _split(text, columns, by, ("",), ""),
    }
    models = {k: lmer(t, centred, reml=reml, control=control) for k, t in texts.items()}
    hybrid = _split(text, columns, by, ("_within", "_between"), "")
    common = call_on(
        models["smushed"],
        "ml_at_variances_of",
        _Common,
        fit=handle_of(models["within-between"]),
        formula=hybrid,
    )
    return _result(models, texts, columns, ddf, level, common)


def _whole_formula(formula: str, columns: Sequence[str]) -> str:
    if not isinstance(formula, str):
        raise ArgumentError(f"formula is a text such as 'gpa ~ ses', not {formula!r}")
    if "~" in formula:
        found = vet(formula, columns=columns)
        for name in columns:
            if name not in found.names:
                raise ArgumentError(f"the formula {formula!r} does not use x={name!r}")
        return formula
    outcome = formula.strip().strip("`")
    return f"{quoted(outcome)} ~ " + " + ".join(map(quoted, columns))


def _used(frame: pd.DataFrame, text: str, more: Sequence[str]) -> pd.DataFrame:
    wanted = list(dict.fromkeys([*vet(text, columns=frame.columns).names, *more]))
    complete = complete_rows(used_columns(frame, wanted))
    if not complete.any():
        raise DataError("every row misses a column of the formula")
    return frame.loc[complete]


def _check_two_levels(frame: pd.DataFrame, name: str, by: str) -> None:
    groups = groups_of(frame, by)
    within, between = spread(numbers(frame, name), groups.codes, groups.n)
    total = within + between
    if not total > 0 or within <= 1e-12 * total:
        raise DataError(f"{name!r} does not vary within any {by!r}: it has no within slope")
    if between <= 1e-12 * total:
        raise DataError(f"{name!r} does not vary between {by!r}: it has no between slope")


def _split(text: str, columns: Sequence[str], by: str, fixed: Sequence[str], random: str) -> str:
    for name in columns:
        text = call(
            "ml_replace", text, name, [name + s for s in fixed], [name + random], by, into=str
        )
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    """The within-between slopes at the variances of the smushed model."""

    term: tuple[str, ...]
    estimate: Floats
    vcov: Floats

    def weight(self, name: str) -> tuple[float, float]:
        """Weight of the within slope, and the weighted mean of both slopes."""
        parts = (f"{name}_within", f"{name}_between")
        at = [self.term.index(coefficient(part, self.term)) for part in parts]
        v = self.vcov[np.ix_(at, at)]
        w, b = self.estimate[at]
        phi = (v[1, 1] - v[0, 1]) / (v[0, 0] + v[1, 1] - 2 * v[0, 1])
        return float(phi), float(phi * w + (1 - phi) * b)


def _result(
    models: dict[str, LinearMixedModel],
    texts: dict[str, str],
    columns: Sequence[str],
    ddf: str,
    level: float,
    common: _Common,
) -> WithinBetween:
    wb = models["within-between"]
    tables, labels, phi, smushed = [], [], {}, {}
    for name in columns:
        w, m = f"{name}_within", f"{name}_between"
        slopes: list[dict[str, float]] = [{w: 1.0}, {m: 1.0}, {m: 1.0, w: -1.0}]
        tables.append(table(wb, slopes, ddf, level))
        tables.append(table(models["smushed"], [{name: 1.0}], ddf, level))
        labels += [f"{k}: {name}" for k in ("within", "between", "contextual", "smushed")]
        phi[name], smushed[name] = common.weight(name)
    joined: dict[str, Any] = {
        k: readonly(np.concatenate([t[k] for t in tables])) for k in tables[0]
    }
    return WithinBetween(
        term=tuple(labels),
        phi=phi,
        smushed_at_common_variances=smushed,
        ddf=ddf,
        formulas=texts,
        models=models,
        **joined,
    )
