"""Stata's tables (as versions 14 to 16 print them): mixed and what its tables share."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pymlm.distributions import half_width, upper_tail
from pymlm.names import split_names
from pymlm.render.numbers import abbreviate, fixed, stata_g
from pymlm.results.system_tables import Voice

#: Width of Stata's results window.
LINE = 78


def stata_name(term: str, numeric: bool = True) -> str:
    """Return the name that Stata gives a coefficient: ``_cons``, ``c.ses#c.clubs``."""
    if term == "(Intercept)":
        return "_cons"
    parts = split_names(term)
    return "#".join(("c." if numeric else "") + p for p in parts) if len(parts) > 1 else term


@dataclass(frozen=True, slots=True, kw_only=True)
class Small:
    """What ``dfmethod()`` adds: t and F tests.

    Attributes
    ----------
    method : str
        Stata's words for it.
    std_error, df : list of float
        One a coefficient, in the model's order; Kenward and Roger's errors are theirs.
    f, num_df, den_df : float
        Joint test of all but the constant; den_df is NaN where the method has none for it.
    """

    method: str
    std_error: list[float]
    df: list[float]
    f: float
    num_df: int
    den_df: float


def mixed(v: Voice, level: float = 0.95, small: Small | None = None) -> str:
    """Return the output of ``mixed``: header, coefficients, random effects, LR test.

    `small` has the tests of ``dfmethod()``; without it they are z and chi-squared.
    """
    kind = "REML" if v.reml else "ML"
    what = "Log restricted-likelihood" if v.reml else "Log likelihood"
    one = len(v.group) == 1
    lines = [head(f"Mixed-effects {kind} regression", "Number of obs", f"{v.nobs:,}")]
    lines += _one_group(v) if one else _many_groups(v)
    likelihood = f"{what} = {stata_g(v.loglik, 8)}"
    names, estimate, std_error = _ordered(v)
    if small is None:
        p = upper_tail("chi2", v.wald_chi2, v.wald_df) if v.wald_df else math.nan
        lines += [
            head("", f"Wald chi2({v.wald_df})", fixed(v.wald_chi2, 2)),
            head(likelihood, "Prob > chi2", fixed(p, 4)),
            "",
        ]
        lines += coefficients(v.response, names, estimate, std_error, level=level)
    else:
        lines += _small_head(small, likelihood)
        at = constant_last(v.term)
        lines += coefficients(
            v.response, names, estimate, [small.std_error[i] for i in at], level=level,
            df=[small.df[i] for i in at],
        )  # fmt: skip
    lines += ["", *_random_table(v, level), *_lr_line(v)]
    return "\n".join(lines)


def _small_head(s: Small, likelihood: str) -> list[str]:
    known = [x for x in s.df if not math.isnan(x)]
    least, most = (min(known), max(known)) if known else (math.nan, math.nan)
    mean = sum(known) / len(known) if known else math.nan
    p = upper_tail("F", s.f, s.num_df, s.den_df) if s.num_df else math.nan
    lines = [f"{f'DF method: {s.method}':<48}{'DF:':<14}min ={fixed(least, 2):>11}"]
    lines += [f"{'':<62}{n} ={fixed(x, 2):>11}" for n, x in (("avg", mean), ("max", most))]
    label = f"F({s.num_df},{fixed(s.den_df, 2):>9})"
    value = math.nan if math.isnan(p) else s.f
    return [
        *lines,
        "",
        head("", label, fixed(value, 2)),
        head(likelihood, "Prob > F", fixed(p, 4)),
        "",
    ]


def head(left: str, label: str, value: str) -> str:
    """Return a line of a heading: what stands left, and a labelled number."""
    return f"{left:<48}{label:<17} ={value:>11}".rstrip()


def _one_group(v: Voice) -> list[str]:
    return [
        head(f"Group variable: {v.group[0]}", "Number of groups", f"{int(v.n_groups[0]):,}"),
        "",
        *sizes(v, "", ("", "", "")),
        "",
    ]


def sizes(v: Voice, title: str, left: tuple[str, str, str]) -> list[str]:
    """Return the lines on rows per group; `left` stands beside them."""
    rows = (
        ("min", _count(v.size_min[0])),
        ("avg", fixed(v.size_mean[0], 1)),
        ("max", _count(v.size_max[0])),
    )
    lines = [f"{title:<48}Obs per group:"]
    return lines + [f"{a:<62}{n} ={x:>11}" for a, (n, x) in zip(left, rows, strict=True)]


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


