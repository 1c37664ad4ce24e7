"""SAS PROC MIXED's tables, with its defaults: containment df, REML counting variances only."""

from __future__ import annotations

import math

from pymlm.distributions import upper_tail
from pymlm.names import split_names
from pymlm.render import criteria
from pymlm.render.numbers import fixed, sas_best, sas_p
from pymlm.render.stata import factor_of
from pymlm.results.system_tables import Voice, VoiceTests

WIDTH = 78
#: ddf of pymlm -> what SAS calls it in "Degrees of Freedom Method".
METHODS = {
    "containment": "Containment", "Satterthwaite": "Satterthwaite",
    "Kenward-Roger": "Kenward-Roger", "between-within": "Between-Within",
    "asymptotic": "Infinite",
}  # fmt: skip


def mixed(v: Voice, tests: VoiceTests, ddf: str, covtest: bool = False) -> str:
    """Return the output of PROC MIXED with SOLUTION.

    `covtest` adds standard errors of the covariance parameters, as the option COVTEST does; its
    Wald p-values, which S4 calls invalid for variances, stay out.
    """
    blocks = [
        ["The Mixed Procedure".center(WIDTH).rstrip()],
        _information(v, ddf),
        _dimensions(v),
        _observations(v),
        _components(v, covtest),
        _fit(v),
        _null_model(v),
        _solution(tests),
        _type3(tests),
    ]
    return "\n\n".join("\n".join(b) for b in blocks if b)


def centred(text: str) -> str:
    """Return the title of a table, in the middle of the page."""
    return text.center(WIDTH).rstrip()


