"""A model's random part: its terms, factors and level-1 variance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pymlm.errors import ArgumentError, NotSupportedError, near_names
from pymlm.models.inside import call_on, kept_answer
from pymlm.models.mixed import MixedModel
from pymlm.models.model import Model
from pymlm.results.base import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomTerm:
    """One random term: its covariance and the mean cross-product of its columns over the rows."""

    group: str
    key: str
    terms: tuple[str, ...]
    covariance: Floats
    moments: Floats
    centred: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomPart:
    """The random part of a model, as the bridge's `ml_terms` sends it."""

    sigma: float
    residual: float
    nobs: int
    linear: bool
    terms: tuple[RandomTerm, ...]
    groups: dict[str, Floats]
    memberships: tuple[str, ...]

    @property
    def factors(self) -> tuple[str, ...]:
        """Grouping factors, outermost (fewest groups) first."""
        order = sorted(self.groups, key=lambda g: len(np.unique(self.groups[g])))
        return tuple(order)

    def whole(self, what: str) -> None:
        """Raise NotSupportedError where rows belong to several units of a factor."""
        if self.memberships:
            raise NotSupportedError(
                f"{what} needs every row to lie in one group; here rows belong to several "
                f"{', '.join(self.memberships)} (multiple membership)"
            )

    def level1(self) -> float:
        """Variance of level 1, or NotSupportedError for families where it has none."""
        if math.isnan(self.residual):
            raise NotSupportedError(
                "the level-1 variance is defined here for linear models and for binomial ones with "
                "logit, probit or cloglog link (on the latent scale); this family has none of its "
                "own"
            )
        return self.residual


def random_part(m: Model) -> RandomPart:
    """Return a model's random part, asked once; R refuses classes that have none."""
    return kept_answer(m, "ml_terms", lambda: _asked_part(m))


def _asked_part(m: Model) -> RandomPart:
    found: RandomPart = call_on(m, "ml_terms", RandomPart)
    return found


def one_group(m: MixedModel, by: str | None) -> str:
    """Return the grouping factor to work with; ArgumentError where it is not clear."""
    have = random_part(m).factors
    if by is None:
        if len(have) == 1:
            return have[0]
        raise ArgumentError(f"the model has several grouping factors; pass by= one of {have}")
    if by not in have:
        raise ArgumentError(
            f"no grouping factor {by!r} in this model."
            + near_names(by, have)
            + f" It has: {', '.join(have)}"
        )
    return by
