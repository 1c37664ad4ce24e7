"""Pseudo-R²: what a larger model takes off every variance component."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from pymlm.arguments import strict
from pymlm.errors import ComparisonError
from pymlm.models.advice import advise
from pymlm.models.alignment import fixed_effects, larger_first
from pymlm.models.mixed import MixedModel
from pymlm.multilevel.asked_model import mixed
from pymlm.multilevel.fixed_part import fixed_part, same_rows, squared_correlation
from pymlm.multilevel.random_part import random_part
from pymlm.results.base import Floats, Result, readonly


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PseudoR2(Result):
    """Proportional reduction of each variance component; it may be negative.

    Attributes
    ----------
    grp, term : tuple of str, length k
        Grouping factor ("Residual" last) and coefficient.
    fewer, more : ndarray, shape (k,)
        The variance in the model with fewer and with more fixed effects.
    pseudo_r2 : ndarray, shape (k,)
        (fewer − more) / fewer; NaN where `fewer` is 0 or a model lacks the component.
    total_r2 : float
        Squared correlation of the outcome with the fixed part of the larger model.

    Notes
    -----
    Lectures S1 and S4; Raudenbush & Bryk 2002, Hierarchical Linear Models, 2nd ed., p. 74.
    """

    _columns: ClassVar[tuple[str, ...]] = ("fewer", "more", "pseudo_r2")

    grp: tuple[str, ...]
    term: tuple[str, ...]
    fewer: Floats
    more: Floats
    pseudo_r2: Floats
    total_r2: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row a component, indexed "group: coefficient"."""
        names = [g if g == "Residual" else f"{g}: {t}" for g, t in self._names()]
        return pd.DataFrame({c: np.array(getattr(self, c)) for c in self._columns}, index=names)

    def _names(self) -> list[tuple[str, str]]:
        return list(zip(self.grp, self.term, strict=True))


@strict
def pseudo_r2(m0: MixedModel, m1: MixedModel) -> PseudoR2:
    """Return by how much each variance component shrinks from one model to a larger one.

    Parameters
    ----------
    m0, m1 : LinearMixedModel
        Fewer and more fixed effects, in either order; both by ML or both by REML, on the same rows.

    Returns
    -------
    PseudoR2
        (fewer − more) / fewer for each variance; negative where it grows, which tells of a useless
        predictor or a smushed slope.

    Raises
    ------
    ComparisonError
        For different rows, or ML beside REML.

    Warns
    -----
    AdviceWarning
        Where a variance is 0 in the smaller model: nothing can be explained, NaN.

    Notes
    -----
    Lectures S1 ((3.125 − 3.235)/3.125 < 0) and S4. Own arithmetic on ``VarCorr``; Raudenbush & Bryk
    2002, p. 74.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("mlmRev::Exam")
    >>> m0 = mlm.lmer("normexam ~ 1 + (1 | school)", data)
    >>> m1 = mlm.lmer("normexam ~ standLRT + (1 | school)", data)
    >>> mlm.pseudo_r2(m0, m1).to_frame().round(3)
                         fewer   more  pseudo_r2
    school: (Intercept)  0.172  0.094      0.453
    Residual             0.848  0.566      0.333
    """
    mixed(m0, "pseudo_r2"), mixed(m1, "pseudo_r2")
    pair = larger_first(m1, m0, ("m1", "m0"), fixed_effects)
    fewer, more = pair.small, pair.large
    same_rows(fewer, more)
    if fewer.reml != more.reml:
        raise ComparisonError(
            "one model was fitted by REML and one by ML, whose variances differ for that alone; "
            "refit one: m.update(reml=...)"
        )
    a, b = _variances(fewer), _variances(more)
    names = list(dict.fromkeys([*a, *b]))
    names.sort(key=lambda n: n[0] == "Residual")
    before = np.array([a.get(n, math.nan) for n in names])
    after = np.array([b.get(n, math.nan) for n in names])
    if (before == 0).any():
        advise("a variance is 0 in the smaller model: its pseudo-R² is not defined (NaN)")
    share = (before - after) / np.where(before == 0, np.nan, before)
    fixed = fixed_part(more)
    return PseudoR2(
        grp=tuple(n[0] for n in names),
        term=tuple(n[1] for n in names),
        fewer=readonly(before),
        more=readonly(after),
        pseudo_r2=readonly(share),
        total_r2=squared_correlation(fixed.response, fixed.fitted),
        notes=pair.note,
    )


def _variances(m: MixedModel) -> dict[tuple[str, str], float]:
    part = random_part(m)
    out = {
        (t.group, name): float(t.covariance[i, i])
        for t in part.terms
        for i, name in enumerate(t.terms)
    }
    return out | ({("Residual", ""): part.sigma**2} if part.linear else {})
