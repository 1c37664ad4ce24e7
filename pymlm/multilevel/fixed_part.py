"""What the fixed effects alone predict, on the rows of the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pymlm.errors import ComparisonError
from pymlm.models.alignment import row_orders
from pymlm.models.inside import call_on
from pymlm.models.mixed import MixedModel
from pymlm.models.model import Model
from pymlm.results.base import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedPart:
    """What the fixed part predicts, as the bridge's `ml_fixed_part` sends it."""

    response: Floats
    weights: Floats
    offset: Floats
    linear: Floats
    fitted: Floats
    term: tuple[str, ...]
    estimate: Floats


def fixed_part(m: Model) -> FixedPart:
    """Return response and predictions of the fixed part, rows as the model used them."""
    found: FixedPart = call_on(m, "ml_fixed_part", FixedPart)
    return found


def squared_correlation(a: Floats, b: Floats) -> float:
    """Return the squared correlation of two columns; 0 where one does not vary."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0  # an empty fixed part predicts the mean, and explains nothing
    return float(np.corrcoef(a, b)[0, 1] ** 2)


def same_rows(a: MixedModel, b: MixedModel) -> list[int]:
    """Return where the rows of `a` stand in `b`; ComparisonError unless the outcomes are the same.

    Rows may come in another order: the data's index knows them.
    """
    if a.nobs != b.nobs:
        raise ComparisonError(
            f"the models were fitted to {a.nobs} and {b.nobs} rows. All observations must be the "
            "same: drop rows that miss any predictor first, then fit both"
        )
    order = row_orders((a, b), ("the first model", "the second"))[1]
    at = list(range(a.nobs)) if order is None else [i - 1 for i in order]
    if not np.array_equal(fixed_part(a).response, fixed_part(b).response[at]):
        raise ComparisonError("the models were fitted to different outcomes or different rows")
    return at
