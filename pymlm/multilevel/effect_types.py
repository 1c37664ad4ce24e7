"""Which effect each coefficient is: within, between, contextual or smushed (S4's Table 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, overload

import numpy as np
import pandas as pd

from pymlm.argument_types import Data
from pymlm.arguments import strict
from pymlm.errors import ArgumentError, NotSupportedError
from pymlm.formula import vet
from pymlm.frames import as_pandas
from pymlm.models.advice import advise
from pymlm.models.inside import source_of
from pymlm.models.mixed import MixedModel
from pymlm.models.newdata import needed_columns
from pymlm.multilevel.asked_model import data_of
from pymlm.multilevel.effect_columns import Design, column_of, design_of, judged
from pymlm.multilevel.groups import Groups, groups_of
from pymlm.multilevel.random_part import one_group, random_part
from pymlm.names import group_columns
from pymlm.results.base import Result, check_known
from pymlm.results.printed import shown


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EffectTypes(Result):
    """Which effect each fixed coefficient is: within, between, contextual or smushed.

    Attributes
    ----------
    term : tuple of str, length p
        Coefficients as R names them.
    effect : tuple of str
        "within", "between", "contextual", "smushed", "intercept", "level-1 interaction",
        "level-2 interaction", "cross-level interaction", with "(smushed)" where a part is smushed.
    varies : tuple of str
        "within", "between", "both" or "none": where the column varies.
    partner : tuple of (str or None)
        The column that holds the other level's part, where the model has one.
    assumes : tuple of str
        What the model presumes of a part that it leaves out, "" where it leaves out nothing.
    slope : tuple of str
        "random", "systematically varying" (moves with a level-2 predictor only), "random and
        systematically varying", or "fixed"; "" for level-2 columns.
    group : str
        The grouping factor.

    Notes
    -----
    Table 1 of Hoffman & Walters 2022, doi:10.1146/annurev-psych-020821-103525 (lecture S4).
    """

    _columns: ClassVar[tuple[str, ...]] = ("effect", "varies", "partner", "assumes", "slope")
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    effect: tuple[str, ...]
    varies: tuple[str, ...]
    partner: tuple[str | None, ...]
    assumes: tuple[str, ...]
    slope: tuple[str, ...]
    group: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row a coefficient."""
        columns = {c: np.array(getattr(self, c), dtype=object) for c in self._columns}
        return pd.DataFrame(columns, index=pd.Index(list(self.term), dtype=object))

    @property
    def smushed(self) -> tuple[str, ...]:
        """The coefficients that are smushed."""
        return tuple(
            t for t, e in zip(self.term, self.effect, strict=True) if e.startswith("smushed")
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EffectTypesTable(Result):
    """Which effect each fixed coefficient is, in several models; a row a coefficient of a model.

    Attributes
    ----------
    model : tuple of str, length k
        The name of the model, or its formula.
    term, effect, varies, partner, assumes, slope : tuple, length k
        As in `EffectTypes`.
    group : tuple of str
        The grouping factor of each model.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "model", "term", "effect", "varies", "partner", "assumes", "slope",
    )  # fmt: skip

    model: tuple[str, ...]
    term: tuple[str, ...]
    effect: tuple[str, ...]
    varies: tuple[str, ...]
    partner: tuple[str | None, ...]
    assumes: tuple[str, ...]
    slope: tuple[str, ...]
    group: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a coefficient of a model."""
        columns = {c: np.array(getattr(self, c), dtype=object) for c in self._columns}
        return pd.DataFrame(columns)

    def wide(self, what: str = "effect") -> pd.DataFrame:
        """Return one row a model, one column a coefficient; "" where a model has not got it.

        Raises
        ------
        ArgumentError
            For a column that there is not.
        """
        check_known(what, self._columns[2:], "column")
        models, terms = (list(dict.fromkeys(v)) for v in (self.model, self.term))
        table = pd.DataFrame("", index=models, columns=terms, dtype=object)
        for model, term, value in zip(self.model, self.term, getattr(self, what), strict=True):
            table.loc[model, term] = value if value is not None else ""
        return table

    def _body(self) -> str:
        return shown(self.wide())


@overload
def effect_types(
    m: MixedModel | str, data: Data | None = None, by: str | None = None, warn: bool = True
) -> EffectTypes: ...
@overload
def effect_types(
    m: list[Any] | tuple[Any, ...] | Mapping[str, Any],
    data: Data | None = None,
    by: str | None = None,
    warn: bool = True,
) -> EffectTypesTable: ...
@strict
def effect_types(
    m: Any, data: Data | None = None, by: str | None = None, warn: bool = True
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


def _table(many: Any, data: Data | None, by: str | None, warn: bool) -> EffectTypesTable:
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


def _one(m: MixedModel | str, data: Data | None, by: str | None, warn: bool) -> EffectTypes:
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
    columns = [column_of(t, design.values[:, i], groups) for i, t in enumerate(design.term)]
    slopes = _random_slopes(design, factor, groups)
    rows = [judged(i, design, columns, groups, slopes, frame) for i in range(len(columns))]
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


def _formula_and_data(m: MixedModel | str, data: Data | None) -> tuple[str, pd.DataFrame, bool]:
    if isinstance(m, MixedModel):
        if data is None:
            return m.formula, data_of(m, "effect_types"), True
        frame = as_pandas(data)
        sent = source_of(m).sent
        own = vet(m.formula, trusted=True, columns=sent)
        needed = [n for n in own.names if n in sent and n not in own.response_names]
        needed_columns(frame, needed, what="data")
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
                out[name] = column_of(name, term.values[:, i], groups).varies
    return out


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
