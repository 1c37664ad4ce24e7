"""The equations of a fitted mixed model."""

from __future__ import annotations

from typing import Any

from pymlm.arguments import strict
from pymlm.errors import ArgumentError
from pymlm.escape import html_block
from pymlm.render.equations import LETTERS, Form, Format, Summand, Writer
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


@strict
def equations(
    m: Any,
    form: Form = "levels",
    format: Format = "text",
    estimates: bool = False,
    digits: int = 3,
) -> EquationText:
    """Write a fitted mixed model as equations.

    Parameters
    ----------
    m : LinearMixedModel or GeneralizedLinearMixedModel
    form : {"levels", "combined", "distribution"}
        An equation for every level and coefficient; all put into one; or as normal distributions
        y ~ N(…, σ²), β ~ N(…, τ²).
    format : {"text", "latex"}
        LaTeX is an ``aligned`` environment, to stand in mathematics mode.
    estimates : bool
        Numbers instead of the symbols of the fixed effects.
    digits : int
        Decimals of these numbers.

    Returns
    -------
    str

    Raises
    ------
    NotSupportedError
        "levels" and "distribution" for crossed or multiple-membership factors, which are no
        hierarchy.

    Notes
    -----
    Symbols as in Hoffman's and Cole's lectures: γ fixed effects, u random effects (r and u with
    three levels), e residual, τ² and σ² variances; i rows, j and k units. Products of predictors at
    two levels become cross-level interactions.

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
    parts: EquationParts = m._ask("equation", EquationParts)
    w = Writer(parts, format, digits if estimates else None)
    if form == "levels":
        rows = w.by_level()
    elif form == "distribution":
        rows = _distribution(w)
    else:
        rows = _combined(w)
    return EquationLatex(_latex(rows)) if format == "latex" else EquationText(_text(rows))


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
        variance = w.sigma2() if last.symbol == "e" else w.covariance([last])
        out.append((label, f"{w.sum([e.lhs])} {w.tilde}", w.normal(mean, variance)))
    joint = [row for row in w.distributions(model)[1:] if "(" in row[1] or "pmatrix" in row[1]]
    if not w.gaussian:
        joint = w.distributions(model)[:1] + joint
    return out + joint


def _combined(w: Writer) -> list[tuple[str, str, str]]:
    """One equation; works for crossed factors and multiple membership, too."""
    p = w.p
    nested = p.nested and not p.membership and w.depth <= 4
    if nested:
        try:
            return _collapsed(w)
        except Exception as error:  # a random slope of a higher level's predictor: fall through
            if type(error).__name__ != "NotSupportedError":
                raise
    row = "i"
    fixed = [
        Summand("beta", str(k), tuple((v, row) for v in t.split(":")) if t != "(Intercept)" else (),
                float(b))
        for k, (t, b) in enumerate(zip(p.term, p.estimate, strict=True))
    ]  # fmt: skip
    text = w.sum(fixed)
    where: list[tuple[str, str, str]] = []
    for group, terms in zip(p.random_group, p.random_term, strict=True):
        letter = LETTERS[1 + p.group.index(group)]
        effects = []
        for k, t in enumerate(terms):
            name = _effect(w, group, f"{k}{letter}")
            at = f"{k}{letter}[{row}]"
            x = [] if t == "(Intercept)" else [w.variable(v, row) for v in t.split(":")]
            one = _effect(w, group, at)
            text += " + " + (r"\," if w.latex else " ").join([one, *x])
            effects.append(name)
        matrix = rf"\Sigma_{{{w.name(group)}}}" if w.latex else f"Σ_{w.name(group)}"
        where.append(("where", f"{w.vector(effects)} {w.tilde}", w.normal("0", matrix)))
    for group, terms in zip(p.random_group, p.random_term, strict=True):
        j = LETTERS[1 + p.group.index(group)]
        over = rf"\sum_{j} w_{{{row}{j}}} " if w.latex else f"Σ_{j} w_{row}{j} "
        for k in range(len(terms) if group in p.membership else 0):
            whole = _effect(w, group, f"{k}{j}[{row}]")
            where.append(("where", f"{whole} =", over + _effect(w, group, f"{k}{j}")))
    if p.has_offset:
        text += f" + {w.variable('offset', row)}"
    left = w.variable(p.response, row) if w.gaussian else w.linked().replace(w.index(1), row)
    if w.gaussian:
        text += f" + {w.symbol('e', row)}"
        where.insert(0, ("where", f"{w.symbol('e', row)} {w.tilde}", w.normal("0", w.sigma2())))
    return [("", f"{left} =", text), *where]


def _effect(w: Writer, group: str, subscript: str) -> str:
    if len(w.p.group) == 1:
        return w.symbol("u", subscript)
    if w.latex:
        return rf"u^{{({w.name(group)})}}_{{{subscript}}}"
    return f"u({w.name(group)})_{subscript}"


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
