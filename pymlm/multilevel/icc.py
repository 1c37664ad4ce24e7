"""The intraclass correlation, of a model and of variables themselves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from pymlm.argument_types import Approximation, Count, Data, Finite, IccInterval, Level, Seed
from pymlm.arguments import strict
from pymlm.errors import ArgumentError, NotSupportedError, near_names
from pymlm.formula import quoted
from pymlm.frames import as_pandas, used_columns
from pymlm.models.advice import advise
from pymlm.models.lmer import lmer
from pymlm.models.mixed import MixedModel
from pymlm.models.nlme import NlmeModel
from pymlm.multilevel.asked_model import mixed
from pymlm.multilevel.columns import names, numbers
from pymlm.multilevel.fixed_part import fixed_part
from pymlm.multilevel.icc_intervals import Share, interval, products_of, shares_of, variance_with
from pymlm.multilevel.level1 import Level1, level1
from pymlm.multilevel.random_part import RandomPart, random_part
from pymlm.results.base import Floats, Result, readonly


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Icc(Result):
    """Intraclass correlations, one row a level.

    Attributes
    ----------
    level : tuple of str, length k
        Outermost grouping factor first. For nested factors the ICC of "batch:cask" is the
        correlation of two rows of the same cask (which share the batch, too).
    icc : ndarray, shape (k,)
        Between 0 and 1.
    std_error : ndarray, shape (k,)
        By the delta method, or of the bootstrap draws; NaN without an interval.
    conf_low, conf_high : ndarray, shape (k,)
        NaN where there is none (delta method at the boundary: a variance of zero).
    variance : ndarray, shape (k,)
        Variance that the rows of one unit share, squared units of the response.
    total : float
        Total variance, squared units of the response (of the linear predictor, for a GLMM).
    adjusted, unadjusted : float
        Of all random effects together, slopes averaged over the rows (Johnson 2014): their share of
        what the predictors leave, and of that with the variance of X·beta. performance::icc's two.
    conditional : bool
        True when the model has predictors: the ICC of what they leave.
    method : str or None
        Of the interval: "delta" (on the logit scale), "boot" or None.
    level_of_confidence : float
    at : dict of str to float
        Values at which the random slopes stand.
    averaged : bool
        True where slopes stand at no values: mean variance over the rows.
    approximation : str or None
        Of a GLMM's level-1 variance: "latent", "lognormal", "delta" or "trigamma".
    mean : float
        The expected response at which it stands; NaN where it does not matter.

    Notes
    -----
    ICC = tau² / (tau² + sigma²), lectures S0, S2, S3, S4; levels and slopes as Stata's
    ``estat icc``.
    """

    _columns: ClassVar[tuple[str, ...]] = ("icc", "std_error", "conf_low", "conf_high", "variance")
    _index: ClassVar[str | None] = "level"

    level: tuple[str, ...]
    icc: Floats
    std_error: Floats
    conf_low: Floats
    conf_high: Floats
    variance: Floats
    total: float
    conditional: bool
    method: str | None
    level_of_confidence: float
    at: dict[str, float]
    adjusted: float = math.nan
    unadjusted: float = math.nan
    averaged: bool = False
    approximation: str | None = None
    mean: float = math.nan

    def _remarks(self) -> list[str]:
        remarks = Result._remarks(self)
        if math.isnan(self.adjusted):
            return remarks
        text = f"adjusted ICC {self.adjusted:.3f}, unadjusted {self.unadjusted:.3f}"
        if self.approximation is not None:
            text += f"; level 1 by {self.approximation}"
        if not math.isnan(self.mean):
            text += f" at a mean of {self.mean:.4g}"
        return [*remarks, text]

    def __float__(self) -> float:
        if len(self.icc) != 1:
            raise TypeError(f"there are {len(self.icc)} levels: {', '.join(self.level)}; use .icc")
        return float(self.icc[0])


@strict
def icc(
    m: MixedModel | NlmeModel,
    at: Mapping[str, float] | Literal["average"] | None = None,
    ci: IccInterval | None = "auto",
    level: Level = 0.95,
    nsim: Count = 500,
    seed: Seed | None = None,
    approximation: Approximation = "auto",
    mean: Finite | None = None,
) -> Icc:
    """Return the intraclass correlation of every level (the variance partition coefficient).

    Parameters
    ----------
    m : MixedModel or NlmeModel
        Linear (of `lme`: of one residual variance), or generalized: binomial with logit, probit or
        cloglog link, Poisson, negative binomial or Gamma with log link, on the scale of the linear
        predictor. With predictors in the model it is the conditional ICC; with multiple membership
        that of rows which belong wholly to one unit. Singular fits are fine.
    at : dict of str to float, or "average", optional
        Values of the random slopes' predictors, as the random coefficients are named; those not
        named stand at 0, as in Stata's ``estat icc``. "average" takes a slope's mean variance over
        the rows (Johnson 2014), as `adjusted` does in any case.
    ci : {"auto", "delta", "boot", None}
        Interval: by the delta method on the logit scale, by parametric bootstrap (percentiles), or
        none; "auto" is "delta" for linear models of lme4 and none for others. Not of `lme`.
    level : float
    nsim, seed : int
        Of the bootstrap.
    approximation : {"auto", "latent", "lognormal", "delta", "trigamma"}
        Of the level-1 variance of a generalized model: "latent" for binomial ones (with logit there
        is "delta", too, of single 0/1 responses), else "lognormal", "delta" or "trigamma".
    mean : float, optional
        The expected response at which "lognormal", "delta" and "trigamma" stand (λ of counts, a
        probability). Default: that of the model without predictors, which is fitted for it.

    Returns
    -------
    Icc
        One row a grouping factor. For nested factors the inner row counts what the outer share,
        too: the correlation of two rows of one inner unit. ``adjusted`` and ``unadjusted`` are the
        two numbers of performance::icc, for all factors together. Of a generalized model, a factor
        with a level a row is overdispersion, and counts as level 1.

    Raises
    ------
    ArgumentError
        For a name in `at` that has no random slope, an approximation that the family has not, a
        mean that it cannot have.
    NotSupportedError
        For a family without a level-1 variance; for ci="delta" on a model that is not linear, and
        ci="boot" where the level-1 variance hangs on the mean.

    Warns
    -----
    AdviceWarning
        Where a variance is zero, the delta method has no interval there: NaN; ci="boot" has one.

    Notes
    -----
    With multiple membership this is the ICC of whole members: the correlation of two rows that
    belong to one unit alone, tau² / (tau² + sigma²), whatever the weights in the data. What the
    factor contributes to the variance of the rows that there are is in `variance_partition`.

    Lectures S0, S2, S3, S4: tau² / (tau² + sigma²). performance::icc answers singular fits with NA,
    so the lines are our own. Delta method with lmerTest's covariance of (theta, sigma), as Stata's
    ``estat icc``.

    Level-1 variances are those of Nakagawa, Johnson & Schielzeth 2017, doi:10.1098/rsif.2017.0213:
    with c = 1/λ + 1/θ (negative binomial), 1/λ (Poisson) or 1/ν (Gamma), "lognormal" is ln(1 + c),
    "delta" c, "trigamma" ψ₁(1/c); λ = exp(β₀ + τ²/2) of the model without predictors. Releases of
    insight before 0.20 leave τ²/2 out, and so do performance's numbers that rest on them.
    Slopes: Johnson 2014, doi:10.1111/2041-210X.12225.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("strength ~ 1 + (1 | batch/cask)", mlm.load_dataset("lme4::Pastes"))
    >>> mlm.icc(m, ci=None).to_frame()["icc"].round(4).to_dict()
    {'batch': 0.1539, 'cask:batch': 0.937}
    """
    model = mixed(m, "icc") if not isinstance(m, NlmeModel) else m
    part = random_part(model)
    if ci == "auto":
        ci = "delta" if part.linear and isinstance(model, MixedModel) else None
    if ci is not None and not isinstance(model, MixedModel):
        raise NotSupportedError("an interval of the ICC is there for models of lme4: pymlm.lmer")
    values = checked_at(part, at)
    first = level1(model, part, approximation, mean)
    if ci == "boot" and not math.isnan(first.mean):
        raise NotSupportedError(
            "the level-1 variance of this family hangs on the expected response, which the draws "
            "change: there is no bootstrap interval. Ask with ci=None"
        )
    shares = shares_of(part, values, first.dispersion)
    variance = np.array([s.variance(part.terms) for s in shares])
    everything = sum(variance_with(t.covariance, products_of(t, values)) for t in part.terms)
    total = everything + first.residual
    for share in shares:
        _check_somewhere(share, part)
    se, low, high = interval(model, part, shares, values, ci, level, nsim, seed)
    adjusted, unadjusted = _overall(model, part, first)
    return Icc(
        level=tuple(s.level for s in shares),
        icc=readonly(variance / total),
        std_error=se,
        conf_low=low,
        conf_high=high,
        variance=readonly(variance),
        total=total,
        adjusted=adjusted,
        unadjusted=unadjusted,
        conditional=len(model.fixef()) > 1,
        method=ci,
        level_of_confidence=level,
        at={} if values is None else dict(values),
        averaged=values is None,
        approximation=first.approximation,
        mean=first.mean,
        notes=tuple(
            f"{name} (multiple membership): of rows that belong to one unit alone; the share in "
            "the variance of these rows, with their weights, is in pymlm.variance_partition"
            for name in part.memberships
        ),
    )


def _overall(model: MixedModel | NlmeModel, part: RandomPart, first: Level1) -> tuple[float, float]:
    """The shares of all random effects, slopes averaged over the rows: without and with X·beta."""
    random = sum(
        variance_with(t.covariance, t.moments)
        for t in part.terms
        if t.group not in first.dispersion
    )
    level_1 = first.residual + sum(
        variance_with(t.covariance, t.moments) for t in part.terms if t.group in first.dispersion
    )
    fixed = fixed_part(model)
    explained = float(np.var(fixed.linear - fixed.offset, ddof=1))
    return random / (random + level_1), random / (random + level_1 + explained)


def _check_somewhere(share: Share, part: RandomPart) -> None:
    if not share.somewhere:
        slopes = list(dict.fromkeys(t for i in share.members for t in part.terms[i].terms))
        advise(
            f"{share.level} has no random intercept: at 0 of {', '.join(slopes)} its ICC is 0. "
            f"Say where you want it, e.g. at={{{slopes[0]!r}: 1}}, or see pymlm.variance_partition"
        )


def checked_at(
    part: RandomPart, at: Mapping[str, float] | Literal["average"] | None
) -> dict[str, float] | None:
    """Values of the slopes' predictors; None stands for the average over the rows."""
    if isinstance(at, str):
        return None  # "average", the only word
    slopes = [t for term in part.terms for t in term.terms if t != "(Intercept)"]
    out = {}
    if at is not None and not isinstance(at, Mapping):
        raise ArgumentError(f"at is a dict, predictor -> value, or 'average', not {at!r}")
    for name, value in (at or {}).items():
        if name not in slopes:
            raise ArgumentError(
                f"at names {name!r}, which has no random slope in this model."
                + near_names(name, slopes)
                + (f" It has: {', '.join(dict.fromkeys(slopes))}" if slopes else " It has none.")
            )
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
            raise ArgumentError(f"at[{name!r}] must be a number, not {value!r}")
        out[name] = float(value)
    return out


