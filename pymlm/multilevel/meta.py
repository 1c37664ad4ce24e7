"""Meta-analysis as a multilevel model: observations in studies, level-1 variances known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pymlm.argument_types import Data, Level
from pymlm.arguments import strict
from pymlm.engine import call
from pymlm.errors import DataError, FormulaError
from pymlm.formula import vet
from pymlm.frames import as_pandas, check_some_complete, prepare, used_columns
from pymlm.models.fitting import check_response
from pymlm.multilevel.columns import numbers
from pymlm.options import options
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


@strict
def meta_analysis(
    formula: str, data: Data, variance: str, random: str, reml: bool = True, level: Level = 0.95
) -> MetaAnalysis:
    """Fit a random-effects meta-analysis (or meta-regression) by ``metafor::rma.mv``.

    Parameters
    ----------
    formula : str
        Effect size on study-level predictors: ``"effect ~ 1"``.
    data : DataFrame
        One row an effect size; rows that miss something are left out.
    variance : str
        Column of the known sampling variances.
    random : str
        ``"~ 1 | study"``, or nested: ``"~ 1 | study/outcome"``.
    reml : bool
    level : float
        Of the intervals.

    Returns
    -------
    MetaAnalysis

    Raises
    ------
    FormulaError
        For a formula with random effects, or a random part that is not ``"~ 1 | g"``.
    DataError
        For variances that are no column, or not above 0.
    RPackageError
        When metafor is not installed.

    Examples
    --------
    >>> import pymlm as mlm
    >>> import pandas as pd
    >>> studies = {"effect": [0.1, 0.5, 0.9], "variance": [0.01, 0.02, 0.04], "study": [1, 2, 3]}
    >>> fit = mlm.meta_analysis("effect ~ 1", pd.DataFrame(studies), "variance", "~ 1 | study")
    >>> fit.to_frame()[["estimate", "std_error"]].round(3)
             estimate  std_error
    intrcpt     0.475      0.229
    """
    fixed, part = vet(formula), vet(random)
    if not fixed.two_sided or fixed.n_bars:
        raise FormulaError("the formula is the fixed part alone, e.g. 'effect ~ 1'; see `random`")
    if part.two_sided or part.n_bars != 1 or set(part.names) != set(part.groups):
        raise FormulaError(f"random is '~ 1 | study' or '~ 1 | study/outcome', not {random!r}")
    frame = as_pandas(data)
    used_columns(frame, [variance], "argument variance")
    used = used_columns(frame, list(dict.fromkeys([*fixed.names, *part.names, variance])))
    check_some_complete(used)
    check_response(fixed, used)
    known = numbers(used, variance)
    if (known[~np.isnan(known)] <= 0).any():
        raise DataError(f"the variances in column {variance!r} must be above 0")
    handle = call(
        "fit_meta",
        formula,
        prepare(used, keys=part.keys),
        variance,
        random,
        reml,
        fitting=True,
    )
    args = {"level": level}
    found: MetaAnalysis = call(
        "ask", handle, "meta", args, None, None, True, options.digits, into=MetaAnalysis
    )
    return found
