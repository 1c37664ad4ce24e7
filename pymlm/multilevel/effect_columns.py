"""What one column of a design is: where it varies, whose mean it is, which effect it has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

import numpy as np
import pandas as pd

from pymlm.engine import call
from pymlm.formula import vet
from pymlm.frames import prepare, used_columns
from pymlm.multilevel.groups import NO_VARIATION, Groups, group_means, spread
from pymlm.results.base import Floats


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
class Column:
    """Where one column of the design varies, and its group means."""

    name: str
    varies: str
    means: Floats


def column_of(name: str, values: Floats, groups: Groups) -> Column:
    """Return where a column varies: "within" groups, "between" them, "both", or "none"."""
    within, between = spread(values, groups.codes, groups.n)
    total = within + between
    means = group_means(values, groups.codes, groups.n)
    scale = float(np.nanmax(np.abs(values), initial=0.0)) ** 2 * max(len(values), 1)
    if not total > NO_VARIATION * scale:
        return Column(name, "none", means)
    has_within, has_between = within > NO_VARIATION * total, between > NO_VARIATION * total
    varies = "both" if has_within and has_between else "within" if has_within else "between"
    return Column(name, varies, means)


def _is_mean_of(between: Column, other: Column) -> bool:
    """True when `between` holds the group means of `other`, but for a constant."""
    known = ~np.isnan(between.means) & ~np.isnan(other.means)
    if known.sum() < 2:
        return False
    gap = between.means[known] - other.means[known]
    scale = np.ptp(other.means[known])
    return bool(scale > 0 and np.ptp(gap) <= 1e-6 * scale)


def _belong(within: Column, between: Column) -> bool:
    """True when within + between is one predictor that the data could have come from.

    A cluster-mean-centred column says nothing of its mean; the names do: "x_within" and
    "x_between", or "WSses" and "SMses", share a stem.
    """
    a, b = within.name.casefold(), between.name.casefold()
    stem = SequenceMatcher(None, a, b, autojunk=False).find_longest_match().size
    return stem >= max(1, min(3, len(a) - 1, len(b) - 1))


def judged(
    i: int,
    design: Design,
    columns: Sequence[Column],
    groups: Groups,
    slopes: dict[str, str],
    frame: pd.DataFrame,
) -> tuple[str, str | None, str, str]:
    """Return effect, partner, what it assumes, and the random slope of column `i`."""
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


def _is_a_mean(me: Column, groups: Groups, frame: pd.DataFrame) -> bool:
    """True when the data have a level-1 column of which this one is the group mean."""
    for label in frame.columns:
        series = frame[label]
        if isinstance(series, pd.Series) and pd.api.types.is_numeric_dtype(series.dtype):
            column = column_of(str(label), series.to_numpy(dtype=float, na_value=np.nan), groups)
            if column.varies == "both" and _is_mean_of(me, column):
                return True
    return False


def _interaction(i: int, design: Design, columns: Sequence[Column]) -> str:
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


def _slope(i: int, design: Design, columns: Sequence[Column], slopes: dict[str, str]) -> str:
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
