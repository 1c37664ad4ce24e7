"""Which effect each coefficient is: within, between, contextual or smushed (S4's Table 1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any, overload

import numpy as np
import pandas as pd

from pymlm.arguments import strict
from pymlm.engine import call
from pymlm.errors import ArgumentError, NotSupportedError
from pymlm.formula import vet
from pymlm.frames import as_pandas, prepare, used_columns
from pymlm.models.mixed import MixedModel
from pymlm.multilevel._tools import (
    NO_VARIATION,
    Groups,
    advise,
    data_of,
    group_means,
    groups_of,
    one_group,
    random_part,
    spread,
)
from pymlm.names import group_columns
from pymlm.results.base import Floats
from pymlm.results.multilevel_structure import EffectTypes, EffectTypesTable


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomDesign:
    """Model matrix of one random term."""

    group: str
    term: tuple[str, ...]
    values: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Model matrices of a formula on all rows of the data, NaN where something is missing."""

    term: tuple[str, ...]
    values: Floats
    order: Floats
    label: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...]
    response: str
    random: tuple[RandomDesign, ...]

    def only(self, terms: Iterable[str]) -> Design:
        """Leave out the columns that a fit dropped for rank deficiency."""
        wanted = set(terms)
        at = [i for i, t in enumerate(self.term) if t in wanted]
        return replace(
            self,
            term=tuple(self.term[i] for i in at),
            values=self.values[:, at],
            order=self.order[at],
            label=tuple(self.label[i] for i in at),
            parts=tuple(self.parts[i] for i in at),
        )


def design_of(formula: str, data: pd.DataFrame, trusted: bool = False) -> Design:
    """Return the model matrices of `formula` on `data`; nothing is fitted."""
    vetted = vet(formula, trusted=trusted, columns=data.columns, rows=len(data))
    names = [n for n in vetted.names if not trusted or n in {str(c) for c in data.columns}]
    found: Design = call("ml_design", formula, prepare(used_columns(data, names)), into=Design)
    return found


@dataclass(frozen=True, slots=True)
class _Column:
    """Where one column of the design varies, and its group means."""

    name: str
    varies: str
    means: Floats


def _column(name: str, values: Floats, groups: Groups) -> _Column:
    within, between = spread(values, groups.codes, groups.n)
    total = within + between
    means = group_means(values, groups.codes, groups.n)
    scale = float(np.nanmax(np.abs(values), initial=0.0)) ** 2 * max(len(values), 1)
    if not total > NO_VARIATION * scale:
        return _Column(name, "none", means)
    has_within, has_between = within > NO_VARIATION * total, between > NO_VARIATION * total
    varies = "both" if has_within and has_between else "within" if has_within else "between"
    return _Column(name, varies, means)


def _is_mean_of(between: _Column, other: _Column) -> bool:
    """True when `between` holds the group means of `other`, but for a constant."""
    known = ~np.isnan(between.means) & ~np.isnan(other.means)
    if known.sum() < 2:
        return False
    gap = between.means[known] - other.means[known]
    scale = np.ptp(other.means[known])
    return bool(scale > 0 and np.ptp(gap) <= 1e-6 * scale)


def _belong(within: _Column, between: _Column) -> bool:
    """True when within + between is one predictor that the data could have come from.

    A cluster-mean-centred column says nothing of its mean; the names do: "x_within" and
    "x_between", or "WSses" and "SMses", share a stem.
    """
    a, b = within.name.casefold(), between.name.casefold()
    stem = SequenceMatcher(None, a, b, autojunk=False).find_longest_match().size
    return stem >= max(1, min(3, len(a) - 1, len(b) - 1))


