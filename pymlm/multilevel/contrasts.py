"""Tests of linear combinations of fixed effects, by name of the coefficient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from pymlm.errors import ArgumentError, near_names
from pymlm.models.mixed import MixedModel
from pymlm.results.base import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """Rows of tests, as the bridge's `ml_contests` sends them; each array has shape (k,)."""

    estimate: Floats
    std_error: Floats
    df: Floats
    statistic: Floats
    p_value: Floats
    conf_low: Floats
    conf_high: Floats


def rows_of(m: MixedModel, combinations: Sequence[Mapping[str, float]]) -> Floats:
    """Return the matrix L whose rows are the combinations, in the order of the fixed effects.

    Raises
    ------
    ArgumentError
        For a name that is no fixed effect; near names are listed.
    """
    terms = list(m.fixef().index)
    out = np.zeros((len(combinations), len(terms)))
    for i, combination in enumerate(combinations):
        for name, weight in combination.items():
            if name not in terms:
                raise ArgumentError(
                    f"no fixed effect {name!r} in this model."
                    + near_names(str(name), terms)
                    + f" It has: {', '.join(terms)}"
                )
            out[i, terms.index(name)] = weight
    return out


def tested_rows(m: MixedModel, L: Floats, ddf: str, level: float) -> Tested:
    """Test every row of L; `ddf` may be "residual", too."""
    found: Tested = m._call("ml_contests", Tested, l=L, ddf=ddf, level=level)
    return found


def table(
    m: MixedModel, combinations: Sequence[Mapping[str, float]], ddf: str, level: float
) -> dict[str, Floats]:
    """Tests of the combinations, by the columns of FixedEffects."""
    return asdict(tested_rows(m, rows_of(m, combinations), ddf, level))
