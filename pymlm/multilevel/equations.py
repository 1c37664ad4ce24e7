"""The equations of a fitted mixed model."""

from __future__ import annotations

from types import NoneType
from typing import Any

from pymlm.arguments import strict
from pymlm.errors import ArgumentError, NotSupportedError
from pymlm.escape import html_block
from pymlm.models.base import Fitted
from pymlm.models.inside import ask
from pymlm.render import equations_flat as flat
from pymlm.render.equations import Form, Format, Summand, Writer
from pymlm.results.equations import EquationParts


class EquationText(str):
    """Equations as text."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str | None:
        return html_block(self)


class EquationLatex(EquationText):
    """Equations in LaTeX, which a notebook sets."""

    __slots__ = ()

    def _repr_html_(self) -> None:
        return None

    def _repr_latex_(self) -> str:
        return f"$${self}$$"


class EquationMarkdown(EquationText):
    """Equations in LaTeX between dollar signs, which a notebook sets."""

    __slots__ = ()

    def _repr_html_(self) -> None:
        return None

    def _repr_markdown_(self) -> str:
        return str(self)


@strict
def equations(
    m: Any,
    form: Form = "levels",
    format: Format = "text",
    estimates: bool = False,
    digits: int = 3,
) -> EquationText:
    """Write a fitted model as equations.

    Parameters
    ----------
    m : model
        Of any class: `lmer`, `glmer`, `nlmer`, `lm`, `glm`, `lme`, `gls`, `lm_list`,
        `multiple_membership`.
    form : {"levels", "combined", "distribution"}
        An equation for every level and coefficient; all put into one ("reduced" is another word for
        it); or as normal distributions y ~ N(…, σ²), β ~ N(…, τ²).
    format : {"text", "latex", "markdown"}
        LaTeX is an ``aligned`` environment, to stand in mathematics mode; markdown is the same
        between ``$$``, for a notebook's text or a Quarto page.
    estimates : bool
        Numbers instead of the symbols of the fixed effects and of the variances and covariances.
    digits : int
        Decimals of these numbers.

    Returns
    -------
    str

    Raises
    ------
    ArgumentError
        For something that is no fitted model; for digits that are no number of decimals.
    NotSupportedError
        "distribution" for crossed or multiple-membership factors, which are no hierarchy, and for a
        nonlinear model; estimates of an `lm_list`, of which each group has its own.

    Notes
    -----
    Symbols as in Hoffman's and Cole's lectures: γ fixed effects, u random effects (r and u with
    three levels), e residual, τ² and σ² variances; i rows, j and k units. Products of predictors at
    two levels become cross-level interactions. Crossed factors stand side by side at level 2, as
    y_i(jk) (Raudenbush & Bryk 2002, chapter 12); of a membership each row has a weighted sum.
    Correlated residuals of `lme` and `gls` are e ~ N(0, σ²Λ), with nlme's name of Λ;
    unequal variances are Λ = VV, with the ratios of standard deviations on the diagonal of V, and
    both together Λ = VCV. With prior weights a row's residual variance is σ²/w.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    >>> print(mlm.equations(m))
    Level 1: Reaction_ij = β_0j + β_1j Days_ij + e_ij
    Level 2: β_0j = γ_00 + u_0j
    Level 2: β_1j = γ_10 + u_1j
    where    e_ij ~ N(0, σ²_e)
    where    (u_0j, u_1j) ~ N(0, [τ²_0; τ_01, τ²_1])
    """
    if isinstance(digits, bool) or not isinstance(digits, int) or not 0 <= digits <= 15:
        raise ArgumentError(f"digits is a number of decimals, 0 to 15, not {digits!r}")
    if not isinstance(m, Fitted):
        raise ArgumentError(
            "equations takes a fitted model, of mlm.lmer, mlm.glmer, mlm.lm ..., not "
            + (repr(m) if isinstance(m, (str, int, float, NoneType)) else f"a {type(m).__name__}")
        )
    parts: EquationParts = ask(m, "equation", EquationParts)
    if estimates and parts.kind == "separate":
        raise NotSupportedError(
            "each group of an lm_list has its own estimates: m.coef() has them all"
        )
    w = Writer(parts, format, digits if estimates else None)
    if form == "distribution":
        if parts.kind != "linear":
            raise NotSupportedError(
                f"form='distribution' is not written for this model, a {type(m).__name__}: use "
                "'levels' or 'combined'"
            )
        rows = _distribution(w)
    elif form == "levels":
        rows = _levels(w)
    else:
        rows = _combined(w)
    if format == "markdown":
        return EquationMarkdown(f"$$\n{_latex(rows)}\n$$")
    return EquationLatex(_latex(rows)) if format == "latex" else EquationText(_text(rows))


def _levels(w: Writer) -> list[tuple[str, str, str]]:
    """By level; factors that are no hierarchy stand side by side."""
    if w.p.kind == "nonlinear":
        return flat.nonlinear(w)
    if w.p.kind == "separate":
        return flat.separate(w)
    return w.by_level() if w.hierarchy() else flat.by_level(w)


def _combined(w: Writer) -> list[tuple[str, str, str]]:
    """One equation; works for crossed factors and multiple membership, too."""
    if w.p.kind == "nonlinear":
        return flat.nonlinear(w)
    if w.p.kind == "separate":
        return flat.separate(w)
    return _collapsed(w) if w.hierarchy() else flat.combined(w)


def _text(rows: list[tuple[str, str, str]]) -> str:
    width = max(len(label) for label, _, _ in rows)
    return "\n".join(
        (f"{label + (':' if label.startswith('Level') else ''):<{width + 1}} " if width else "")
        + f"{left} {right}"
        for label, left, right in rows
    )


def _latex(rows: list[tuple[str, str, str]]) -> str:
    lines = []
    for label, left, right in rows:
        tag = rf"\text{{{label}:}}\quad & " if label else "& "
        head, sign = left.rsplit(" ", 1)
        lines.append(f"{tag}{head} {sign} {right}")
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def _distribution(w: Writer) -> list[tuple[str, str, str]]:
    """Each level as y ~ N(linear predictor, variance)."""
    model = w.build()
    out = []
    for e in model.equations:
        last = e.sum[-1]
        has_error = bool(last.symbol in ("e", "u", "r", "s") and not last.variables)
        mean = w.sum(e.sum[:-1] if has_error else e.sum)
        label = f"Level {e.level}"
        if not has_error:
            left = w.sum([e.lhs]) if e.level > 1 or w.gaussian else w.linked()
            out.append((label, f"{left} =", mean))
            continue
        variance = w.residual_variance(w.index(1)) if last.symbol == "e" else w.covariance([last])
        out.append((label, f"{w.sum([e.lhs])} {w.tilde}", w.normal(mean, variance)))
    joint = [row for row in w.distributions(model)[1:] if "(" in row[1] or "pmatrix" in row[1]]
    joint = w.structures() + joint if w.gaussian else w.distributions(model)[:1] + joint
    return out + joint


def _collapsed(w: Writer) -> list[tuple[str, str, str]]:
    """The equations by level, each put into the one below."""
    model = w.build()
    of = {(e.lhs.symbol, e.lhs.subscript): e for e in model.equations if e.level > 1}

    def put_in(s: Summand) -> tuple[list[Summand], list[Summand]]:
        e = of.get((s.symbol, s.subscript))
        if e is None:
            is_random = s.symbol in ("u", "r", "s")
            return ([], [s]) if is_random else ([s], [])
        fixed: list[Summand] = []
        random: list[Summand] = []
        for inner in e.sum:
            a, b = put_in(inner)
            for kept, target in ((a, fixed), (b, random)):
                target += [
                    Summand(k.symbol, k.subscript, (*k.variables, *s.variables), k.number)
                    for k in kept
                ]
        return fixed, random

    first = model.equations[0]
    fixed: list[Summand] = []
    random: list[Summand] = []
    for s in first.sum:
        if s.symbol in ("e", ""):
            random.append(s)
            continue
        a, b = put_in(s)
        fixed += a
        random += b
    left = w.sum([first.lhs]) if w.gaussian else w.linked()
    rows = [("", f"{left} =", w.sum([*fixed, *random]))]
    return rows + w.distributions(model)