@overload
def effect_types(
    m: MixedModel | str, data: Any = None, by: str | None = None, warn: bool = True
) -> EffectTypes: ...
@overload
def effect_types(
    m: list[Any] | tuple[Any, ...] | Mapping[str, Any],
    data: Any = None,
    by: str | None = None,
    warn: bool = True,
) -> EffectTypesTable: ...
@strict
def effect_types(
    m: Any, data: Any = None, by: str | None = None, warn: bool = True
) -> EffectTypes | EffectTypesTable:
    """Say which effect each fixed coefficient is, from the formula and the data.

    Parameters
    ----------
    m : MixedModel or str, a list of them, or a dict
        A fitted model, or a formula (then `data` is needed). Several make a table, named by a dict,
        else by the formulas.
    data : DataFrame, optional
        Default: the frame the model was fitted to. Group means are taken over all rows in which the
        predictor is known.
    by : str, optional
        The grouping factor that defines level 2; needed when there are several.
    warn : bool
        Give an AdviceWarning for every smushed slope.

    Returns
    -------
    EffectTypes
        Of several, an EffectTypesTable: ``wide()`` has a row a formula and a column a coefficient.

    Raises
    ------
    ArgumentError
        For a formula without data, several grouping factors without `by`, or a list of nothing.

    Warns
    -----
    AdviceWarning
        Where a fixed slope is smushed (a predictor that varies at both levels stands alone), or a
        random slope is (its predictor is not cluster-mean-centred).

    Notes
    -----
    Hoffman & Walters 2022, Table 1, doi:10.1146/annurev-psych-020821-103525; lecture S4. The rules:

    ========================  ==================  =============  ====================
    level-1 predictor         alone               level-2 alone  both
    ========================  ==================  =============  ====================
    variable-centred          within              between        within, between
    constant-centred          smushed             between        within, contextual
    ========================  ==================  =============  ====================

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.center(mlm.load_dataset("mlmRev::Exam"), "standLRT", by="school")
    >>> formula = "normexam ~ standLRT_within + standLRT_between + (1 | school)"
    >>> mlm.effect_types(formula, data).effect
    ('intercept', 'within', 'between')
    >>> data = data.rename(columns={"standLRT_within": "w", "standLRT_between": "b"})
    >>> formulas = {k: f"normexam ~ {k} + (1 | school)" for k in ("w", "standLRT", "standLRT + b")}
    >>> table = mlm.effect_types(formulas, data, warn=False).wide()
    >>> table["standLRT"].to_dict()
    {'w': '', 'standLRT': 'smushed', 'standLRT + b': 'within'}
    """
    if isinstance(m, (MixedModel, str)):
        return _one(m, data, by, warn)
    return _table(m, data, by, warn)


def _table(many: Any, data: Any, by: str | None, warn: bool) -> EffectTypesTable:
    """The effects of several models or formulas, one after the other."""
    if not isinstance(many, (Sequence, Mapping)) or not len(many):
        raise ArgumentError(
            f"effect_types takes a fitted model, a formula, or a list of these, not {many!r}"
        )
    if isinstance(many, Mapping):
        named = {str(k): m for k, m in many.items()}
    else:
        texts = [m.formula if isinstance(m, MixedModel) else str(m) for m in many]
        if len(set(texts)) < len(texts):
            twice = next(t for t in texts if texts.count(t) > 1)
            raise ArgumentError(f"{twice!r} stands twice; name the models by a dict")
        named = dict(zip(texts, many, strict=True))
    frame = None if data is None else as_pandas(data)
    found = {name: _one(m, frame, by, warn) for name, m in named.items()}
    each = {
        c: tuple(v for one in found.values() for v in getattr(one, c))
        for c in ("term", "effect", "varies", "partner", "assumes", "slope")
    }
    return EffectTypesTable(
        model=tuple(name for name, one in found.items() for _ in one.term),
        group=tuple(one.group for one in found.values()),
        **each,
    )


def _one(m: MixedModel | str, data: Any, by: str | None, warn: bool) -> EffectTypes:
    formula, frame, trusted = _formula_and_data(m, data)
    factor = _factor(m, formula, by)
    design = design_of(formula, frame, trusted)
    if isinstance(m, MixedModel):
        if not len(m.fixef()):
            raise NotSupportedError(
                f"effect_types is about the fixed effects, and this model has none: {m.formula}"
            )
        design = design.only(m.fixef().index)
    groups = groups_of(frame, factor)
    columns = [_column(t, design.values[:, i], groups) for i, t in enumerate(design.term)]
    slopes = _random_slopes(design, factor, groups)
    rows = [_judge(i, design, columns, groups, slopes, frame) for i in range(len(columns))]
    effect, partner, assumes, slope = (tuple(c) for c in zip(*rows, strict=True))
    out = EffectTypes(
        term=design.term,
        effect=effect,
        varies=tuple(c.varies for c in columns),
        partner=partner,
        assumes=assumes,
        slope=slope,
        group=factor,
    )
    if warn:
        _warn(out, slopes)
    return out


def _formula_and_data(m: MixedModel | str, data: Any) -> tuple[str, pd.DataFrame, bool]:
    if isinstance(m, MixedModel):
        frame = data_of(m, "effect_types") if data is None else as_pandas(data)
        return m.formula, frame, True
    if not isinstance(m, str):
        raise ArgumentError(f"effect_types takes a fitted model or a formula, not {m!r}")
    if data is None:
        raise ArgumentError("effect_types of a formula needs the data, too")
    return m, as_pandas(data), False


def _factor(m: MixedModel | str, formula: str, by: str | None) -> str:
    if by is not None:
        return by
    if isinstance(m, MixedModel):
        random_part(m).whole("effect_types")
        return one_group(m, None)
    found = vet(formula).groups
    if len(found) != 1:
        raise ArgumentError(
            f"the formula has {len(found)} grouping factors; say which is level 2: by='...'"
        )
    return found[0]


