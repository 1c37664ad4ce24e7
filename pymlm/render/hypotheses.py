"""Linear hypotheses as statements of SAS, SPSS, Mplus and Stata print them.

ESTIMATE and CONTRAST of PROC MIXED, /TEST of SPSS MIXED, NEW of Mplus' MODEL CONSTRAINT, lincom and
test of Stata: all of them from one `contest`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np

from pymlm.errors import ArgumentError, NotSupportedError
from pymlm.names import split_names
from pymlm.render import mplus, sas, spss, stata, stata_after
from pymlm.render.numbers import fixed, sas_best, sas_p, stata_g
from pymlm.render.numbers import spss as spss_number
from pymlm.results.anova import AnovaTable
from pymlm.results.base import Floats
from pymlm.results.contest import Contest

#: Length of a name in Mplus.
MPLUS_NAME = 8


def _names(c: Contest | AnovaTable) -> tuple[str, ...]:
    """Names of the coefficients; a contest that was read from JSON of old has none."""
    n = 0 if c.hypotheses is None else c.hypotheses.shape[1]
    return c.coefficients or tuple(f"b{i + 1}" for i in range(n))


def combination(
    row: Floats, names: tuple[str, ...], name: Callable[[str], str] = str, times: str = "*"
) -> str:
    """Write a row of L as a sum: "ses - .5*clubs"."""
    out = ""
    for weight, term in zip(row, names, strict=True):
        if weight == 0:
            continue
        size = abs(float(weight))
        part = name(term) if size == 1 else f"{stata_g(size)}{times}{name(term)}"
        if out:
            out += f" {'-' if weight < 0 else '+'} {part}"
        else:
            out = f"- {part}" if weight < 0 else part
    return out


def labels(c: Contest, name: Callable[[str], str]) -> list[str]:
    """What each row is called: the user's name or text, else the sum that it is."""
    rows = []
    for i, term in enumerate(c.term):
        left = _left_of(term)
        rows.append(combination(c.hypotheses[i], _names(c), name) if left.isdigit() else left)
    return rows


def _left_of(term: str) -> str:
    """The combination in "ses - clubs = 0"; what stands in backticks is a name."""
    inside = False
    for i, letter in enumerate(term):
        inside ^= letter == "`"
        if letter == "=" and not inside:
            return term[:i].strip()
    return term.strip()


def _refuse_constants(c: Contest | AnovaTable, what: str) -> None:
    if c.rhs is not None and np.any(c.rhs != 0):
        raise ArgumentError(
            f"{what} takes a combination of coefficients without a constant: it tests against 0; "
            "m.contest tests against other values"
        )


def _one(c: AnovaTable) -> tuple[int, float, float, float]:
    """Numerator and denominator df, F, p; a chi-squared test as F with infinite df."""
    num = int(c.num_df[0])  # type: ignore[index]  # a joint contest has it
    value = float(c.statistic[0])
    if c.statistic_name != "F":
        return num, math.inf, value / num, float(c.p_value[0])  # type: ignore[index]
    return num, float(c.den_df[0]), value, float(c.p_value[0])  # type: ignore[index]


# --- SAS ----------------------------------------------------------------------------------------


