"""Information criteria as the systems count: SAS, SPSS and Mplus beside R and Stata."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from pymlm.results.base import Floats


class Counts(Protocol):
    """What the systems count in a model; a `Voice` has it, too."""

    @property
    def reml(self) -> bool: ...
    @property
    def nobs(self) -> int: ...
    @property
    def n_groups(self) -> Floats: ...
    @property
    def nested(self) -> bool: ...
    @property
    def loglik(self) -> float: ...
    @property
    def n_zero(self) -> int: ...
    @property
    def n_theta(self) -> int: ...
    @property
    def rank_x(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """−2 log-likelihood and what penalises it; `parameters` and `n` are what the system counts."""

    minus_two: float
    parameters: int
    n: float
    aic: float
    aicc: float
    caic: float
    bic: float


def sas(v: Counts) -> Criteria:
    """PROC MIXED: REML counts variances only; BIC's n is the number of subjects.

    SAS/STAT User's Guide, The MIXED Procedure, "Fit Statistics". A variance at 0 is not counted.
    """
    q = v.n_theta + 1 - v.n_zero
    d = q if v.reml else q + v.rank_x
    rows = v.nobs - v.rank_x if v.reml else v.nobs
    return _criteria(v, d, rows, float(v.n_groups[-1]) if v.nested else 1.0)


def spss(v: Counts) -> Criteria:
    """MIXED: REML counts variances only, and rows less rank of X; BIC's n are the rows.

    IBM SPSS Statistics Algorithms, MIXED, "Information criteria".
    """
    q = v.n_theta + 1
    d = q if v.reml else q + v.rank_x
    rows = v.nobs - v.rank_x if v.reml else v.nobs
    return _criteria(v, d, rows, float(rows))


def _criteria(v: Counts, d: int, rows: float, n: float) -> Criteria:
    m = -2 * v.loglik
    room = rows - d - 1
    penalty = d * math.log(n) if n > 0 else math.nan
    return Criteria(
        minus_two=m,
        parameters=d,
        n=n,
        aic=m + 2 * d,
        aicc=m + 2 * d * rows / room if room > 0 else math.nan,
        caic=m + penalty + d,
        bic=m + penalty,
    )


def mplus(v: Counts) -> Criteria:
    """TYPE=TWOLEVEL with ML: every parameter counts; `caic` holds the sample-size adjusted BIC."""
    d = v.n_theta + 1 + v.rank_x
    m = -2 * v.loglik
    return Criteria(
        minus_two=m,
        parameters=d,
        n=v.nobs,
        aic=m + 2 * d,
        aicc=math.nan,
        caic=m + d * math.log((v.nobs + 2) / 24),
        bic=m + d * math.log(v.nobs),
    )
