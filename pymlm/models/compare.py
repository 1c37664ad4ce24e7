"""Comparing models: anova and likelihood-ratio tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pymlm.argument_types import Significance
from pymlm.arguments import strict
from pymlm.engine import call
from pymlm.models.alignment import check_models, model_names, row_orders
from pymlm.results.comparison import ModelComparison
from pymlm.results.printed import in_digits


@strict
def anova(
    m0: Any,
    m1: Any,
    *more: Any,
    refit: bool = True,
    names: Sequence[str] | None = None,
    digits: int | None = None,
) -> ModelComparison:
    """Compare models: information criteria, and likelihood-ratio tests between neighbours.

    Parameters
    ----------
    m0, m1, *more : models
        Mixed models, or `pymlm.lm` models as the smaller ones; linear, or generalized linear models
        alone; models of `pymlm.lme` and `pymlm.gls` (beside these an lm, too). In any order.
    refit : bool
        Refit REML models by maximum likelihood first, as R does. False compares REML fits as they
        are, which is allowed where their fixed effects agree. Fits of nlme are refitted only where
        that is not so: R compares them as they are.
    names : list of str, optional
        Names of the models in the table; default "m0", "m1" ...
    digits : int, optional
        The table is printed as R prints it under ``options(digits = digits)``.

    Returns
    -------
    ModelComparison
        Prints as R prints it. Without mixed models the tests are those of R's ``anova``: F for lm,
        and for glm F or chi-squared, as the dispersion is estimated or known. ``.notes`` says what
        R does not: refits, and that a model is not nested in the next one, which then gets no test.

    Raises
    ------
    ComparisonError
        Different rows (the message says how many), different responses, a linear against a
        generalized model, a fit by several points of quadrature against another, REML fits with
        different fixed effects and refit=False.
    ArgumentError
        For something that is no model.

    Notes
    -----
    Mirrors ``anova(m0, m1, ..., refit)`` of lme4.

    Examples
    --------
    >>> import pymlm as mlm
    >>> d = mlm.load_dataset("sleepstudy")
    >>> m0 = mlm.lmer("Reaction ~ Days + (1 | Subject)", d)
    >>> m1 = mlm.lmer("Reaction ~ Days + (Days | Subject)", d)
    >>> mlm.anova(m0, m1, refit=False).to_frame().round(2)[["npar", "chisq", "df"]]
        npar  chisq   df
    m0   4.0    NaN  NaN
    m1   6.0  42.84  2.0
    """
    models = (m0, m1, *more)
    check_models("anova", *models)
    called = model_names(names, len(models))
    handles = [m._handle for m in models]
    orders = row_orders(models, called)
    found: ModelComparison = call(
        "compare_models", handles, called, refit, orders, into=ModelComparison
    )
    return in_digits(found, digits)


@strict
def lrt(
    m0: Any, m1: Any, boundary: Literal["auto", True, False] = "auto", level: Significance = 0.05
) -> ModelComparison:
    """Test the smaller of two nested models by the likelihood ratio.

    Two REML fits with the same fixed effects are compared as REML (an lm counts as either);
    anything else by maximum likelihood.

    Parameters
    ----------
    m0, m1 : models
        As in `anova`, in either order.
    boundary : {"auto", True, False}
        Give ``p_value_boundary``, the p-value of the mixture ½χ²(df − 1) + ½χ²(df), where the test
        is one of a variance ("auto"), always, or never.
    level : float
        Significance level of the critical values, ``critical_value`` of χ²(df) and
        ``critical_value_boundary`` of the mixture; `mixture_critical_value` has those of others.

    Raises
    ------
    ComparisonError
        Different rows or responses, or models that are not nested.
    ArgumentError
        For a level that is none.

    Notes
    -----
    Self & Liang 1987, doi:10.1080/01621459.1987.10478472; Stram & Lee 1994, doi:10.2307/2533455.
    For one variance alone this is Stata's ``LR test vs. linear model: chibar2(01)``.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("sleepstudy")
    >>> m0 = mlm.lmer("Reaction ~ Days + (1 | Subject)", data)
    >>> m1 = mlm.lmer("Reaction ~ Days + (Days | Subject)", data)
    >>> mlm.lrt(m0, m1).to_frame()[["loglik", "chisq", "df"]].round(2)
        loglik  chisq   df
    m0 -893.23    NaN  NaN
    m1 -871.81  42.84  2.0
    >>> test = mlm.lrt(m0, m1)
    >>> [float(x[1].round(3)) for x in (test.critical_value, test.critical_value_boundary)]
    [5.991, 5.138]
    """
    check_models("lrt", m0, m1)
    names, handles = ["m0", "m1"], [m0._handle, m1._handle]
    orders = row_orders((m0, m1), names)
    found: ModelComparison = call(
        "lrt_models", handles, names, boundary, orders, level, into=ModelComparison
    )
    return found