def _pairs(title: str, rows: list[tuple[str, str]], left: int, width: int) -> list[str]:
    pad = " " * ((WIDTH - width) // 2)
    return [centred(title), "", *(f"{pad}{a:<{left}}{b}".rstrip() for a, b in rows)]


def _information(v: Voice, ddf: str) -> list[str]:
    kinds = "Unstructured" if any(x is not None for x in v.var2) else "Variance Components"
    rows = [
        ("Data Set", f"WORK.{v.data_name.upper()}"),
        ("Dependent Variable", v.response),
        ("Covariance Structure", kinds),
        ("Subject Effect" if len(v.group) == 1 else "Subject Effects", ", ".join(v.group)),
        ("Estimation Method", "REML" if v.reml else "ML"),
        ("Residual Variance Method", "Profile"),
        ("Fixed Effects SE Method",
         "Kenward-Roger" if ddf == "Kenward-Roger" else "Model-Based"),
        ("Degrees of Freedom Method", METHODS[ddf]),
    ]  # fmt: skip
    return _pairs("Model Information", rows, 29, 62)


def _dimensions(v: Voice) -> list[str]:
    per_subject = sum(len(t) for t in v.random_terms.values())
    rows = [
        ("Covariance Parameters", f"{v.n_theta + 1:>8}"),
        ("Columns in X", f"{len(v.term):>8}"),
    ]
    if len(v.group) == 1:
        rows += [("Columns in Z per Subject", f"{per_subject:>8}"),
                 ("Subjects", f"{int(v.n_groups[0]):>8}"),
                 ("Max Obs per Subject", f"{fixed(v.size_max[0], 0):>8}")]  # fmt: skip
    return _pairs("Dimensions", rows, 28, 36)


def _observations(v: Voice) -> list[str]:
    rows = [("Number of Observations Read", f"{v.n_read:>10}"),
            ("Number of Observations Used", f"{v.nobs:>10}"),
            ("Number of Observations Not Used", f"{v.n_read - v.nobs:>10}")]  # fmt: skip
    return _pairs("Number of Observations", rows, 33, 43)


def _components(v: Voice, covtest: bool) -> list[str]:
    head = f"{'Cov Parm':<13}{'Subject':<15}{'Estimate':>12}"
    lines = [centred("Covariance Parameter Estimates"), ""]
    if covtest:
        lines.append(" " * (6 + 40) + f"{'Standard':>12}")
        head += f"{'Error':>12}"
    lines.append("      " + head)
    for i, name in component_names(v):
        row = f"{name:<13}{_subject(v, i):<15}{sas_best(v.component[i]):>12}"
        if covtest:
            row += f"{sas_best(float(v.component_se[i])):>12}"
        lines.append("      " + row.rstrip())
    return lines


def _subject(v: Voice, i: int) -> str:
    return "" if i == len(v.grp) - 1 else factor_of(v.grp[i], v.group) or v.grp[i]


def component_names(v: Voice) -> list[tuple[int, str]]:
    """Return rows of components with SAS's names, in its order: UN(1,1), UN(2,1), UN(2,2)."""
    out = []
    for grp, terms in v.random_terms.items():
        own = [i for i, g in enumerate(v.grp[:-1]) if g == grp]  # a group can be named Residual
        place = {t: k + 1 for k, t in enumerate(terms)}
        if len(terms) == 1:
            name = "Intercept" if terms[0] == "(Intercept)" else terms[0]
            out.append((own[0], name))
            continue
        cells = []
        for i in own:
            a = place[str(v.var1[i])]
            b = a if v.var2[i] is None else place[str(v.var2[i])]
            cells.append((max(a, b), min(a, b), i))
        out += [(i, f"UN({a},{b})") for a, b, i in sorted(cells)]
    return [*out, (len(v.grp) - 1, "Residual")]


def _fit(v: Voice) -> list[str]:
    c = criteria.sas(v)
    first = "-2 Res Log Likelihood" if v.reml else "-2 Log Likelihood"
    rows = [(first, f"{c.minus_two:>10.1f}"),
            ("AIC (Smaller is Better)", f"{c.aic:>10.1f}"),
            ("AICC (Smaller is Better)", f"{c.aicc:>10.1f}"),
            ("BIC (Smaller is Better)", f"{c.bic:>10.1f}")]  # fmt: skip
    return _pairs("Fit Statistics", rows, 26, 36)


def _null_model(v: Voice) -> list[str]:
    p = sas_p(upper_tail("chi2", v.lr_chi2, v.lr_df))
    pad = " " * 20
    return [centred("Null Model Likelihood Ratio Test"), "",
            f"{pad}{'DF':>4}{'Chi-Square':>14}{'Pr > ChiSq':>16}",
            f"{pad}{v.lr_df:>4}{v.lr_chi2:>14.2f}{p:>16}"]  # fmt: skip


def _solution(tests: VoiceTests) -> list[str]:
    f = tests.fixed
    width = max(14, *(len(effect(t)) + 2 for t in f.term))
    pad = " " * max(0, (WIDTH - width - 54) // 2)
    lines = [centred("Solution for Fixed Effects"), "",
             pad + " " * width + f"{'':>11}{'Standard':>12}",
             f"{pad}{'Effect':<{width}}{'Estimate':>11}{'Error':>12}{'DF':>8}"
             f"{'t Value':>10}{'Pr > |t|':>13}"]  # fmt: skip
    for i, term in enumerate(f.term):
        df = math.inf if f.df is None else float(f.df[i])
        p = math.nan if f.p_value is None else float(f.p_value[i])
        lines.append(
            f"{pad}{effect(term):<{width}}{sas_best(f.estimate[i]):>11}"
            f"{sas_best(f.std_error[i]):>12}{df_text(df):>8}{f.statistic[i]:>10.2f}{sas_p(p):>13}"
        )
    return lines


def effect(term: str) -> str:
    """Return the name that SAS gives a coefficient."""
    return "Intercept" if term == "(Intercept)" else "*".join(split_names(term))


def df_text(df: float) -> str:
    """Write degrees of freedom; SAS calls infinite ones Infty."""
    if math.isinf(df):
        return "Infty"
    return f"{df:.0f}" if abs(df - round(df)) < 1e-8 or df >= 1000 else f"{df:.3g}"


def _type3(tests: VoiceTests) -> list[str]:
    t = tests.type3
    if t is None or not t.term:
        return []
    width = max(14, *(len(effect(x)) + 2 for x in t.term))
    pad = " " * max(0, (WIDTH - width - 38) // 2)
    lines = [centred("Type 3 Tests of Fixed Effects"), "",
             pad + " " * width + f"{'Num':>6}{'Den':>8}",
             f"{pad}{'Effect':<{width}}{'DF':>6}{'DF':>8}{'F Value':>11}"
             f"{'Pr > F':>11}"]  # fmt: skip
    for i, term in enumerate(t.term):
        lines.append(
            f"{pad}{effect(term):<{width}}{int(t.num_df[i]):>6}{df_text(float(t.den_df[i])):>8}"
            f"{t.statistic[i]:>11.2f}{sas_p(float(t.p_value[i])):>11}"
        )
    return lines