@strict
def icc_of(data: Data, columns: str | Sequence[str], by: str, reml: bool = True) -> Icc:
    """Return the ICC of variables themselves: the share of each that lies between groups.

    An empty model is fitted to every column. Less than 1 means that a level-1 predictor has
    within-variation; more than 0, between-variation, and so a second slope.

    Parameters
    ----------
    data : DataFrame
    columns : str or list of str
        Numeric columns.
    by : str
        The grouping factor.
    reml : bool

    Returns
    -------
    Icc
        One row a column; intervals by the delta method.

    Notes
    -----
    Lectures S0 and S4. Each is ``lmer(column ~ 1 + (1 | by))``.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("mlmRev::Exam")
    >>> mlm.icc_of(data, ["normexam", "standLRT"], by="school").to_frame()["icc"].round(3)
    normexam    0.168
    standLRT    0.095
    Name: icc, dtype: float64
    """
    frame = as_pandas(data)
    used_columns(frame, [by], "argument by")
    found = []
    for name in names(columns, "columns"):
        numbers(frame, name)  # a typed error before R sees it
        m = lmer(f"{quoted(name)} ~ 1 + (1 | {quoted(by)})", frame, reml=reml)
        found.append(icc(m))

    def joined(what: str) -> Floats:
        return readonly(np.concatenate([getattr(f, what) for f in found]))

    return Icc(
        level=tuple(names(columns, "columns")),
        icc=joined("icc"),
        std_error=joined("std_error"),
        conf_low=joined("conf_low"),
        conf_high=joined("conf_high"),
        variance=joined("variance"),
        total=found[0].total if len(found) == 1 else math.nan,
        conditional=False,
        method="delta",
        level_of_confidence=0.95,
        at={},
    )
