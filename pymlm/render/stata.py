"""Stata's tables (as versions 14 to 16 print them): mixed, xtreg re, estat icc, lincom."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit
from scipy.stats import chi2, norm

from pymlm.errors import NotSupportedError
from pymlm.render.numbers import abbreviate, fixed, stata_g
from pymlm.results.voices import Voice, Xtreg

#: Width of Stata's results window.
LINE = 78


def stata_name(term: str, numeric: bool = True) -> str:
    """Return the name that Stata gives a coefficient: ``_cons``, ``c.ses#c.clubs``."""
    if term == "(Intercept)":
        return "_cons"
    parts = term.split(":")
    return "#".join(("c." if numeric else "") + p for p in parts) if len(parts) > 1 else term


def mixed(v: Voice, level: float = 0.95) -> str:
    """Return the output of ``mixed``: header, coefficients, random effects, LR test."""
    kind = "REML" if v.reml else "ML"
    what = "Log restricted-likelihood" if v.reml else "Log likelihood"
    one = len(v.group) == 1
    lines = [_head(f"Mixed-effects {kind} regression", "Number of obs", f"{v.nobs:,}")]
    lines += _one_group(v) if one else _many_groups(v)
    has_slopes = v.wald_df > 0
    p = chi2.sf(v.wald_chi2, v.wald_df) if has_slopes else math.nan
    lines += [
        _head("", f"Wald chi2({v.wald_df})", fixed(v.wald_chi2, 2)),
        _head(f"{what} = {stata_g(v.loglik, 8)}", "Prob > chi2", fixed(p, 4)),
        "",
    ]
    lines += coefficients(v.response, *_ordered(v), level=level)
    lines += ["", *_random_table(v, level), *_lr_line(v)]
    return "\n".join(lines)


def _head(left: str, label: str, value: str) -> str:
    return f"{left:<48}{label:<17} ={value:>11}".rstrip()


def _one_group(v: Voice) -> list[str]:
    return [
        _head(f"Group variable: {v.group[0]}", "Number of groups", f"{int(v.n_groups[0]):,}"),
        "",
        *_sizes(v, "", ("", "", "")),
        "",
    ]


def _sizes(v: Voice, title: str, left: tuple[str, str, str]) -> list[str]:
    sizes = (
        ("min", _count(v.size_min[0])),
        ("avg", fixed(v.size_mean[0], 1)),
        ("max", _count(v.size_max[0])),
    )
    lines = [f"{title:<48}Obs per group:"]
    return lines + [f"{a:<62}{n} ={x:>11}" for a, (n, x) in zip(left, sizes, strict=True)]


def _count(x: float) -> str:
    return "." if math.isnan(x) else f"{int(x):,}"


def _many_groups(v: Voice) -> list[str]:
    rule = "-" * 61
    lines = ["", rule, f"{'':16}|     No. of       Observations per Group",
             " Group Variable |     Groups    Minimum    Average    Maximum",
             "-" * 16 + "+" + "-" * 44]  # fmt: skip
    rows = (
        f"{abbreviate(v.group[i], 15):>15} |{_count(v.n_groups[i]):>11}"
        f"{_count(v.size_min[i]):>11}{fixed(v.size_mean[i], 1):>11}{_count(v.size_max[i]):>11}"
        for i in reversed(range(len(v.group)))  # Stata names the highest level first
    )
    return [*lines, *rows, rule, ""]


def _ordered(v: Voice) -> tuple[list[str], list[float], list[float]]:
    """Stata puts the constant last."""
    at = sorted(range(len(v.term)), key=lambda i: v.term[i] == "(Intercept)")
    names = [stata_name(v.term[i], bool(v.numeric_label[i])) for i in at]
    return names, [float(v.estimate[i]) for i in at], [float(v.std_error[i]) for i in at]


