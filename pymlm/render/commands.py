"""Commands of Stata, SAS, SPSS and Mplus as text: what each asks of a model."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from pymlm.arguments import choice
from pymlm.distributions import half_width, upper_tails
from pymlm.errors import ArgumentError, NotSupportedError, near_names
from pymlm.models.inside import ask, call_ddf, call_on, clusters_of, engine_for
from pymlm.render import hypotheses, stata, stata_after, stata_panel
from pymlm.results.anova import AnovaTable
from pymlm.results.contest import Contest
from pymlm.results.fixed import FixedEffects
from pymlm.results.system_tables import Regress, Voice, VoiceTests, Xtreg

#: Statements about combinations of coefficients, and whether they test all of them at once.
STATEMENTS = {
    "sas": {"estimate": False, "contrast": True}, "spss": {"test": False},
    "mplus": {"new": False, "model test": True}, "stata": {"lincom": False, "test": True},
}  # fmt: skip
#: Degrees of freedom of such a statement where nothing is asked for.
DDF = {
    "sas": "containment", "spss": "Satterthwaite", "mplus": "asymptotic", "stata": "asymptotic",
}  # fmt: skip
#: Of these combinations of coefficients are written, and no tables of the whole.
COMBINED = ("NlmeModel", "GeneralizedLinearModel")
STATA = (
    "mixed", "mixed, dfmethod(kroger)", "xtreg, re", "xtreg, fe", "xtreg, be", "estat icc",
    "estat recovariance", "estat recovariance, correlation", "lincom", "test", "regress",
    "regress, vce(robust)", "regress, vce(cluster g)", "lrtest",
)  # fmt: skip
#: Stata's words for methods of degrees of freedom, and what it calls them in the output.
DFMETHODS = {
    "kroger": "Kenward-Roger", "satterthwaite": "Satterthwaite", "anova": "containment",
    "repeated": "between-within", "residual": "residual",
}  # fmt: skip
TITLES = {
    "Kenward-Roger": "Kenward-Roger", "Satterthwaite": "Satterthwaite", "containment": "ANOVA",
    "between-within": "Repeated", "residual": "Residual",
}  # fmt: skip


def split(text: str) -> list[str]:
    """Split at commas and semicolons that stand outside of backticks and parentheses.

    Examples
    --------
    >>> split("poly(x, 2)1 - `a, b` = 0, clubs")
    ['poly(x, 2)1 - `a, b` = 0', 'clubs']
    """
    parts, depth, quoted = [""], 0, False
    for letter in text:
        quoted ^= letter == "`"
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        if letter in ",;" and not quoted and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [p.strip() for p in parts if p.strip()]


def _statement(style: str, command: str) -> tuple[bool, list[str]] | None:
    """(joint, combinations) of a statement about coefficients; None for another command."""
    for word, joint in STATEMENTS[style].items():
        found = re.match(rf"/?{word}\b[\s:]*(.*)$", command.strip(), re.IGNORECASE | re.DOTALL)
        if found:
            parts = split(found[1])
            if not parts:
                raise ArgumentError(f"{word.upper()} needs a combination: {word} a - b")
            return joint, parts
    return None


def is_statement(style: str, command: str) -> bool:
    """Whether a command is about combinations of coefficients."""
    return style in STATEMENTS and _statement(style, command) is not None


def contest_of(m: Any, style: str, command: str, ddf: str | None, level: float) -> Any:
    """Return the contest that a statement of SAS, SPSS, Mplus or Stata asks for.

    Raises
    ------
    ArgumentError
        For another command.
    """
    found = _statement(style, command)
    if found is None:
        known = [w.upper() for w in STATEMENTS[style]]
        raise ArgumentError(
            f"with style={style!r} a command is for combinations of fixed effects by R's names: "
            f"{', '.join(known)}; not {command!r}." + near_names(command.upper(), known)
        )
    joint, parts = found
    parts = [_in_r(part, style, set(m.fixef().index)) for part in parts]
    if joint:  # "test ses clubs": each is 0
        parts = [each for part in parts for each in _names_of(part, set(m.fixef().index))]
    if ddf is None and type(m).__name__ == "LinearModel":  # t and F after regress
        ddf = "residual"
    ways = (*DFMETHODS.values(), "asymptotic")
    method = DDF[style] if ddf is None else choice(DFMETHODS.get(ddf, ddf), ways, "ddf")
    equations = [p if _has_right(p) else f"{p} = 0" for p in parts]
    asked = dict(zip(map(_unsigned, parts), equations, strict=True))
    if len(asked) < len(parts):
        raise ArgumentError(f"command={command!r} has one combination twice")
    if ddf is None and type(m).__name__ in COMBINED and style == "sas":
        method = "default"  # R's own of the class: containment for lme, z for glm
    if method != "containment" or type(m).__name__ in COMBINED:
        return m.contest(asked, joint=joint, ddf=method, level=level)
    return _contained(m, m.contest(asked, joint=joint, ddf="asymptotic", level=level))


def _contained(m: Any, c: Contest | AnovaTable) -> Contest | AnovaTable:
    """The same with SAS's containment df: the smallest of the coefficients in a combination."""
    by_term = call_ddf(m, "voice_tests", VoiceTests, "containment", ddf="containment").fixed.df
    assert c.hypotheses is not None
    least = np.array([np.min(by_term[row != 0]) for row in c.hypotheses])
    if isinstance(c, Contest):
        p = 2 * upper_tails("t", np.abs(c.statistic), least)
        half = half_width(c.level, least) * c.std_error
        return replace(
            c, df=least, p_value=p, conf_low=c.estimate - half, conf_high=c.estimate + half,
            statistic_name="t", ddf="containment", ddf_engine="rule",
        )  # fmt: skip
    assert c.num_df is not None
    value = c.statistic / c.num_df
    den = np.array([least.min()])
    p = upper_tails("F", value, c.num_df, den)
    return replace(
        c, den_df=den, statistic=value, statistic_name="F", p_value=p,
        ddf="containment", ddf_engine="rule",
    )  # fmt: skip


