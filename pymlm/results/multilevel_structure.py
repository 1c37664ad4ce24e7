"""Structure of multilevel data, and which effect each coefficient is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from pymlm.results.base import Floats, Result, check_known
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
