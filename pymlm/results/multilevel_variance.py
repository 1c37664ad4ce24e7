"""Variance partition: ICC, design effects, and the variance that a model implies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from pymlm.figures import figure_of
from pymlm.results.base import Floats, Result


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


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DesignEffect(Result):
    """Design effect and effective sample size, one row a grouping factor (or a design).

    Attributes
    ----------
    level : tuple of str, length k
        Grouping factors; of several numbers, which design: "icc = 0.05, n = 20".
    icc : ndarray, shape (k,)
    size : ndarray, shape (k,)
        Rows per group that enter the formula: the common size, or Snijders and Bosker's
        n~ = mean − variance / (groups · mean) for unequal ones.
    design_effect : ndarray, shape (k,)
        1 + (size − 1) · icc.
    effective_n : ndarray, shape (k,)
        Rows / design effect; NaN when the number of rows is not known.
    kish_design_effect, kish_effective_n : ndarray, shape (k,)
        The same with Kish's size, sum(n²) / sum(n): the exact factor for the variance of the plain
        mean over all rows. Equal for equal groups.
    n : float
        Rows; NaN when not known, or not the same in every design.
    rows : ndarray, shape (k,), or None
        Rows of each design.

    Notes
    -----
    Lecture S4 (2.20 → 227, 1.95 → 513); Snijders & Bosker 2012, Multilevel Analysis, 2nd ed.,
    sections 3.3 and 3.4; Kish 1965, Survey Sampling.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "icc", "size", "design_effect", "effective_n", "kish_design_effect", "kish_effective_n",
    )  # fmt: skip
    _index: ClassVar[str | None] = "level"

    plot = figure_of("design_effect")

    level: tuple[str, ...]
    icc: Floats
    size: Floats
    design_effect: Floats
    effective_n: Floats
    kish_design_effect: Floats
    kish_effective_n: Floats
    n: float
    rows: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Moulton(Result):
    """Moulton's factor: by how much OLS understates a standard error.

    Attributes
    ----------
    factor : float
        sqrt(1 + vpc_x · vpc_y · (n − 1)).
    vpc_x, vpc_y : float
        Share of the variance of predictor and outcome that lies between groups.
    n : float
        Rows per group (the mean, for unequal groups).
    std_error, corrected : float
        The OLS standard error and the same times the factor; NaN when none was given.

    Notes
    -----
    Lecture S0; Moulton 1986, doi:10.1016/0304-4076(86)90021-7. It holds for one predictor and
    groups of one size.
    """

    factor: float
    vpc_x: float
    vpc_y: float
    n: float
    std_error: float = math.nan
    corrected: float = math.nan

    _columns: ClassVar[tuple[str, ...]] = (
        "factor", "vpc_x", "vpc_y", "n", "std_error", "corrected",
    )  # fmt: skip

    def __float__(self) -> float:
        return self.factor
