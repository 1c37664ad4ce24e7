"""Structure of multilevel data, and which effect each coefficient is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

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
