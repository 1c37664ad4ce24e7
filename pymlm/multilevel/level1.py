"""The variance of level 1, of linear and of generalized models."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pymlm.argument_types import Approximation
from pymlm.errors import ArgumentError
from pymlm.models.inside import call_on
from pymlm.models.model import Model
from pymlm.multilevel.random_part import RandomPart


@dataclass(frozen=True, slots=True)
class Level1:
    """The residual variance, what it was taken from, and factors that are overdispersion."""

    residual: float
    approximation: str | None = None
    mean: float = math.nan
    dispersion: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    variance: float
    approximation: str
    mean: float


def level1(m: Model, part: RandomPart, approximation: Approximation, mean: float | None) -> Level1:
    """Return the level-1 variance: sigma², or that of Nakagawa et al. 2017 (see `icc`)."""
    if mean is not None and mean <= 0:
        raise ArgumentError(f"mean is an expected count or a probability, above 0, not {mean!r}")
    if part.linear:
        if approximation != "auto" or mean is not None:
            raise ArgumentError(
                "approximation and mean are of generalized models; the level-1 variance of this "
                "linear one is sigma²"
            )
        return Level1(part.level1())
    found = call_on(m, "ml_level1", _Found, approximation=approximation, mean=mean)
    rows = [f for f in part.factors if len(np.unique(part.groups[f])) == part.nobs]
    return Level1(found.variance, found.approximation, found.mean, tuple(rows))
