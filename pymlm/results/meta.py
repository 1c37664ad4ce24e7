"""Meta-analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pymlm.results.base import Floats, Printed, Result


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MetaAnalysis(Result):
    """Random-effects meta-analysis: level-1 variances known, variances between studies estimated.

    Attributes
    ----------
    term : tuple of str, length p
    estimate, std_error, statistic, p_value, conf_low, conf_high : ndarray, shape (p,)
        Fixed effects with z tests; intervals at `level`.
    level : float
    group : tuple of str, length g
        Random factors.
    tau2 : ndarray, shape (g,)
        Their variances.
    n_groups : ndarray, shape (g,)
    nobs : int
        Observations (effect sizes).
    q, q_df, q_p
        Cochran's test of heterogeneity.
    loglik : float
        Restricted where `reml`.
    reml : bool
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``metafor::rma.mv(yi, V, mods, random, method)``; Viechtbauer 2010,
    doi:10.18637/jss.v036.i03.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high",
    )  # fmt: skip
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    estimate: Floats
    std_error: Floats
    statistic: Floats
    p_value: Floats
    conf_low: Floats
    conf_high: Floats
    level: float
    group: tuple[str, ...]
    tau2: Floats
    n_groups: Floats
    nobs: int
    q: float
    q_df: int
    q_p: float
    loglik: float
    reml: bool
    printed: Printed | None = None