def _in_r(text: str, style: str, known: set[str]) -> str:
    """Put R's names for a system's: _cons and Intercept, Stata's c.a#c.b; R's own stay.

    Examples
    --------
    >>> _in_r("_cons + c.a#c.b - 2*`_cons`", "stata", {"(Intercept)", "a:b"})
    '`(Intercept)` + a:b - 2*`_cons`'
    """
    constant = "_cons" if style == "stata" else "Intercept"

    def name(found: re.Match[str]) -> str:
        word = found[0]
        if word.startswith("`") or word in known:
            return word
        product = re.sub(r"(^|#)[ci]\.", r"\1", word).replace("#", ":")
        return "`(Intercept)`" if word == constant else product if product in known else word

    return re.sub(r"`[^`]*`|[\w.#]+", name, text)


def _names_of(part: str, known: set[str]) -> list[str]:
    """Names that stand side by side, with no operator between them; else the part as it is."""
    names = re.findall(r"`[^`]*`|[^\s`]+", part)
    plain = all(n.startswith("`") or n in known or not re.search(r"[-+*/=()]", n) for n in names)
    return names if plain else [part]


def _has_right(text: str) -> bool:
    return "=" in re.sub("`[^`]*`", "", text)


def _unsigned(text: str) -> str:
    """A combination without its "= 0", by which it is called."""
    return re.sub(r"\s*=\s*0\s*$", "", text)


