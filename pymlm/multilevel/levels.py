"""Describe the levels of a data set before modelling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from pymlm.argument_types import Data, Names
from pymlm.arguments import strict
from pymlm.errors import ArgumentError
from pymlm.frames import as_pandas
from pymlm.models.advice import about_groups, advise
from pymlm.multilevel.columns import as_fits_take, names, numbers
from pymlm.multilevel.groups import NO_VARIATION, Groups, groups_of, spread
from pymlm.results.base import Floats, Result, readonly
from pymlm.results.printed import shown


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LevelDescription(Result):
    """The levels of a data set before modelling; one row a grouping factor.

    Attributes
    ----------
    group : tuple of str, length k
        Grouping factors, as given.
    n_groups : ndarray, shape (k,)
        Groups that have rows.
    n_rows : ndarray, shape (k,)
        Rows with a known group.
    min_size, mean_size, median_size, max_size : ndarray, shape (k,)
        Rows per group.
    n_single : ndarray, shape (k,)
        Groups of one row.
    n_empty : ndarray, shape (k,)
        Categories without rows.
    n_missing : ndarray, shape (k,)
        Rows whose group is missing.
    relations : tuple of Relation
        Every pair of grouping factors: nested, crossed, the same, or multiple membership.
    predictors : tuple of PredictorLevels
        For every predictor and grouping factor, where it varies.
    advice : tuple of str
        What the lectures advise for such data.

    Notes
    -----
    Lectures S0 (structures; about 10 groups), S1 (only groups with variation within count in a
    fixed-effects model) and S4 (levels of analysis; fewer than about 10 clusters).
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "n_groups", "n_rows", "min_size", "mean_size", "median_size", "max_size", "n_single",
        "n_empty", "n_missing",
    )  # fmt: skip
    _index: ClassVar[str | None] = "group"

    group: tuple[str, ...]
    n_groups: Floats
    n_rows: Floats
    min_size: Floats
    mean_size: Floats
    median_size: Floats
    max_size: Floats
    n_single: Floats
    n_empty: Floats
    n_missing: Floats
    relations: tuple[Relation, ...]
    predictors: tuple[PredictorLevels, ...]
    advice: tuple[str, ...]

    def relations_frame(self) -> pd.DataFrame:
        """Return the relation of every pair of grouping factors: lower, upper, relation, detail."""
        return _rows(self.relations)

    def predictors_frame(self) -> pd.DataFrame:
        """Return where every predictor varies, one row a predictor and grouping factor."""
        return _rows(self.predictors)

    def _body(self) -> str:
        """The tables one below the other, and the advice."""
        parts = [shown(self.to_frame())]
        if self.relations:
            parts += [f"{r.lower} in {r.upper}: {r.relation} ({r.detail})" for r in self.relations]
        if self.predictors:
            parts.append(self.predictors_frame().to_string(index=False))
        return "\n\n".join([*parts, *self.advice])


def _rows(parts: tuple[Result, ...]) -> pd.DataFrame:
    """One row a part; none of them has notes."""
    return pd.DataFrame([{k: v for k, v in p.to_dict().items() if k != "notes"} for p in parts])


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation(Result):
    """How two grouping factors stand to each other.

    Attributes
    ----------
    lower, upper : str
        The finer and the coarser factor.
    relation : str
        "nested", "crossed", "partially crossed", "same" or "multiple membership".
    detail : str
        The count that shows it.
    """

    lower: str
    upper: str
    relation: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictorLevels(Result):
    """Where one predictor varies with respect to one grouping factor.

    Attributes
    ----------
    predictor, group : str
    level : str
        "within and between", "within only", "between only" or "constant".
    n_varying : int
        Groups within which it varies: all that count in a fixed-effects model.
    n_rows_varying : int
        Rows in these groups.
    between_share : float
        Share of its sum of squares that lies between groups (eta squared); NaN for text.
    n_missing : int
        Rows where it is missing.
    """

    predictor: str
    group: str
    level: str
    n_varying: int
    n_rows_varying: int
    between_share: float
    n_missing: int


@strict
def describe_levels(
    data: Data,
    groups: Names,
    predictors: str | Sequence[str] | None = None,
    unit: str | None = None,
) -> LevelDescription:
    """Describe the levels of a data set: structure first, models after.

    Parameters
    ----------
    data : DataFrame
    groups : str or list of str
        Grouping factors, in any order.
    predictors : str or list of str, optional
        Columns of which to say at which level they vary; default all others.
    unit : str, optional
        Identifier of the lowest-level unit where it has several rows (a pupil): a unit with rows in
        more than one group is a multiple membership.

    Returns
    -------
    LevelDescription
        One row a grouping factor; `relations_frame()` and `predictors_frame()` hold the rest.

    Raises
    ------
    DataError
        For a column that is not there, or a grouping factor without any group.

    Warns
    -----
    AdviceWarning
        For fewer than 10 groups, groups that all have one row, or rows without a group.

    Notes
    -----
    Lectures S0, S1, S4. Counting is all that is done here.

    Examples
    --------
    >>> import pymlm as mlm
    >>> pastes = mlm.load_dataset("lme4::Pastes")
    >>> d = mlm.describe_levels(pastes, ["batch", "sample"], "strength")
    >>> d.relations[0].lower, d.relations[0].relation, d.relations[0].upper
    ('sample', 'nested', 'batch')
    """
    frame = as_pandas(data)
    factors = [groups_of(frame, g) for g in names(groups, "groups")]
    for name in [f.name for f in factors] + ([unit] if unit is not None else []):
        if name in map(str, frame.columns):  # "a:b" is of two
            as_fits_take(frame, name, "grouping factor")
    used = [f.name for f in factors] + ([unit] if unit is not None else [])
    if predictors is None:
        columns = [str(c) for c in frame.columns if str(c) not in used]
    else:
        columns = names(predictors, "predictors")
    relations = [_relation(*_finer_first(a, b)) for i, a in enumerate(factors) for b in factors[:i]]
    if unit is not None:
        if unit in [f.name for f in factors]:
            raise ArgumentError(f"unit={unit!r} is among the groups, too; leave it out of one")
        relations += [_membership(groups_of(frame, unit), f) for f in factors]
    advice = _advice(factors)
    out = LevelDescription(
        group=tuple(f.name for f in factors),
        relations=tuple(relations),
        predictors=tuple(_predictor(frame, c, f) for c in columns for f in factors),
        advice=tuple(advice + _hints(relations)),
        **_sizes(factors),
    )
    for text in advice:
        advise(text)
    return out


