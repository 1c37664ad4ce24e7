"""render(m, style): a fitted linear mixed model in the voice of another system."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeVar

from pymlm.argument_types import Ddf, Level
from pymlm.arguments import choice, strict
from pymlm.errors import ArgumentError, NotSupportedError
from pymlm.escape import distinct
from pymlm.models.inside import ask, call_ddf, engine_for
from pymlm.render import commands, hypotheses, mplus, sas, spss, stata_after
from pymlm.render.regression_table import regression_table
from pymlm.results.anova import AnovaTable
from pymlm.results.comparison import ModelComparison
from pymlm.results.contest import Contest
from pymlm.results.system_tables import Voice, VoiceTests
from pymlm.tables import Text

R = TypeVar("R")

Style = Literal["r", "stata", "sas", "spss", "mplus", "stargazer"]
STYLES: tuple[Style, ...] = ("r", "stata", "sas", "spss", "mplus", "stargazer")

#: Degrees of freedom that each system uses where nothing is asked for.
DEFAULT_DDF = {"r": "Satterthwaite", "sas": "containment", "spss": "Satterthwaite"}
DDF = ("containment", "Satterthwaite", "Kenward-Roger", "between-within", "asymptotic")
#: Arguments that mean something in a style; elsewhere they are refused, never ignored.
TAKES = {
    "r": {"ddf"}, "stata": {"command", "ddf", "level"}, "sas": {"command", "ddf", "covtest"},
    "spss": {"command", "ddf", "level"}, "mplus": {"command"}, "stargazer": set(),
}  # fmt: skip
#: The bridge says itself of the generalized and the nonlinear ones why they have no such table.
MODELS = (
    "GeneralizedLinearMixedModel", "LinearMixedModel", "LinearModel", "MultipleMembershipModel",
    "NonlinearMixedModel",
)  # fmt: skip
LEVEL = 0.95


@strict
def render(
    m: Any,
    style: Style = "r",
    command: str | None = None,
    ddf: Ddf | None = None,
    level: Level = LEVEL,
    covtest: bool = False,
) -> Text:
    """Write a model, a contest or a likelihood-ratio test as another system prints it.

    The estimates are those of the model; defaults (z or t, degrees of freedom, what AIC counts)
    are the system's. `pymlm.system_defaults` lists them.

    Parameters
    ----------
    m : LinearMixedModel, LinearModel, or what `contest` or `lrt` returned
        A contest is written as ESTIMATE (SAS), /TEST (SPSS), NEW (Mplus) and lincom (Stata), a
        joint one as CONTRAST, /TEST, MODEL TEST and test; what `lrt` returned as Stata's lrtest. A
        linear model is for Stata's regress; of `lme`, `gls` and `glm` there are combinations alone.
    style : {"r", "stata", "sas", "spss", "mplus", "stargazer"}
    command : str, optional
        What to print instead of the system's table of the model. Stata: "mixed",
        "mixed, dfmethod(kroger)", "xtreg, re" (or fe, be), "estat icc", "estat recovariance" (with
        ", correlation"), "regress" and "regress, vce(cluster g)". Combinations of fixed effects by
        R's names: Stata's "lincom ses - clubs" and "test ses = 0, clubs = 0"; SAS's
        "ESTIMATE ses - clubs" and "CONTRAST ses, clubs"; SPSS's "TEST ses - clubs"; Mplus's
        "NEW ses - clubs".
    ddf : str, optional
        Degrees of freedom for SAS ("containment", its default, "Satterthwaite", "Kenward-Roger",
        "between-within", "asymptotic"), SPSS ("Satterthwaite", "Kenward-Roger"), R, and Stata's
        dfmethod ("Satterthwaite", "Kenward-Roger", "anova", "repeated", "residual"; default z).
    level : float
        Of the confidence intervals of Stata and SPSS.
    covtest : bool
        For SAS: standard errors of the covariance parameters.

    Returns
    -------
    str
        For ``print``; a notebook shows it as it is.

    Raises
    ------
    ArgumentError
        For an argument that the style has no use for, or a command that it has not.
    NotSupportedError
        Where the system has no such output: Mplus for a REML fit, xtreg for a random slope,
        estat icc for crossed factors, Stata's Satterthwaite for an ML fit, degrees of freedom that
        the system has not; anything for a model that is not linear.

    Notes
    -----
    Standard errors of variances: lmerTest's covariance matrix of (theta, sigma) by the delta
    method; intervals on the log scale. Stata's anova is SAS's containment, its repeated is
    between-within. vce(cluster) is sandwich's HC1. Layouts after Stata's [ME] mixed, [XT] xtreg and
    [R] regress, the SAS/STAT User's Guide, IBM's SPSS Algorithms and the Mplus User's Guide.
    Reference categories, iteration logs and the like are left out; names of categories are R's.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Reaction ~ Days + (1 | Subject)", mlm.load_dataset("sleepstudy"), reml=False)
    >>> print(mlm.render(m, style="stata").splitlines()[0])
    Mixed-effects ML regression                     Number of obs     =        180
    """
    which, size = style, level
    _refuse_unused(which, command=command, ddf=ddf, level=None if size == LEVEL else size,
                   covtest=covtest or None)  # fmt: skip
    if isinstance(m, (Contest, AnovaTable, ModelComparison)):
        given = (command, ddf, None if size == LEVEL else size, covtest or None)
        if any(x is not None for x in given):
            raise ArgumentError(
                f"a {type(m).__name__} has its degrees of freedom and level, and is one command: "
                "give its style alone"
            )
        return Text(_result(m, which))
    if type(m).__name__ == "PanelEstimates" and which != "stargazer":
        raise NotSupportedError(
            "render writes xtreg of a model with one random intercept: fit mlm.lmer('y ~ x + "
            "(1 | g)'), and render(that, 'stata', command='xtreg, fe') (or re, be)"
        )
    if (
        command is not None
        and type(m).__name__ in commands.COMBINED
        and commands.is_statement(which, command)
    ):
        c = commands.contest_of(m, which, command, ddf, size)
        return Text(hypotheses.TEXTS[which](in_plain(c)))
    if which != "stargazer" and type(m).__name__ not in MODELS:
        raise NotSupportedError(
            "render takes a linear mixed model of pymlm.lmer, a linear model of pymlm.lm, a "
            f"contest or what pymlm.lrt returned, not a {type(m).__name__}"
            + (
                " (of which it writes combinations: command='lincom a - b', style='stata')"
                if type(m).__name__ in commands.COMBINED
                else ""
            )
        )
    if type(m).__name__ == "LinearModel" and command is None and which != "stargazer":
        raise NotSupportedError(
            f"render takes a linear mixed model for style={which!r}; of a linear model it writes "
            "Stata's command='regress', and m.summary() prints as R prints it"
        )
    if which == "r":
        return Text(m.summary(ddf=DEFAULT_DDF["r"] if ddf is None else ddf).text)
    if which == "stargazer":
        return regression_table(m)
    if which == "stata":
        return Text(commands.stata_text(m, command or "mixed", ddf, size, in_plain))
    if command is not None:
        c = commands.contest_of(m, which, command, ddf, size)
        return Text(hypotheses.TEXTS[which](in_plain(c)))
    v: Voice = in_plain(ask(m, "voice", Voice, engine=engine_for(m, "Satterthwaite")))
    if which == "mplus":
        return Text(mplus.twolevel(v) + commands.weights_note(v, "Mplus"))
    method = choice(ddf or DEFAULT_DDF[which], DDF, "ddf")
    tests: VoiceTests = in_plain(call_ddf(m, "voice_tests", VoiceTests, method, ddf=method))
    if which == "sas":
        return Text(sas.mixed(v, tests, method, covtest))
    if method not in ("Satterthwaite", "Kenward-Roger"):
        raise NotSupportedError("SPSS MIXED has Satterthwaite and (since 26) Kenward-Roger only")
    return Text(spss.mixed(v, tests, size))


def _result(found: Contest | AnovaTable | ModelComparison, style: Style) -> str:
    """A contest, a joint contest or a likelihood-ratio test in the words of a system."""
    if style == "r":
        return found.text
    if isinstance(found, ModelComparison):
        if style != "stata" or len(found.term) != 2 or found.statistic_name != "chisq":
            raise NotSupportedError(
                "a comparison of two models by mlm.lrt is written as Stata's lrtest: style='stata'"
            )
        return stata_after.lrtest(
            float(found.chisq[1]), int(found.df[1]), float(found.p_value[1]),
            found.reml,
        )  # fmt: skip
    if style not in hypotheses.TEXTS:
        raise NotSupportedError(f"a contest has no table in the style {style!r}")
    if found.hypotheses is None:
        raise NotSupportedError(
            "of tables of tests those of m.contest(..., joint=True) are written, not those of "
            "terms: the system's table of the model has them"
        )
    return hypotheses.TEXTS[style](in_plain(found))


def in_plain(result: R) -> R:
    """Return the same numbers under names that fill one line: tables are laid out by lines."""
    shown = distinct(_texts(result))

    def made(value: Any) -> Any:
        if isinstance(value, str):
            return shown[value]
        if isinstance(value, tuple):
            return tuple(map(made, value))
        if isinstance(value, Mapping):
            return {made(k): made(x) for k, x in value.items()}
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return dataclasses.replace(value, **{k: made(x) for k, x in _fields(value)})
        return value

    out: R = made(result)
    return out


def _texts(value: Any) -> Iterator[str]:
    """Every text of a result, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts((*value.keys(), *value.values()))
    elif isinstance(value, tuple):
        for x in value:
            yield from _texts(x)
    elif dataclasses.is_dataclass(value):
        yield from _texts(tuple(x for _, x in _fields(value)))


def _fields(value: Any) -> list[tuple[str, Any]]:
    return [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value) if f.init]


def _refuse_unused(style: str, **given: Any) -> None:
    for name, value in given.items():
        if value is not None and name not in TAKES[style]:
            takers = " or ".join(repr(s) for s in TAKES if name in TAKES[s])
            raise ArgumentError(f"{name} is for style={takers}, not {style!r}")
