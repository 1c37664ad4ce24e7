"""Meta-analysis as a multilevel model: observations in studies, level-1 variances known."""

from __future__ import annotations

from typing import Any

import numpy as np

from pymlm.argument_types import Level
from pymlm.arguments import strict
from pymlm.engine import call
from pymlm.errors import DataError, FormulaError
from pymlm.formula import vet
from pymlm.frames import as_pandas, check_some_complete, prepare, used_columns
from pymlm.models.fitting import check_response
from pymlm.multilevel._tools import numbers
from pymlm.options import options
from pymlm.results.meta import MetaAnalysis


@strict
def meta_analysis(
    formula: str, data: Any, variance: str, random: str, reml: bool = True, level: Level = 0.95
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