def coefficients(
    response: str, names: list[str], estimate: list[float], std_error: list[float],
    *, level: float = 0.95, end: bool = True,
) -> list[str]:  # fmt: skip
    """Return Stata's coefficient table; a line of space stands around interactions."""
    longest = max(map(len, names))
    width = 12 if longest <= 12 else max(17, longest)
    rule = "-" * (width + 66)
    head = (f"{abbreviate(response, width):>{width}} |      Coef.   Std. Err.      z    P>|z|"
            f"     [{_percent(level)}% Conf. Interval]")  # fmt: skip
    lines = [rule, head, "-" * (width + 1) + "+" + "-" * 64]
    q = norm.ppf((1 + level) / 2)
    before = False
    for i, (name, b, se) in enumerate(zip(names, estimate, std_error, strict=True)):
        if i and ("#" in name) != before:
            lines.append(" " * (width + 1) + "|")
        before = "#" in name
        z = b / se
        lines.append(
            f"{name:>{width}} |{stata_g(b):>11}{stata_g(se):>11}{z:>9.2f}"
            f"{2 * norm.sf(abs(z)):>8.3f}{stata_g(b - q * se):>13}{stata_g(b + q * se):>12}"
        )
    return [*lines, rule] if end else lines


def _percent(level: float) -> str:
    return f"{100 * level:g}"


def _random_table(v: Voice, level: float) -> list[str]:
    rule = "-" * LINE
    lines = [rule, "  Random-effects Parameters  |   Estimate   Std. Err.     "
             f"[{_percent(level)}% Conf. Interval]", "-" * 29 + "+" + "-" * 48]  # fmt: skip
    for group in _stata_groups(v):
        rows = _stata_rows(v, group)
        correlated = any(v.var2[i] is not None for i, _ in rows)
        kind = "Identity" if len(rows) == 1 else "Unstructured" if correlated else "Independent"
        title = group if v.nested else "_all"
        lines.append(f"{abbreviate(title, 12)}: {kind}".ljust(29) + "|")
        for i, name in rows:
            shown = name if v.nested else name.replace("_cons", f"R.{group}")
            lines.append(_component_line(v, i, shown, level))
        lines.append("-" * 29 + "+" + "-" * 48)
    return [*lines, _component_line(v, len(v.grp) - 1, "var(Residual)", level), rule]


def _stata_groups(v: Voice) -> list[str]:
    """Grouping factors, the highest level first; "g", "g.1" are terms of one factor."""
    return list(reversed(v.group))


def _stata_rows(v: Voice, group: str) -> list[tuple[int, str]]:
    """Rows of the components of a factor: variances with the constant last, then covariances."""
    own = [i for i, g in enumerate(v.grp) if factor_of(g, v.group) == group]
    order = list(dict.fromkeys(v.var1[i] for i in own if v.var2[i] is None))
    order.sort(key=lambda t: t == "(Intercept)")
    rank = {t: k for k, t in enumerate(order)}
    variances = sorted((i for i in own if v.var2[i] is None), key=lambda i: rank[v.var1[i]])
    out = [(i, f"var({stata_name(str(v.var1[i]))})") for i in variances]
    pairs = []
    for i in own:
        if v.var2[i] is not None:
            a, b = sorted((v.var1[i], v.var2[i]), key=lambda t: rank[t])
            label = f"cov({stata_name(str(a))},{stata_name(str(b))})"
            pairs.append((rank[a], rank[b], i, label))
    return out + [(i, label) for _, _, i, label in sorted(pairs)]


def factor_of(grp: str, factors: tuple[str, ...]) -> str | None:
    """Return the factor of a term that VarCorr numbers: "Subject" of "Subject.1"."""
    if grp in factors:
        return grp
    stem, _, number = grp.rpartition(".")
    return stem if stem in factors and number.isdigit() else None


def _component_line(v: Voice, i: int, name: str, level: float) -> str:
    est, se = float(v.component[i]), float(v.component_se[i])
    low, high = component_interval(est, se, v.var2[i] is None, level)
    return (f"{abbreviate(name, 28):>28} |{stata_g(est):>11}{stata_g(se):>11}"
            f"{stata_g(low):>14}{stata_g(high):>12}")  # fmt: skip