def _sizes(factors: Sequence[Groups]) -> dict[str, Any]:
    measures = {
        "n_groups": [f.n for f in factors],
        "n_rows": [f.sizes.sum() for f in factors],
        "min_size": [f.sizes.min() for f in factors],
        "mean_size": [f.sizes.mean() for f in factors],
        "median_size": [np.median(f.sizes) for f in factors],
        "max_size": [f.sizes.max() for f in factors],
        "n_single": [(f.sizes == 1).sum() for f in factors],
        "n_empty": [f.n_empty for f in factors],
        "n_missing": [f.n_missing for f in factors],
    }
    return {k: readonly(v) for k, v in measures.items()}


def _finer_first(a: Groups, b: Groups) -> tuple[Groups, Groups]:
    return (a, b) if a.n >= b.n else (b, a)


def _pairs(lower: Groups, upper: Groups) -> pd.DataFrame:
    known = (lower.codes >= 0) & (upper.codes >= 0)
    pairs = pd.DataFrame({"lower": lower.codes[known], "upper": upper.codes[known]})
    return pairs.drop_duplicates()


def _relation(lower: Groups, upper: Groups) -> Relation:
    pairs = _pairs(lower, upper)
    several = int((pairs.groupby("lower").size() > 1).sum())
    if several == 0:
        kind = "same" if len(pairs) == upper.n == lower.n else "nested"
        detail = f"each {lower.name} lies in one {upper.name}"
    else:
        full = len(pairs) == lower.n * upper.n
        kind = "crossed" if full else "partially crossed"
        detail = f"{len(pairs)} of {lower.n * upper.n} combinations occur"
    return Relation(lower=lower.name, upper=upper.name, relation=kind, detail=detail)


def _membership(unit: Groups, upper: Groups) -> Relation:
    pairs = _pairs(unit, upper)
    several = int((pairs.groupby("lower").size() > 1).sum())
    return Relation(
        lower=unit.name,
        upper=upper.name,
        relation="multiple membership" if several else "nested",
        detail=f"{several} of {unit.n} have rows in more than one {upper.name}",
    )


def _predictor(frame: pd.DataFrame, name: str, group: Groups) -> PredictorLevels:
    series = as_fits_take(frame, name, "predictor")
    missing = np.asarray(series.isna(), dtype=bool)
    numeric = pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(
        series.dtype
    )
    known = ~missing & (group.codes >= 0)
    codes = pd.factorize(series)[0]
    by_group = pd.Series(codes[known]).groupby(group.codes[known]).nunique()
    varying = by_group.index[by_group > 1]
    rows = int(np.isin(group.codes[known], varying).sum())
    share = float("nan")
    has_between = len(set(zip(group.codes[known], codes[known], strict=True))) > 1
    if numeric:
        within, between = spread(numbers(frame, name), group.codes, group.n)
        total = within + between
        share = between / total if total > 0 else float("nan")
        has_between = total > 0 and share > NO_VARIATION
    elif len(np.unique(codes[known])) < 2:
        has_between = False
    return PredictorLevels(
        predictor=name,
        group=group.name,
        level=_level(len(varying) > 0, has_between),
        n_varying=len(varying),
        n_rows_varying=rows,
        between_share=share,
        n_missing=int(missing.sum()),
    )


def _level(within: bool, between: bool) -> str:
    if within and between:
        return "within and between"
    if within:
        return "within only"
    return "between only" if between else "constant"


def _advice(factors: Sequence[Groups]) -> list[str]:
    out = []
    for f in factors:
        out += about_groups({f.name: f.n})
        if (f.sizes == 1).all():
            out.append(
                f"every group of {f.name!r} has one row: level 1 and this level cannot be told "
                "apart, and lmer will refuse the model"
            )
        if f.n_missing:
            out.append(f"{f.n_missing} rows have no {f.name!r}; a model will drop them")
    return out


def _hints(relations: Sequence[Relation]) -> list[str]:
    """What a crossed table may hide; said, but no reason for a warning."""
    return [
        f"{r.lower!r} and {r.upper!r} are crossed. If the labels of one start anew within every "
        "unit of the other, it is nested in truth: write (1 | outer/inner) in the formula"
        for r in relations
        if r.relation == "crossed"
    ]
