"""Tests of linear combinations of fixed effects, by name of the coefficient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from pymlm.errors import ArgumentError, near_names
from pymlm.frames import level_name
from pymlm.models.inside import call_ddf, source_of, used_rows
from pymlm.models.mixed import MixedModel
from pymlm.names import spelled, written
from pymlm.results.base import ESTIMATES, Floats
from pymlm.results.estimates import EstimateColumns


def coefficient(name: str, terms: Sequence[str]) -> str:
    """Return R's name of a coefficient; R writes a name that is no R name in backticks.

    Raises
    ------
    ArgumentError
        When there is none; near names are listed.
    """
    if (found := spelled(str(name), terms)) in terms:
        return found
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


def contrast_rows(m: MixedModel, L: Floats, ddf: str, level: float) -> EstimateColumns:
    """Test every row of L; `ddf` may be "residual", too."""
    found: EstimateColumns = call_ddf(
        m, "ml_contests", EstimateColumns, ddf, l=L, ddf=ddf, level=level
    )
    return found


def table(
    m: MixedModel, combinations: Sequence[Mapping[str, float]], ddf: str, level: float
) -> dict[str, Floats]:
    """Tests of the combinations, by the columns of FixedEffects."""
    found = contrast_rows(m, rows_of(m, combinations), ddf, level)
    return {name: getattr(found, name) for name in ESTIMATES}


def factor_codes(m: MixedModel, factor: str) -> dict[str, dict[str, float]] | None:
    """Return the codes of a factor's levels: level -> coefficient -> its column's value there.

    None where `factor` is a coefficient, or no column of texts, categories or truth values. The
    coefficients are those that R names after the factor and a level, e.g. "sex1".
    """
    data, terms = source_of(m).data, list(m.fixef().index)
    if factor in terms or data is None or factor not in data.columns:
        return None
    values = data[factor] if used_rows(m) is None else data[factor].iloc[used_rows(m)]
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        return None
    written = coefficient_prefix(factor)
    own = [t for t in terms if t.startswith(written) and ":" not in t[len(written) :]]
    design = m.model_matrix()
    kinds = values.cat.categories if isinstance(values.dtype, pd.CategoricalDtype) else sorted(
        values.unique(), key=str
    )  # fmt: skip
    matrix, given = design[own].to_numpy(), values.to_numpy()
    found = {}
    for level in kinds:
        rows = np.flatnonzero(given == level)
        if len(rows):
            found[level_name(level)] = dict(zip(own, map(float, matrix[rows[0]]), strict=True))
    return found if own else None


def coefficient_prefix(name: str) -> str:
    """R's way to write a column's name in a coefficient: in backticks where it is no R name."""
    return written(name)