def constant_last(terms: tuple[str, ...]) -> list[int]:
    """Return the order in which Stata has coefficients."""
    return sorted(range(len(terms)), key=lambda i: terms[i] == "(Intercept)")


def _ordered(v: Voice) -> tuple[list[str], list[float], list[float]]:
    """Stata puts the constant last."""
    at = constant_last(v.term)
    names = [stata_name(v.term[i], bool(v.numeric_label[i])) for i in at]
    return names, [float(v.estimate[i]) for i in at], [float(v.std_error[i]) for i in at]


def coefficients(
    response: str, names: list[str], estimate: list[float], std_error: list[float],
    *, level: float = 0.95, end: bool = True, df: list[float] | None = None, robust: bool = False,
) -> list[str]:  # fmt: skip
    """Return Stata's coefficient table; a line of space stands around interactions.

    With `df` tests are by t. An estimate that is NaN was omitted.
    """
    longest = max(map(len, names))
    width = 12 if longest <= 12 else max(17, longest)
    rule = "-" * (width + 66)
    t = "z" if df is None else "t"
    above = [f"{'':>{width}} |               Robust"] if robust else []
    title = (f"{abbreviate(response, width):>{width}} |      Coef.   Std. Err.      {t}    P>|{t}|"
             f"     [{percent(level)}% Conf. Interval]")  # fmt: skip
    lines = [rule, *above, title, "-" * (width + 1) + "+" + "-" * 64]
    before = False
    for i, (name, b, se) in enumerate(zip(names, estimate, std_error, strict=True)):
        if i and ("#" in name) != before:
            lines.append(" " * (width + 1) + "|")
        before = "#" in name
        if math.isnan(b):
            lines.append(f"{name:>{width}} |{'0':>11}  (omitted)")
            continue
        of_t = math.inf if df is None else df[i]
        half = half_width(level, of_t) * se
        p = 2 * upper_tail("t", abs(b / se), of_t)
        lines.append(
            f"{name:>{width}} |{stata_g(b):>11}{stata_g(se):>11}{fixed(b / se, 2):>9}"
            f"{fixed(p, 3):>8}{stata_g(b - half):>13}{stata_g(b + half):>12}"
        )
    return [*lines, rule] if end else lines


def percent(level: float) -> str:
    """Write a level as per cent."""
    return f"{100 * level:g}"


def _random_table(v: Voice, level: float) -> list[str]:
    rule = "-" * LINE
    lines = [rule, "  Random-effects Parameters  |   Estimate   Std. Err.     "
             f"[{percent(level)}% Conf. Interval]", "-" * 29 + "+" + "-" * 48]  # fmt: skip
    for group in levels_down(v):
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


def levels_down(v: Voice) -> list[str]:
    """Return grouping factors, the highest level first; "g", "g.1" are terms of one factor."""
    return list(reversed(v.group))


def _stata_rows(v: Voice, group: str) -> list[tuple[int, str]]:
    """Rows of the components of a factor: variances with the constant last, then covariances."""
    own = [i for i, g in enumerate(v.grp[:-1]) if factor_of(g, v.group) == group]
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
    q = half_width(level)
    if not variance:
        return estimate - q * std_error, estimate + q * std_error
    if math.isnan(std_error) or estimate <= 0:
        return math.nan, math.nan
    return (estimate * math.exp(-q * std_error / estimate),
            estimate * math.exp(q * std_error / estimate))  # fmt: skip


def _lr_line(v: Voice) -> list[str]:
    if v.lr_df == 1:
        p = 1.0 if v.lr_chi2 <= 0 else 0.5 * upper_tail("chi2", v.lr_chi2, 1)
        left = f"LR test vs. linear model: chibar2(01) = {v.lr_chi2:.2f}"
        return [_apart(left, f"Prob >= chibar2 = {p:.4f}")]
    left = f"LR test vs. linear model: chi2({v.lr_df}) = {v.lr_chi2:.2f}"
    note = "Note: LR test is conservative and provided only for reference."
    return [_apart(left, f"Prob > chi2 = {upper_tail('chi2', v.lr_chi2, v.lr_df):.4f}"), "", note]


def _apart(left: str, right: str) -> str:
    return left + right.rjust(LINE - len(left))
