"""Advice: what is right as R does it, and seldom what was meant.

The numbers are R's in every case. What a formula or a column most likely meant otherwise is an
AdviceWarning at the fit; what depends on the design is on the model, and a warning where
`pymlm.options.advice` asks for it. A model has all of it in ``m.advice``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

import numpy as np

from pymlm.engine import Frame, RObject, call
from pymlm.engine.to_r import Column
from pymlm.errors import AdviceWarning, warn
from pymlm.formula import Formula
from pymlm.models.base import Source
from pymlm.options import options


class Advised(Protocol):
    """A fitted model, as far as advice about it goes."""

    _handle: RObject
    _source: Source

    @property
    def formula(self) -> str: ...
    @property
    def ngroups(self) -> dict[str, int]: ...


M = TypeVar("M", bound=Advised)

#: Below this many groups the lectures advise indicators of the groups instead (S0, S4: "about 10").
FEW_GROUPS = 10
#: A text with this many levels or more, in more than half of the rows another, is no factor that
#: anyone means to estimate: an identifier, or numbers that were read as text.
MANY_LEVELS = 10


def about_formula(formula: Formula, mixed: bool) -> list[str]:
    """Say where R's formula means something else than the same text in Python."""
    out = [
        f"in a formula {power} means {base} crossed with itself, which is {base} alone: no "
        f"power is fitted. Write I({power}) for the power"
        for base, power in zip(formula.power_bases, formula.powers, strict=True)
    ]
    return out + about_bar(formula) if mixed else out


def about_bar(formula: Formula) -> list[str]:
    """Say that a bar outside parentheses takes the fixed effects along."""
    out = []
    if formula.bare_slopes:
        named = ", ".join(formula.bare_slopes)
        out.append(
            f"the bar of this formula stands outside parentheses, and R takes all that is left of "
            f"it into the random effects: {named} has no fixed effect. Write the random part in "
            "parentheses, 'y ~ x + (1 | g)'"
        )
    return out


def about_data(formula: Formula, frame: Frame) -> list[str]:
    """Say which columns R will take for something else than the user does."""
    apart = {*formula.groups, *formula.removed, *formula.response_names}
    used = set(formula.names) - apart
    out = []
    for column in frame.columns:
        if column.name not in used and not (formula.dot and column.name not in apart):
            continue
        if column.kind in ("difftime", "POSIXct"):
            what = "duration" if column.kind == "difftime" else "date with time"
            less = "" if column.kind == "difftime" else " - the first one"
            out.append(
                f"column {column.name!r} is a {what}, which R takes in seconds: its coefficient is "
                f"per second. For another unit divide it before, e.g. "
                f"(data[{column.name!r}]{less}) / pd.Timedelta('1D')"
            )
        elif column.kind in ("factor", "ordered"):
            out += _about_levels(column, frame.nrow)
    return out


def about_double_bars(formula: Formula, frame: Frame) -> list[str]:
    """Say where ``(f || g)`` keeps the correlations of a factor's levels, as every lme4 does."""
    factors = {c.name: c for c in frame.columns if c.kind in ("factor", "ordered", "logical")}
    return [
        f"{name!r} is a factor, and this lme4 keeps the correlations of its levels in a term with "
        "'||'. For none, give the term a column of 0 and 1 for each level: "
        f"data.join(pandas.get_dummies(data[{name!r}], prefix={name!r}, dtype=float))"
        for name in formula.uncorrelated
        if name in factors
    ]


def _about_levels(column: Column, rows: int) -> list[str]:
    # Levels that occur; a category may have others, and missing values are no level.
    codes = column.values[column.values > 0]
    levels = len(np.unique(codes)) if len(column.levels) >= MANY_LEVELS else 0
    if levels < MANY_LEVELS or 2 * levels <= rows:
        return []
    return [
        f"column {column.name!r} holds {levels} different texts in {rows} rows, and each gets a "
        "coefficient of its own. Numbers that were read as text become numbers with "
        "pd.to_numeric(...); an identifier belongs into the random effects, or out of the formula"
    ]


def about_update(
    model: Advised, written: Formula | None, formula: str, changes: Mapping[str, Any]
) -> list[str]:
    """Say what the formula as `written` hides, or that an update leaves the model as it is.

    `formula` is the whole one after it; R has then taken powers out of it.
    """
    if written is not None and (powers := about_formula(written, mixed=bool(model.ngroups))):
        return powers
    same: str = call("updated_formula", model._handle, ". ~ .", into=str)
    if formula not in (same, model.formula) or not all(
        _as_before(model, name, value) for name, value in changes.items() if name != "timeout"
    ):
        return []
    return [
        f"update() changes nothing: the formula stays {model.formula}. What is taken away must "
        "stand in it as R writes it, and what is added must not"
    ]


def _as_before(model: Advised, name: str, value: object) -> bool:
    before = (model._source.arguments.get(name), getattr(model, name, None))
    if isinstance(value, (str, bool, int, float)):
        return any(isinstance(b, (str, bool, int, float)) and b == value for b in before)
    return value is before[0]  # never of two tables: their values were not looked at


def about_groups(ngroups: Mapping[str, int]) -> list[str]:
    """Say which grouping factors have few groups (lectures S0, S4: fewer than about ten)."""
    return [
        f"{name!r} has {n} groups: with fewer than about {FEW_GROUPS} the variance "
        "between them is hardly known. Consider indicators of the groups (fixed effects) "
        "in pymlm.lm instead of a random effect"
        for name, n in ngroups.items()
        if n < FEW_GROUPS
    ]


def advise(*texts: str) -> None:
    """Give each as an AdviceWarning at the user's line."""
    for text in texts:
        warn(text, AdviceWarning)


def advised(model: M) -> M:
    """Return a new fit; where the options ask for it, say what its design asks care of."""
    if options.advice:
        advise(*about_groups(model.ngroups))
    return model
