"""What Stata prints after ``mixed``: estat icc, estat recovariance, lincom, lrtest."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit

from pymlm.distributions import half_width
from pymlm.errors import NotSupportedError
from pymlm.render.numbers import abbreviate, stata_g
from pymlm.render.stata import LINE, coefficients, factor_of, levels_down, percent, stata_name
from pymlm.results.base import Floats
from pymlm.results.system_tables import Voice


def icc(v: Voice, level: float = 0.95) -> str:
    """Return the output of ``estat icc``: one row a level, intervals on the logit scale.

    Raises
    ------
    NotSupportedError
        For crossed factors, as in Stata.
    """
    if not v.nested:
        raise NotSupportedError("estat icc is not available for crossed grouping factors")
    covariates = any(t != "(Intercept)" for t in v.term)
    slopes = any(len(t) > 1 or t[0] != "(Intercept)" for t in v.random_terms.values())
    if slopes:
        title = "Conditional intraclass correlation"
    else:
        title = "Residual intraclass correlation" if covariates else "Intraclass correlation"
    lines = [title, "", "-" * LINE, f"{'Level':>28} |        ICC   Std. Err.     "
             f"[{percent(level)}% Conf. Interval]", "-" * 29 + "+" + "-" * 48]  # fmt: skip
    groups = levels_down(v)
    for k in range(len(groups)):
        name = "|".join(reversed(groups[: k + 1]))
        rho, se = _icc(v, groups[: k + 1])
        low, high = _logit_interval(rho, se, level)
        lines.append(f"{abbreviate(name, 28):>28} |{stata_g(rho):>11}{stata_g(se):>11}"
                     f"{stata_g(low):>14}{stata_g(high):>12}")  # fmt: skip
    lines.append("-" * LINE)
    if slopes:
        lines.append("Note: ICC is conditional on zero values of random-effects covariates.")
    return "\n".join(lines)


def _icc(v: Voice, groups: list[str]) -> tuple[float, float]:
    """Share of the intercept variances of `groups`, with its delta-method standard error."""
    intercepts = {
        i: factor_of(g, v.group)
        for i, g in enumerate(v.grp)
        if v.var1[i] == "(Intercept)" and v.var2[i] is None
    }
    top = np.zeros(len(v.grp))
    total = np.zeros(len(v.grp))
    total[-1] = 1
    for i, factor in intercepts.items():
        total[i] = 1
        top[i] = factor in groups
    a, b = float(top @ v.component), float(total @ v.component)
    gradient = (top * b - total * a) / b**2
    variance = float(gradient @ v.component_vcov @ gradient)
    return a / b, math.sqrt(variance) if variance > 0 and a > 0 else math.nan


def _logit_interval(rho: float, se: float, level: float) -> tuple[float, float]:
    if math.isnan(se) or not 0 < rho < 1:
        return math.nan, math.nan
    half = half_width(level) * se / (rho * (1 - rho))
    middle = math.log(rho / (1 - rho))
    return float(expit(middle - half)), float(expit(middle + half))


def recovariance(v: Voice, correlation: bool = False) -> str:
    """Return the output of ``estat recovariance``: a matrix a level, the highest level first.

    Raises
    ------
    NotSupportedError
        For crossed factors.
    """
    if not v.nested:
        raise NotSupportedError("estat recovariance is written for nested grouping factors")
    kind = "correlation" if correlation else "covariance"
    blocks = []
    for group in levels_down(v):
        names, V = _group_matrix(v, group)
        if correlation:
            sd = np.sqrt(np.diag(V))
            with np.errstate(invalid="ignore", divide="ignore"):
                V = V / np.outer(sd, sd)
        width = max(12, *map(len, names))
        lines = [f"Random-effects {kind} matrix for level {group}", "",
                 f"{'':{width}} |" + "".join(f"{abbreviate(n, 9):>11}" for n in names),
                 "-" * (width + 1) + "+" + "-" * (11 * len(names))]  # fmt: skip
        lines += [
            f"{name:>{width}} |" + "".join(f"{stata_g(float(x)):>11}" for x in V[i, : i + 1])
            for i, name in enumerate(names)
        ]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _group_matrix(v: Voice, group: str) -> tuple[list[str], Floats]:
    """Coefficients of a factor by Stata's names and order, and their covariance matrix."""
    own = [i for i, g in enumerate(v.grp[:-1]) if factor_of(g, v.group) == group]
    terms = list(dict.fromkeys(str(v.var1[i]) for i in own if v.var2[i] is None))
    terms.sort(key=lambda t: t == "(Intercept)")
    V = np.zeros((len(terms), len(terms)))
    for i in own:
        a = terms.index(str(v.var1[i]))
        b = a if v.var2[i] is None else terms.index(str(v.var2[i]))
        V[a, b] = V[b, a] = float(v.component[i])
    return [stata_name(t) for t in terms], V


def lincom(
    response: str, text: str, estimate: float, std_error: float, level: float,
    df: float = math.inf,
) -> str:  # fmt: skip
    """Return the output of ``lincom``; with `df` that of ``lincom, small``."""
    small = None if math.isinf(df) else [df]
    table = coefficients(response, ["(1)"], [estimate], [std_error], level=level, df=small)
    return "\n".join([f" ( 1)  {text} = 0", "", *table])


def lrtest(chi: float, df: int, p: float, reml: bool) -> str:
    """Return the output of ``lrtest``."""
    lines = [
        f"{'Likelihood-ratio test':<54}{f'LR chi2({df})':<12}={chi:>10.2f}",
        f"{'(Assumption: m0 nested in m1)':<54}{'Prob > chi2':<12}={p:>10.4f}",
        "",
        "Note: The reported degrees of freedom assumes the null hypothesis is not on the boundary",
        "      of the parameter space. If this is not true, the reported test is conservative.",
    ]
    if reml:
        lines += [
            "Note: LR tests based on REML are valid only when the fixed-effects specification is",
            "      identical for both models.",
        ]
    return "\n".join(lines)