def sas_text(c: Contest | AnovaTable, label: str | None = None) -> str:
    """Return the table of ESTIMATE statements, or of a CONTRAST statement."""
    _refuse_constants(c, "ESTIMATE" if isinstance(c, Contest) else "CONTRAST")
    if isinstance(c, Contest):
        return "\n".join(_sas_estimates(c))
    num, den, f, p = _one(c)
    name = label or " ".join(_row_texts(c, sas.effect))
    width = max(14, len(name) + 2)
    pad = " " * max(0, (sas.WIDTH - width - 38) // 2)
    return "\n".join([
        sas.centred("Contrasts"), "", pad + " " * width + f"{'Num':>6}{'Den':>8}",
        f"{pad}{'Label':<{width}}{'DF':>6}{'DF':>8}{'F Value':>11}{'Pr > F':>11}",
        f"{pad}{name:<{width}}{num:>6}{sas.df_text(den):>8}{f:>11.2f}{sas_p(p):>11}",
    ])  # fmt: skip


def _row_texts(c: AnovaTable, name: Callable[[str], str]) -> list[str]:
    assert c.hypotheses is not None
    texts = [combination(row, _names(c), name) for row in c.hypotheses]
    return [f"{x}," if i < len(texts) - 1 else x for i, x in enumerate(texts)]


def _sas_estimates(c: Contest) -> list[str]:
    names = labels(c, sas.effect)
    width = max(14, *(len(x) + 2 for x in names))
    pad = " " * max(0, (sas.WIDTH - width - 54) // 2)
    out = [sas.centred("Estimates"), "", pad + " " * width + f"{'':>11}{'Standard':>12}",
           f"{pad}{'Label':<{width}}{'Estimate':>11}{'Error':>12}{'DF':>8}{'t Value':>10}"
           f"{'Pr > |t|':>13}"]  # fmt: skip
    return out + [
        f"{pad}{name:<{width}}{sas_best(c.estimate[i]):>11}{sas_best(c.std_error[i]):>12}"
        f"{sas.df_text(float(c.df[i])):>8}{c.statistic[i]:>10.2f}{sas_p(float(c.p_value[i])):>13}"
        for i, name in enumerate(names)
    ]


# --- SPSS ---------------------------------------------------------------------------------------


def spss_text(c: Contest | AnovaTable) -> str:
    """Return the tables of a /TEST subcommand: its estimates, or the joint F test."""
    note = f"a. Dependent Variable: {c.response or 'y'}."
    if c.ddf not in ("Satterthwaite", "Kenward-Roger"):
        raise NotSupportedError(
            f"SPSS MIXED has Satterthwaite and (since 26) Kenward-Roger only, not {c.ddf}: ask "
            "contest(..., ddf='Satterthwaite')"
        )
    if isinstance(c, AnovaTable):
        num, den, f, p = _one(c)
        rows = [[str(num), spss_number(den, 3), spss_number(f, 3), spss_number(p, 3)]]
        header = ["Numerator df", "Denominator df", "F", "Sig."]
        out = [f"Custom Hypothesis Tests: {' '.join(_row_texts(c, _spss_name))}", ""]
        return "\n".join([*out, *spss.table("Test Results", header, rows), note])
    bounds = f"{100 * c.level:g}% CI"
    header = ["Contrast", "Estimate", "Std. Error", "df", "Test Value", "t", "Sig.",
              f"{bounds} Lower", f"{bounds} Upper"]  # fmt: skip
    rows = [
        [f"L{i + 1}", spss_number(c.estimate[i]), spss_number(c.std_error[i]),
         spss_number(c.df[i], 3), f"{c.rhs[i]:g}", spss_number(c.statistic[i], 3),
         spss_number(c.p_value[i], 3), spss_number(c.conf_low[i]), spss_number(c.conf_high[i])]
        for i in range(len(c.term))
    ]  # fmt: skip
    out = [f"L{i + 1}: {name}" for i, name in enumerate(labels(c, _spss_name))]
    head = ["Custom Hypothesis Tests", *out, ""]
    return "\n".join([*head, *spss.table("Contrast Estimates", header, rows), note])


def _spss_name(term: str) -> str:
    return "Intercept" if term == "(Intercept)" else " * ".join(split_names(term))


# --- Mplus --------------------------------------------------------------------------------------


def mplus_text(c: Contest | AnovaTable) -> str:
    """Return MODEL CONSTRAINT's new parameters, or MODEL TEST's Wald test of a joint contest."""
    if c.ddf != "asymptotic":
        raise NotSupportedError(
            f"Mplus tests new parameters by z, not with degrees of freedom by {c.ddf}: ask "
            "contest(..., ddf='asymptotic')"
        )
    if isinstance(c, AnovaTable):
        assert c.hypotheses is not None
        assert c.rhs is not None
        num, _, f, p = _one(c)
        zero = [f"    0 = {_with_constant(row, r, _names(c))};"
                for row, r in zip(c.hypotheses, c.rhs, strict=True)]  # fmt: skip
        return "\n".join([
            "MODEL TEST:", *zero, "", "Wald Test of Parameter Constraints", "",
            f"{'          Value':<38}{f * num:>22.3f}",
            f"{'          Degrees of Freedom':<38}{num:>22}",
            f"{'          P-Value':<38}{p:>22.4f}",
        ])  # fmt: skip
    names = _mplus_names(c)
    made = [f"    {n} = {_with_constant(row, r, _names(c))};"
            for n, row, r in zip(names, c.hypotheses, c.rhs, strict=True)]  # fmt: skip
    rows = [mplus.line(n, float(e - r), float(se))
            for n, e, r, se in zip(names, c.estimate, c.rhs, c.std_error, strict=True)]  # fmt: skip
    return "\n".join([
        "MODEL CONSTRAINT:", f"    NEW({' '.join(names)});", *made, "", *mplus.HEAD, "",
        "New/Additional Parameters", *rows,
    ])  # fmt: skip


def _mplus_names(c: Contest) -> list[str]:
    """The user's names where Mplus takes them, else new1, new2 ..."""
    given = [t if re.fullmatch(r"[A-Za-z]\w*", t) and len(t) <= MPLUS_NAME else "" for t in c.term]
    unique = len({t.upper() for t in given}) == len(given) and all(given)
    names = given if unique and not set(given) & set(_names(c)) else []
    return names or [f"new{i + 1}" for i in range(len(c.term))]


def _with_constant(row: Floats, constant: float, names: tuple[str, ...]) -> str:
    text = combination(row, names, lambda t: "intercept" if t == "(Intercept)" else t)
    if constant == 0:
        return text
    return f"{text} {'-' if constant > 0 else '+'} {abs(float(constant)):g}"


# --- Stata --------------------------------------------------------------------------------------


def stata_text(c: Contest | AnovaTable) -> str:
    """Return lincom's tables of a contest, or test's of a joint one."""
    if isinstance(c, AnovaTable):
        return _stata_test(c)
    _refuse_constants(c, "lincom")
    tables = []
    for i, row in enumerate(c.hypotheses):
        text = combination(row, _names(c), stata.stata_name)
        df = math.inf if c.statistic_name == "z" else float(c.df[i])
        estimate, se = float(c.estimate[i]), float(c.std_error[i])
        tables.append(stata_after.lincom(c.response or "", text, estimate, se, c.level, df))
    return "\n\n".join(tables)


def _stata_test(c: AnovaTable) -> str:
    assert c.hypotheses is not None
    assert c.rhs is not None
    out = [
        f" ({i + 1:>2})  {combination(row, _names(c), stata.stata_name)} = {stata_g(float(r))}"
        for i, (row, r) in enumerate(zip(c.hypotheses, c.rhs, strict=True))
    ]
    num, den, f, p = _one(c)
    if math.isinf(den):
        return "\n".join([*out, "", f"{f'chi2({num:>3})':>20} ={f * num:>8.2f}",
                          f"{'Prob > chi2':>20} ={p:>10.4f}"])  # fmt: skip
    return "\n".join([*out, "", f"{f'F({num:>3},{den:>7.2f})':>20} ={f:>8.2f}",
                      f"{'Prob > F':>20} ={fixed(p, 4):>10}"])  # fmt: skip


TEXTS: dict[str, Callable[[Contest | AnovaTable], str]] = {
    "sas": sas_text, "spss": spss_text, "mplus": mplus_text, "stata": stata_text,
}  # fmt: skip
