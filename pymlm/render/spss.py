"""SPSS MIXED's tables, with its default: Satterthwaite df."""

from __future__ import annotations

import math

from pymlm.distributions import half_width
from pymlm.names import split_names
from pymlm.render import criteria
from pymlm.render.numbers import spss as number
from pymlm.render.sas import component_names
from pymlm.render.stata import component_interval, factor_of
from pymlm.results.base import Floats
from pymlm.results.system_tables import Voice, VoiceTests


def mixed(v: Voice, tests: VoiceTests, level: float = 0.95) -> str:
    """Return the output of MIXED with /PRINT=SOLUTION (TESTCOV's p-values of variances stay out).

    The type III test of the intercept averages over the levels of every factor, covariates at 0.
    """
    note = f"a. Dependent Variable: {v.response}."
    blocks = [
        _dimension(v),
        _information(v),
        _type3(tests),
        _fixed(tests, level),
        _components(v, level),
    ]
    return "\n\n".join("\n".join([*b, note]) for b in blocks)


def table(title: str, header: list[str], rows: list[list[str]]) -> list[str]:
    """Return a pivot table as lines of text."""
    widths = [max(len(r[k]) for r in [header, *rows]) for k in range(len(header))]
    line = "+".join("-" * (w + 2) for w in widths)

    def row(cells: list[str]) -> str:
        first = f" {cells[0]:<{widths[0]}} "
        rest = (f" {c:>{w}} " for c, w in zip(cells[1:], widths[1:], strict=True))
        return "|".join([first, *rest]).rstrip()

    return [f"{title} (a)", line, row(header), line, *map(row, rows), line]


def _dimension(v: Voice) -> list[str]:
    """Levels and parameters of every effect; a factor has as many levels as categories."""
    levels = [int(x) for x in v.label_levels]
    columns = [v.label.count(x) for x in v.labels]
    rows = [
        ["Fixed Effects" if i == 0 else "", _label(x), str(levels[i]), "", str(columns[i]), ""]
        for i, x in enumerate(v.labels)
    ]
    total, parameters = sum(levels), sum(columns)
    for k, (grp, terms) in enumerate(v.random_terms.items()):
        own = sum(g == grp for g in v.grp[:-1])
        kind = "Unstructured" if own > len(terms) else "Variance Components"
        name = " + ".join(map(_label, terms))
        rows.append(["Random Effects" if k == 0 else "", name, str(len(terms)), kind, str(own),
                     factor_of(grp, v.group) or grp])  # fmt: skip
        total, parameters = total + len(terms), parameters + own
    rows += [["Residual", "", "", "", "1", ""],
             ["Total", "", str(total), "", str(parameters + 1), ""]]  # fmt: skip
    header = ["", "", "Number of Levels", "Covariance Structure", "Number of Parameters",
              "Subject Variables"]  # fmt: skip
    return table("Model Dimension", header, rows)


def _label(term: str) -> str:
    return "Intercept" if term == "(Intercept)" else " * ".join(split_names(term))


def _information(v: Voice) -> list[str]:
    c = criteria.spss(v)
    first = "-2 Restricted Log Likelihood" if v.reml else "-2 Log Likelihood"
    rows = [
        [first, number(c.minus_two, 3)],
        ["Akaike's Information Criterion (AIC)", number(c.aic, 3)],
        ["Hurvich and Tsai's Criterion (AICC)", number(c.aicc, 3)],
        ["Bozdogan's Criterion (CAIC)", number(c.caic, 3)],
        ["Schwarz's Bayesian Criterion (BIC)", number(c.bic, 3)],
    ]
    return table("Information Criteria", ["", ""], rows)


def _type3(tests: VoiceTests) -> list[str]:
    rows = []
    if tests.intercept is not None:
        first = tests.intercept
        rows.append(["Intercept", "1", number(first.df, 3), number(first.statistic, 3),
                     number(first.p_value, 3)])  # fmt: skip
    t = tests.type3
    for i, term in enumerate(() if t is None else t.term):
        assert t is not None
        rows.append([" * ".join(split_names(term)), str(int(t.num_df[i])), number(t.den_df[i], 3),
                     number(t.statistic[i], 3), number(t.p_value[i], 3)])  # fmt: skip
    header = ["Source", "Numerator df", "Denominator df", "F", "Sig."]
    return table("Type III Tests of Fixed Effects", header, rows)


def _at(values: Floats | None, i: int) -> float:
    return math.nan if values is None else float(values[i])


def _fixed(tests: VoiceTests, level: float) -> list[str]:
    f = tests.fixed
    rows = []
    for i, term in enumerate(f.term):
        df = math.inf if f.df is None else float(f.df[i])
        q = half_width(level, df)
        b, se = float(f.estimate[i]), float(f.std_error[i])
        rows.append([
            "Intercept" if term == "(Intercept)" else " * ".join(split_names(term)), number(b),
            number(se), number(df, 3), number(f.statistic[i], 3), number(_at(f.p_value, i), 3),
            number(b - q * se), number(b + q * se),
        ])  # fmt: skip
    bounds = f"{100 * level:g}% CI"
    header = ["Parameter", "Estimate", "Std. Error", "df", "t", "Sig.", f"{bounds} Lower",
              f"{bounds} Upper"]  # fmt: skip
    return table("Estimates of Fixed Effects", header, rows)


def _components(v: Voice, level: float) -> list[str]:
    rows = []
    names = dict(component_names(v))
    residual = len(v.grp) - 1  # by its place: a group can have that name
    for i in [residual, *(i for i in names if i != residual)]:
        est, se = float(v.component[i]), float(v.component_se[i])
        low, high = component_interval(est, se, v.var2[i] is None, level)
        many = len(v.random_terms.get(v.grp[i], ())) > 1
        kind = "" if i == residual else names[i] if many else "Variance"
        inside = "" if i == residual else _inside(v, i)
        subject = factor_of(v.grp[i], v.group)
        name = "Residual" if not inside else f"{inside} [subject = {subject}] {kind}"
        rows.append([name, number(est), number(se), number(low), number(high)])
    bounds = f"{100 * level:g}% CI"
    header = ["Parameter", "Estimate", "Std. Error", f"{bounds} Lower", f"{bounds} Upper"]
    return table("Estimates of Covariance Parameters", header, rows)


def _inside(v: Voice, i: int) -> str:
    terms = v.random_terms[v.grp[i]]
    return " + ".join("Intercept" if t == "(Intercept)" else t for t in terms)
