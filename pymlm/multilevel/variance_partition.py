"""The share of every level in the variance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from pymlm.argument_types import Approximation, Finite
from pymlm.arguments import strict
from pymlm.figures import figure_of
from pymlm.models.mixed import MixedModel
from pymlm.multilevel.asked_model import mixed
from pymlm.multilevel.icc import checked_at
from pymlm.multilevel.icc_intervals import products_of, variance_with
from pymlm.multilevel.level1 import level1
from pymlm.multilevel.random_part import random_part
from pymlm.results.base import Floats, Result, readonly


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class VariancePartition(Result):
    """Variance of the outcome by level, one row a grouping factor and one for the residual.

    Attributes
    ----------
    level : tuple of str, length k
    variance : ndarray, shape (k,)
        With random slopes: mean over the rows of z'Gz (Johnson 2014), or at the values `at`.
    proportion : ndarray, shape (k,)
        Of the sum: the variance partition coefficient.
    cumulative : ndarray, shape (k,)
        Running sum of the proportions.
    total : float

    Notes
    -----
    Johnson 2014, doi:10.1111/2041-210X.12225, for models with random slopes.
    """

    _columns: ClassVar[tuple[str, ...]] = ("variance", "proportion", "cumulative")
    _index: ClassVar[str | None] = "level"

    plot = figure_of("variance_shares")

    level: tuple[str, ...]
    variance: Floats
    proportion: Floats
    cumulative: Floats
    total: float


@strict
def variance_partition(
    m: MixedModel,
    at: Mapping[str, float] | Literal["average"] | None = None,
    approximation: Approximation = "auto",
    mean: Finite | None = None,
) -> VariancePartition:
    """Divide the variance of the outcome among the levels.

    Parameters
    ----------
    m : MixedModel
    at : dict of str to float, optional
        Values of the random slopes' predictors. Without it, or for "average", a random slope
        contributes its mean variance over the rows.
    approximation, mean
        Of the level-1 variance of a generalized model, as in `icc`.

    Returns
    -------
    VariancePartition
        One row a grouping factor, outermost first, and one for the residual; shares add to 1.

    Raises
    ------
    ArgumentError, NotSupportedError
        As `icc`.

    Notes
    -----
    With multiple membership a row has the variance tau² · sum(w²) of the factor, w its weights;
    here stands its mean over the rows. It is tau², as in `icc`, only where every row belongs to one
    unit.

    Own lines: mean of z'Gz over the rows is sum(G ∘ E[zz']), Johnson 2014,
    doi:10.1111/2041-210X.12225. For random intercepts the shares are the ICC of each level alone.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("strength ~ 1 + (1 | batch/cask)", mlm.load_dataset("Pastes"))
    >>> mlm.variance_partition(m).to_frame()[["variance", "proportion"]].round(3)
                variance  proportion
    batch          1.657       0.154
    cask:batch     8.434       0.783
    Residual       0.678       0.063
    """
    model = mixed(m, "variance_partition")
    part = random_part(model)
    values = None if at is None else checked_at(part, at)
    residual = level1(model, part, approximation, mean).residual
    rows = [
        sum(
            variance_with(t.covariance, products_of(t, values))
            for t in part.terms
            if t.group == factor
        )
        for factor in part.factors
    ]
    variance = np.array([*rows, residual])
    share = variance / variance.sum()
    return VariancePartition(
        level=(*part.factors, "Residual"),
        variance=readonly(variance),
        proportion=readonly(share),
        cumulative=readonly(np.cumsum(share)),
        total=float(variance.sum()),
        notes=tuple(
            f"{name} (multiple membership): tau² times the mean of sum(w²) over the rows; the ICC "
            "of rows that belong to one unit alone is pymlm.icc's"
            for name in part.memberships
        )
        if values is None
        else (),
    )
