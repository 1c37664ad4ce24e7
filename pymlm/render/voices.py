"""render(m, style): a fitted linear mixed model in the voice of another system."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeVar

from pymlm.argument_types import Ddf, Level
from pymlm.arguments import choice, strict
from pymlm.errors import ArgumentError, NotSupportedError, near_names
from pymlm.escape import distinct, plain
from pymlm.render import mplus, sas, spss, stata
from pymlm.render.regression_table import regression_table
from pymlm.results.voices import Voice, VoiceTests, Xtreg
from pymlm.tables import Text

R = TypeVar("R")

Style = Literal["r", "stata", "sas", "spss", "mplus", "stargazer"]
STYLES: tuple[Style, ...] = ("r", "stata", "sas", "spss", "mplus", "stargazer")

#: Degrees of freedom that each system uses where nothing is asked for.
DEFAULT_DDF = {"r": "Satterthwaite", "sas": "containment", "spss": "Satterthwaite"}
DDF = ("containment", "Satterthwaite", "Kenward-Roger", "between-within", "asymptotic")
#: Arguments that mean something in a style; elsewhere they are refused, never ignored.
TAKES = {
    "r": {"ddf"}, "stata": {"command", "level"}, "sas": {"ddf", "covtest"},
    "spss": {"ddf", "level"}, "mplus": set(), "stargazer": set(),
}  # fmt: skip
#: The bridge says itself of the generalized and the nonlinear ones why they have no such table.
MODELS = (
    "GeneralizedLinearMixedModel", "LinearMixedModel", "MultipleMembershipModel",
    "NonlinearMixedModel",
)  # fmt: skip
LEVEL = 0.95
COMMANDS = ("mixed", "xtreg, re", "estat icc", "lincom")


@strict
def render(
    m: Any,
    style: Style = "r",
    command: str | None = None,
    ddf: Ddf | None = None,
    level: Level = LEVEL,
    covtest: bool = False,
) -> Text:
    """Write a fitted linear mixed model as another system prints it.

    The estimates are those of the model; defaults (z or t, degrees of freedom, what AIC counts)
    are the system's. `pymlm.system_defaults` lists them.

    Parameters
    ----------
    m : LinearMixedModel
    style : {"r", "stata", "sas", "spss", "mplus", "stargazer"}
    command : str, optional
        For Stata: "mixed" (default), "xtreg, re", "estat icc", or "lincom" with an expression of
        the fixed effects by R's names, e.g. "lincom ses - clubs".
    ddf : str, optional
        Degrees of freedom for SAS ("containment", its default, "Satterthwaite", "Kenward-Roger",
        "between-within", "asymptotic"), SPSS ("Satterthwaite", "Kenward-Roger") and R.
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
        For an argument that the style has no use for.
    NotSupportedError
        Where the system has no such output: Mplus for a REML fit, xtreg for a random slope,
        estat icc for crossed factors, anything for a model that is not linear.

    Notes
    -----
    Standard errors of variances: lmerTest's covariance matrix of (theta, sigma) by the delta
    method; intervals on the log scale. Layouts after Stata's [ME] mixed and [XT] xtreg, the
    SAS/STAT User's Guide, IBM's SPSS Algorithms and the Mplus User's Guide. Reference categories,
    iteration logs and the like are left out; names of categories are R's.

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
    if which != "stargazer" and type(m).__name__ not in MODELS:
        raise NotSupportedError(
            f"render takes a linear mixed model of pymlm.lmer, not a {type(m).__name__}"
        )
    if which == "r":
        return Text(m.summary(ddf=DEFAULT_DDF["r"] if ddf is None else ddf).text)
    if which == "stargazer":
        return regression_table(m)
    v: Voice = _in_plain(m._ask("voice", Voice, engine=m._engine("Satterthwaite", None)))
    if which == "stata":
        return Text(_stata(m, v, command or "mixed", size))
    if which == "mplus":
        return Text(mplus.twolevel(v))
    method = choice(ddf or DEFAULT_DDF[which], DDF, "ddf")
    tests: VoiceTests = _in_plain(m._call_ddf("voice_tests", VoiceTests, method, ddf=method))
    if which == "sas":
        return Text(sas.mixed(v, tests, method, covtest))
    if method not in ("Satterthwaite", "Kenward-Roger"):
        raise NotSupportedError("SPSS MIXED has Satterthwaite and (since 26) Kenward-Roger only")
    return Text(spss.mixed(v, tests, size))


def _in_plain(result: R) -> R:
    """The same numbers under names that fill one line: tables are laid out by lines and widths."""
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


def _stata(m: Any, v: Voice, command: str, level: float) -> str:
    name = " ".join(command.split())
    if name == "mixed":
        return stata.mixed(v, level)
    if name in ("xtreg", "xtreg, re", "xtreg,re"):
        return stata.xtreg_re(v, _in_plain(m._call("xtreg", Xtreg)), level)
    if name == "estat icc":
        return stata.icc(v, level)
    if name.startswith("lincom "):
        text = name.removeprefix("lincom ")
        left, _, right = text.partition("=")
        c = m.contest(f"{left} = {right.strip() or 0}", ddf="asymptotic")
        if c.rhs[0] != 0:  # it would not show in the table; Stata refuses it, too
            raise ArgumentError(
                f"lincom takes a combination of coefficients without a constant, not {text!r}; "
                "m.contest tests against other values"
            )
        estimate, se = float(c.estimate[0]), float(c.std_error[0])
        return stata.lincom(v.response, plain(left.strip()), estimate, se, level)
    raise ArgumentError(
        f"command={command!r} is not one of: {', '.join(COMMANDS)}." + near_names(name, COMMANDS)
    )
