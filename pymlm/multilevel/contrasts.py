"""Tests of linear combinations of fixed effects, by name of the coefficient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from pymlm.errors import ArgumentError, near_names
from pymlm.formula import quoted
from pymlm.models.mixed import MixedModel
from pymlm.results.base import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrasts:
    """Rows of tests, as the bridge's `ml_contests` sends them; each array has shape (k,)."""

    estimate: Floats
    std_error: Floats
    df: Floats
    statistic: Floats
    p_value: Floats
    conf_low: Floats
    conf_high: Floats


def coefficient(name: str, terms: Sequence[str]) -> str:
    """Return R's name of a coefficient; R writes a name that is no R name in backticks.

    Raises
    ------
    ArgumentError
        When there is none; near names are listed.
    """
    deparsed = quoted(name).replace("\t", "\\t").replace("\n", "\\n")  # as R writes names
    for written in (name, deparsed):
        if written in terms:
            return written
    raise ArgumentError(
        f"no fixed effect {name!r} in this model."
        + near_names(str(name), terms)
        + f" It has: {', '.join(terms)}"
    )


def rows_of(m: MixedModel, combinations: Sequence[Mapping[str, float]]) -> Floats:
    """Return the matrix L whose rows are the combinations, in the order of the fixed effects.

    Raises
    ------
    ArgumentError
        For a name that is no fixed effect.
    """
    terms = list(m.fixef().index)
    out = np.zeros((len(combinations), len(terms)))
    for i, combination in enumerate(combinations):
        for name, weight in combination.items():
            out[i, terms.index(coefficient(name, terms))] = weight
    return out


def contrast_rows(m: MixedModel, L: Floats, ddf: str, level: float) -> Contrasts:
    """Test every row of L; `ddf` may be "residual", too."""
    found: Contrasts = m._call_ddf("ml_contests", Contrasts, ddf, l=L, ddf=ddf, level=level)
    return found


def table(
    m: MixedModel, combinations: Sequence[Mapping[str, float]], ddf: str, level: float
) -> dict[str, Floats]:
    """Tests of the combinations, by the columns of FixedEffects."""
    return asdict(contrast_rows(m, rows_of(m, combinations), ddf, level))
