"""Stata's xtreg (re, fe, be) and regress, with robust errors where clusters are given."""

from __future__ import annotations

import math

from pymlm.distributions import upper_tail
from pymlm.render.numbers import fixed, stata_g
from pymlm.render.stata import coefficients, constant_last, head, sizes, stata_name
from pymlm.results.system_tables import Regress, Voice, Xtreg

TITLES = {
    "re": "Random-effects GLS regression",
    "fe": "Fixed-effects (within) regression",
    "be": "Between regression (regression on group means)",
}


def xtreg(v: Voice, x: Xtreg, level: float = 0.95) -> str:
    """Return the output of ``xtreg`` with the option that `x` was made for."""
    t = x.type != "re"
    table = _table(v, x, [x.df_residual] * len(x.term) if t else None, level)
    width = len(table[0]) - 66
    lines = [
        head(TITLES[x.type], "Number of obs", f"{v.nobs:,}"),
        head(f"Group variable: {v.group[0]}", "Number of groups", f"{int(v.n_groups[0]):,}"),
        "",
        *sizes(v, "R-sq:", (
            f"     within  = {_r2(x.r2_within)}",
            f"     between = {_r2(x.r2_between)}",
            f"     overall = {_r2(x.r2_overall)}",
        )),
        "",
        *_joint(x),
        "",
        *table,
    ]  # fmt: skip
    if x.type == "be":
        return "\n".join([*lines, table[0]])
    lines += [
        table[2],
        f"{'sigma_u':>{width}} |{stata_g(x.sigma_u, 8):>11}",
        f"{'sigma_e':>{width}} |{stata_g(x.sigma_e, 8):>11}",
        f"{'rho':>{width}} |{stata_g(x.rho, 8):>11}   (fraction of variance due to u_i)",
        table[0],
    ]
    if x.type == "fe":
        num = int(v.n_groups[0]) - 1
        left = f"F test that all u_i=0: F({num}, {x.df_residual:.0f}) = {x.f_groups:.2f}"
        p = f"Prob > F = {upper_tail('F', x.f_groups, num, x.df_residual):.4f}"
        lines.append(left + p.rjust(len(table[0]) - len(left)))
    return "\n".join(lines)


def _table(v: Voice, x: Xtreg, df: list[float] | None, level: float) -> list[str]:
    at = constant_last(x.term)
    numeric = dict(zip(v.term, v.numeric_label, strict=True))
    names = [stata_name(x.term[i], bool(numeric[x.term[i]])) for i in at]
    return coefficients(
        v.response, names, [float(x.estimate[i]) for i in at],
        [float(x.std_error[i]) for i in at], level=level, end=False, df=df,
    )  # fmt: skip


def _joint(x: Xtreg) -> list[str]:
    """The test of all slopes, and what else Stata has beside it."""
    if x.type == "re":
        p = upper_tail("chi2", x.wald_chi2, x.wald_df) if x.wald_df else math.nan
        return [
            head("", f"Wald chi2({x.wald_df})", fixed(x.wald_chi2, 2)),
            head("corr(u_i, X)   = 0 (assumed)", "Prob > chi2", fixed(p, 4)),
        ]
    value = x.wald_chi2 / x.wald_df if x.wald_df else math.nan
    p = upper_tail("F", value, x.wald_df, x.df_residual) if x.wald_df else math.nan
    left = (
        f"corr(u_i, Xb)  = {fixed(x.correlation, 4)}"
        if x.type == "fe"
        else f"sd(u_i + avg(e_i.))= {stata_g(x.sigma_e):>9}"
    )
    return [
        head("", f"F({x.wald_df},{x.df_residual:.0f})", fixed(value, 2)),
        head(left, "Prob > F", fixed(p, 4)),
    ]


def _r2(x: float) -> str:
    return f"{0.0 if math.isnan(x) else x:.4f}"


def regress(r: Regress, level: float = 0.95) -> str:
    """Return the output of ``regress``, or of ``regress, vce(cluster g)``."""
    at = constant_last(r.term)
    names = [stata_name(r.term[i], bool(r.numeric_label[i])) for i in at]
    table = coefficients(
        r.response, names, [float(r.estimate[i]) for i in at], [float(r.std_error[i]) for i in at],
        level=level, df=[r.den_df] * len(at), robust=r.robust or r.cluster is not None,
    )  # fmt: skip
    p = upper_tail("F", r.f, r.num_df, r.den_df) if r.num_df else math.nan
    if r.robust or r.cluster is not None:
        said = f"(Std. Err. adjusted for {r.n_clusters} clusters in {r.cluster})"
        return "\n".join([
            head("Linear regression", "Number of obs", f"{r.nobs:,}"),
            head("", f"F({r.num_df}, {r.den_df:.0f})", fixed(r.f, 2)),
            head("", "Prob > F", fixed(p, 4)),
            head("", "R-squared", fixed(r.r_squared, 4)),
            head("", "Root MSE", stata_g(r.root_mse, 5)),
            "",
            *([said.rjust(len(table[0]))] if r.cluster is not None else []),
            *table,
        ])  # fmt: skip
    right = [
        ("Number of obs", f"{r.nobs:,}"), (f"F({r.num_df}, {r.den_df:.0f})", fixed(r.f, 2)),
        ("Prob > F", fixed(p, 4)), ("R-squared", fixed(r.r_squared, 4)),
        ("Adj R-squared", fixed(r.adj_r_squared, 4)), ("Root MSE", stata_g(r.root_mse, 5)),
    ]  # fmt: skip
    rule = "-" * 13 + "+" + "-" * 34
    left = [
        f"{'Source':>12} |       SS           df       MS     ", rule,
        _source("Model", r.ss_model, r.num_df), _source("Residual", r.ss_residual, r.den_df), rule,
        _source("Total", r.ss_model + r.ss_residual, r.num_df + r.den_df),
    ]  # fmt: skip
    heads = [f"{a:<51}{b:<15} ={c:>10}" for a, (b, c) in zip(left, right, strict=True)]
    return "\n".join([*heads, "", *table])


def _source(name: str, ss: float, df: float) -> str:
    mean = ss / df if df else math.nan
    return f"{name:>12} |{stata_g(ss, 9):>12}{df:>10,.0f}{stata_g(mean, 9):>12}"