def component_interval(
    estimate: float, std_error: float, variance: bool, level: float
) -> tuple[float, float]:
    """Return a Wald interval: on the log scale for a variance, as it is for a covariance."""
    q = float(norm.ppf((1 + level) / 2))
    if not variance:
        return estimate - q * std_error, estimate + q * std_error
    if math.isnan(std_error) or estimate <= 0:
        return math.nan, math.nan
    return (estimate * math.exp(-q * std_error / estimate),
            estimate * math.exp(q * std_error / estimate))  # fmt: skip


def _lr_line(v: Voice) -> list[str]:
    if v.lr_df == 1:
        p = 1.0 if v.lr_chi2 <= 0 else 0.5 * chi2.sf(v.lr_chi2, 1)
        left = f"LR test vs. linear model: chibar2(01) = {v.lr_chi2:.2f}"
        return [_apart(left, f"Prob >= chibar2 = {p:.4f}")]
    left = f"LR test vs. linear model: chi2({v.lr_df}) = {v.lr_chi2:.2f}"
    note = "Note: LR test is conservative and provided only for reference."
    return [_apart(left, f"Prob > chi2 = {chi2.sf(v.lr_chi2, v.lr_df):.4f}"), "", note]


def _apart(left: str, right: str) -> str:
    return left + right.rjust(LINE - len(left))


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
             f"[{_percent(level)}% Conf. Interval]", "-" * 29 + "+" + "-" * 48]  # fmt: skip
    groups = _stata_groups(v)
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
    half = float(norm.ppf((1 + level) / 2)) * se / (rho * (1 - rho))
    middle = math.log(rho / (1 - rho))
    return float(expit(middle - half)), float(expit(middle + half))


def lincom(response: str, text: str, estimate: float, std_error: float, level: float) -> str:
    """Return the output of ``lincom``."""
    table = coefficients(response, ["(1)"], [estimate], [std_error], level=level)
    return "\n".join([f" ( 1)  {text} = 0", "", *table])


def xtreg_re(v: Voice, x: Xtreg, level: float = 0.95) -> str:
    """Return the output of ``xtreg, re``."""
    p = chi2.sf(x.wald_chi2, x.wald_df) if x.wald_df else math.nan
    r2 = (
        f"     within  = {_r2(x.r2_within)}",
        f"     between = {_r2(x.r2_between)}",
        f"     overall = {_r2(x.r2_overall)}",
    )
    at = sorted(range(len(x.term)), key=lambda i: x.term[i] == "(Intercept)")
    numeric = dict(zip(v.term, v.numeric_label, strict=True))
    names = [stata_name(x.term[i], bool(numeric[x.term[i]])) for i in at]
    table = coefficients(v.response, names, [float(x.estimate[i]) for i in at],
                         [float(x.std_error[i]) for i in at], level=level, end=False)  # fmt: skip
    width = len(table[0]) - 66
    return "\n".join([
        _head("Random-effects GLS regression", "Number of obs", f"{v.nobs:,}"),
        _head(f"Group variable: {v.group[0]}", "Number of groups", f"{int(v.n_groups[0]):,}"),
        "",
        *_sizes(v, "R-sq:", r2),
        "",
        _head("", f"Wald chi2({x.wald_df})", fixed(x.wald_chi2, 2)),
        _head("corr(u_i, X)   = 0 (assumed)", "Prob > chi2", fixed(p, 4)),
        "",
        *table,
        table[2],
        f"{'sigma_u':>{width}} |{stata_g(x.sigma_u, 8):>11}",
        f"{'sigma_e':>{width}} |{stata_g(x.sigma_e, 8):>11}",
        f"{'rho':>{width}} |{stata_g(x.rho, 8):>11}   (fraction of variance due to u_i)",
        table[0],
    ])  # fmt: skip


def _r2(x: float) -> str:
    return f"{0.0 if math.isnan(x) else x:.4f}"