def stata_text(
    m: Any, command: str, ddf: str | None, level: float, in_plain: Callable[[Any], Any]
) -> str:
    """Return the output of one of Stata's commands.

    Raises
    ------
    ArgumentError
        For a command that is not here, or that has no use for `ddf`.
    """
    name = " ".join(command.split())
    said = re.sub(r"\s*,\s*", ", ", name)
    if _statement("stata", name):
        return hypotheses.stata_text(in_plain(contest_of(m, "stata", name, ddf, level)))
    asked = re.fullmatch(r"mixed, (reml|mle|ml)", said)
    if asked and type(m).__name__ == "LinearMixedModel":
        if (asked[1] == "reml") != m.reml:
            raise ArgumentError(
                f"this model was fitted by {'REML' if m.reml else 'maximum likelihood'}: "
                f"m.update(reml={not m.reml}) is the other fit"
            )
        said = "mixed"
    found = re.fullmatch(r"mixed, (?:reml,? |mle,? )?dfmethod\((\w+)\)", said, re.IGNORECASE)
    if found:
        if ddf is not None:
            raise ArgumentError("give the method once: as ddf=, or as dfmethod() in command=")
        said, ddf = "mixed", choice(found[1], tuple(DFMETHODS), "dfmethod")
    if ddf is not None and said != "mixed":
        raise ArgumentError(f"ddf is for mixed, lincom and test, not for command={command!r}")
    clustered = re.fullmatch(r"regress, (?:vce\()?(?:cluster|cl)[ (](.+?)\)", said)
    robust = re.fullmatch(r"regress, (?:robust|r|vce\((?:robust|r)\))", said)
    if said == "regress" or clustered or robust:
        by = clustered[1] if clustered else None
        return stata_panel.regress(_regress(m, by, robust is not None, in_plain), level)
    if type(m).__name__ == "LinearModel":
        raise NotSupportedError(
            "render takes a linear mixed model for that; Stata's table of a linear model is "
            "command='regress', or 'regress, vce(cluster g)'"
        )
    if said == "lrtest":
        raise ArgumentError("lrtest compares two models: render(mlm.lrt(m0, m1), 'stata')")
    panel = re.fullmatch(r"xtreg(?:, (re|fe|be))?", said)
    if not panel and said not in STATA:
        listed = re.match(r"(mixed|xtreg|regress) [^,|]*(?:\|\|[^,]*)?(,.*)?$", said)
        raise ArgumentError(
            f"command={command!r} is not one of: {', '.join(map(repr, STATA))}."
            + (f" The model has its variables: leave them out, as in '{listed[1]}'" if listed
               else near_names(said, STATA))
        )  # fmt: skip
    v: Voice = in_plain(ask(m, "voice", Voice, engine=engine_for(m, "Satterthwaite")))
    if panel:
        kind = panel[1] or "re"
        return stata_panel.xtreg(v, in_plain(call_on(m, "xtreg", Xtreg, type=kind)), level)
    if said == "estat icc":
        text = stata_after.icc(v, level)
    elif said.startswith("estat recovariance"):
        text = stata_after.recovariance(v, correlation=said.endswith("correlation"))
    else:
        text = stata.mixed(v, level, None if ddf is None else _small(m, v, ddf))
    return text + weights_note(v, "Stata's mixed")


def weights_note(v: Voice, command: str) -> str:
    """Say that a system weights rows otherwise; "" for a model without weights."""
    if not v.weighted:
        return ""
    return (
        "\n\nNote: the model's weights are lme4's: a row's residual variance is sigma2/w. "
        f"{command}\n      has no weights of this kind; its own are sampling weights."
    )


def _regress(m: Any, by: str | None, robust: bool, in_plain: Callable[[Any], Any]) -> Regress:
    if type(m).__name__ != "LinearModel":
        raise NotSupportedError(
            "regress is Stata's table of a linear model without random effects: fit mlm.lm(), and "
            "render(that, 'stata', command='regress, vce(cluster g)')"
        )
    clusters = None if by is None else clusters_of(m, by)
    asked = {"cluster": clusters, "name": by, "robust": robust}
    found: Regress = in_plain(call_on(m, "regress", Regress, **asked))
    return found


def _small(m: Any, v: Voice, ddf: str) -> stata.Small | None:
    """T and F tests of ``dfmethod()``; Stata's Satterthwaite and Kenward-Roger need REML."""
    ways = (*DFMETHODS.values(), "asymptotic")
    method = choice(DFMETHODS.get(ddf, ddf), ways, "ddf")
    if method == "asymptotic":
        return None
    if not v.reml and method in ("Satterthwaite", "Kenward-Roger"):
        raise NotSupportedError(
            f"Stata's dfmethod() has {method} for REML fits only: fit the model with reml=True"
        )
    if method == "between-within" and len(v.group) > 1:
        raise NotSupportedError("Stata's dfmethod(repeated) is for two levels only")
    k = v.wald_df
    if method == "residual":
        errors, df = [float(x) for x in v.std_error], [float(v.nobs - len(v.term))] * len(v.term)
    else:
        table: FixedEffects = call_ddf(m, "voice_tests", VoiceTests, method, ddf=method).fixed
        assert table.df is not None
        errors, df = [float(x) for x in table.std_error], [float(x) for x in table.df]
    slopes = [i for i, t in enumerate(v.term) if t != "(Intercept)"]
    if k and method in ("Satterthwaite", "Kenward-Roger"):
        test = m.contest(np.eye(len(v.term))[slopes], joint=True, ddf=method)
        value, den = float(test.statistic[0]), float(test.den_df[0])
    else:  # one denominator for all, or none
        own = {df[i] for i in slopes}
        value, den = (v.wald_chi2 / k if k else math.nan), own.pop() if len(own) == 1 else math.nan
    return stata.Small(
        method=TITLES[method], std_error=errors, df=df, f=value, num_df=k, den_df=den
    )