def _random_slopes(design: Design, factor: str, groups: Groups) -> dict[str, str]:
    """Random slopes on the factor: name -> where its column varies."""
    out = {}
    for term in design.random:
        if factor not in group_columns(term.group, [factor]):
            continue
        for i, name in enumerate(term.term):
            if name != "(Intercept)":
                out[name] = _column(name, term.values[:, i], groups).varies
    return out


def _judge(
    i: int,
    design: Design,
    columns: Sequence[_Column],
    groups: Groups,
    slopes: dict[str, str],
    frame: pd.DataFrame,
) -> tuple[str, str | None, str, str]:
    me = columns[i]
    if me.name == "(Intercept)":
        return "intercept", None, "", ""
    if design.order[i] > 1:
        return (
            _interaction(i, design, columns),
            None,
            "",
            _slope(i, design, columns, slopes),
        )
    mains = [c for c, o in zip(columns, design.order, strict=True) if o == 1 and c is not me]
    slope = _slope(i, design, columns, slopes)
    if me.varies == "none":
        return "constant", None, "", ""
    if me.varies == "both":
        mean = next((c for c in mains if c.varies == "between" and _is_mean_of(c, me)), None)
        if mean is None:
            return "smushed", None, "between = within", slope
        return "within", mean.name, "", slope
    if me.varies == "within":
        mean = next((c for c in mains if c.varies == "between" and _belong(me, c)), None)
        return "within", mean.name if mean else None, "" if mean else "between = 0", slope
    whole = next((c for c in mains if c.varies == "both" and _is_mean_of(me, c)), None)
    if whole is not None:
        return "contextual", whole.name, "", ""
    part = next(
        (c for j, c in enumerate(columns) if design.order[j] == 1 and c.varies == "within"
         and _belong(c, me)), None,
    )  # fmt: skip
    assumes = "" if part or not _is_a_mean(me, groups, frame) else "within = 0"
    return "between", part.name if part else None, assumes, ""


def _is_a_mean(me: _Column, groups: Groups, frame: pd.DataFrame) -> bool:
    """True when the data have a level-1 column of which this one is the group mean."""
    for label in frame.columns:
        series = frame[label]
        if isinstance(series, pd.Series) and pd.api.types.is_numeric_dtype(series.dtype):
            column = _column(str(label), series.to_numpy(dtype=float, na_value=np.nan), groups)
            if column.varies == "both" and _is_mean_of(me, column):
                return True
    return False


def _interaction(i: int, design: Design, columns: Sequence[_Column]) -> str:
    """Kind of a product: by the levels of the main effects that it is made of."""
    parts = set(design.parts[i])
    kinds, smushed = [], False
    for j, c in enumerate(columns):
        if design.order[j] == 1 and set(design.parts[j]) <= parts:
            kinds.append("level-2" if c.varies == "between" else "level-1")
            if c.varies == "both":
                smushed |= not any(
                    d.varies == "between" and _is_mean_of(d, c)
                    for d, o in zip(columns, design.order, strict=True)
                    if o == 1
                )
    if {"level-1", "level-2"} <= set(kinds):
        kind = "cross-level interaction"
    elif kinds:
        kind = f"{kinds[0]} interaction"
    else:  # a product without its main effects: by where the product itself varies
        kind = "level-2 interaction" if columns[i].varies == "between" else "level-1 interaction"
    return f"{kind} (smushed)" if smushed else kind


def _slope(i: int, design: Design, columns: Sequence[_Column], slopes: dict[str, str]) -> str:
    if columns[i].varies == "between" or design.order[i] > 1:
        return ""
    mine = set(design.parts[i])
    moderated = any(
        design.order[k] > 1
        and mine < set(design.parts[k])
        and any(
            design.order[j] == 1
            and columns[j].varies == "between"
            and set(design.parts[j]) <= set(design.parts[k]) - mine
            for j in range(len(columns))
        )
        for k in range(len(columns))
    )
    random = columns[i].name in slopes
    if random and moderated:
        return "random and systematically varying"
    return "random" if random else "systematically varying" if moderated else "fixed"


def _warn(types: EffectTypes, slopes: dict[str, str]) -> None:
    for term in types.smushed:
        advise(
            f"the slope of {term!r} is smushed: it varies within and between {types.group!r} and "
            "stands alone, so one slope does the work of two. Add its group mean, or centre it: "
            f"pymlm.center(data, {term!r}, by={types.group!r}), or pymlm.within_between(...)"
        )
    for name, varies in slopes.items():
        if varies == "both":
            advise(
                f"the random slope of {name!r} is smushed: it multiplies the between part of the "
                f"predictor, too. Give the random slope to {name}_within of pymlm.center(...)"
            )
