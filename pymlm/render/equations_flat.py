"""Equations of what is no hierarchy: crossed factors, memberships, nonlinear, one a group."""

from __future__ import annotations

from pymlm.names import split_names
from pymlm.render.equations import LETTERS, Summand, Writer

Row = tuple[str, str, str]


def combined(w: Writer) -> list[Row]:
    """One equation with the effects of all factors."""
    p, row = w.p, "i"
    fixed = [
        Summand("beta", str(k), tuple((v, row) for v in _variables(t)), float(b))
        for k, (t, b) in enumerate(zip(p.term, p.estimate, strict=True))
    ]
    text = w.sum(fixed)
    number = _one_after_the_other(w)
    for at, (group, terms) in enumerate(zip(p.random_group, p.random_term, strict=True)):
        for k, t in enumerate(terms):
            one = effect(w, group, f"{number[at, k]}{_letter(w, group)}[{row}]")
            text += " + " + _times(w, one, [w.variable(v, row) for v in _variables(t)])
    if p.has_offset:
        text += f" + {w.variable('offset', row)}"
    left = w.variable(p.response, row) if w.gaussian else w.linked().replace(w.index(1), row)
    if w.gaussian:
        text += f" + {w.symbol('e', row)}"
    where = _distribution_of_rows(w, row) + _distributions(w, number)
    for at, (group, terms) in enumerate(zip(p.random_group, p.random_term, strict=True)):
        j = _letter(w, group)
        for k in range(len(terms) if group in p.membership else 0):
            own = f"{number[at, k]}{j}"
            whole = effect(w, group, f"{own}[{row}]")
            where.append(("where", f"{whole} =", _weighted(w, group, own, row)))
    return [("", f"{left} =", text), *where]


def by_level(w: Writer) -> list[Row]:
    """All factors side by side at level 2: y_i(jk), β_0(jk); i alone with memberships."""
    p = w.p
    units = "" if p.membership else f"({''.join(_letter(w, g) for g in p.group)})"
    row, above = f"i{units}", units or "i"
    of = {t: g for t, g in zip(p.term, p.within, strict=True) if g}
    columns: dict[tuple[str, ...], list[str]] = {(): []}

    def parts(term: str) -> tuple[tuple[str, ...], list[str]]:
        """Variables of level 1, and those that are constant within a factor."""
        names = _variables(term)
        if term in of:
            return (), list(names)
        higher = [v for v in names if v in of]
        return tuple(v for v in names if v not in of), higher

    for t, b in zip(p.term, p.estimate, strict=True):
        key, higher = parts(t)
        own = columns.setdefault(key, [])
        subscript = f"{list(columns).index(key)}{len(own)}"
        variables = tuple((v, _letter(w, of.get(v) or of[t])) for v in higher)
        own.append(w.summand(Summand("gamma", subscript, variables, float(b)), not own))
    number: dict[tuple[int, int], str] = {}  # an effect bears the number of its coefficient
    for at, (group, terms) in enumerate(zip(p.random_group, p.random_term, strict=True)):
        for k, t in enumerate(terms):
            key, higher = parts(t)
            own = columns.setdefault(key, [])
            j = _letter(w, group)
            number[at, k] = f"{list(columns).index(key)}{k if higher else ''}"
            one = effect(w, group, f"{number[at, k]}{j}")
            if group in p.membership:
                one = _weighted(w, group, f"{number[at, k]}{j}", "i")
            text = _times(w, one, [w.variable(v, _letter(w, of.get(v) or of[t])) for v in higher])
            own.append(f"+ {text}" if own else text)
    used = {key: sums for key, sums in columns.items() if sums}
    first = [
        Summand("beta", f"{list(columns).index(key)}{above}", tuple((v, row) for v in key))
        for key in used
    ]
    if p.has_offset:
        first.append(Summand("", "", (("offset", row),)))
    if w.gaussian:
        first.append(Summand("e", row))
    left = w.variable(p.response, row) if w.gaussian else w.linked().replace(w.index(1), row)
    rows = [("Level 1", f"{left} =", w.sum(first))]
    for key, sums in used.items():
        beta = w.symbol("beta", f"{list(columns).index(key)}{above}")
        rows.append(("Level 2", f"{beta} =", " ".join(sums)))
    return rows + _distribution_of_rows(w, row) + _distributions(w, number)


def nonlinear(w: Writer) -> list[Row]:
    """The function, and an equation for each of its parameters."""
    p = w.p
    units = "".join(_letter(w, g) for g in p.group)
    row = f"i{units}"
    e = w.symbol("e", row)
    y = w.variable(p.response, row)
    rows = [("Level 1", f"{y} =", f"{w.name(p.function or 'f')} + {e}")]
    number = {}  # an effect bears the number of its parameter
    for q, (t, b) in enumerate(zip(p.term, p.estimate, strict=True)):
        sums = [w.summand(Summand("gamma", str(q), (), float(b)), True)]
        for at, (group, terms) in enumerate(zip(p.random_group, p.random_term, strict=True)):
            if t in terms:
                number[at, terms.index(t)] = str(q)
                sums.append(f"+ {effect(w, group, f'{q}{_letter(w, group)}')}")
        rows.append(("Level 2", f"{w.variable(t, units)} =", " ".join(sums)))
    return [*rows, *_distribution_of_rows(w, row), *_distributions(w, number)]


def separate(w: Writer) -> list[Row]:
    """A model of its own for every group: coefficients with its index, and no distribution."""
    p = w.p
    sums = [
        Summand("beta", f"{k}j", tuple((v, "ij") for v in _variables(t)))
        for k, t in enumerate(p.term)
    ]
    if w.gaussian:
        sums.append(Summand("e", "ij"))
    mu = w.symbol("mu", "ij")
    left = w.variable(p.response, "ij") if w.gaussian else f"{w.name(p.link)}({mu})"
    each = f"for each {w.p.group[0]} j" if p.group else ""
    return [(each, f"{left} =", w.sum(sums)), *_distribution_of_rows(w, "ij")]


def _one_after_the_other(w: Writer) -> dict[tuple[int, int], str]:
    """Number the effects of each factor, whose terms may be several: (1 | g) + (0 + x | g)."""
    number: dict[tuple[int, int], str] = {}
    met: dict[str, int] = {}
    for at, (group, terms) in enumerate(zip(w.p.random_group, w.p.random_term, strict=True)):
        for k in range(len(terms)):
            number[at, k] = str(met.get(group, 0))
            met[group] = met.get(group, 0) + 1
    return number


def _variables(term: str) -> list[str]:
    return [] if term == "(Intercept)" else split_names(term)


def _letter(w: Writer, group: str) -> str:
    return LETTERS[1 + w.p.group.index(group)]


def _times(w: Writer, one: str, variables: list[str]) -> str:
    return (r"\," if w.latex else " ").join([one, *variables])


def _weighted(w: Writer, group: str, subscript: str, row: str) -> str:
    """What the units of a row add up to."""
    j = _letter(w, group)
    over = rf"\sum_{j} w_{{{row}{j}}} " if w.latex else f"Σ_{j} w_{row}{j} "
    return over + effect(w, group, subscript)


def effect(w: Writer, group: str, subscript: str) -> str:
    """Return a random effect, with its factor's name where there are several."""
    if len(w.p.group) == 1:
        return w.symbol("u", subscript)
    if w.latex:
        return rf"u^{{({w.name(group)})}}_{{{subscript}}}"
    return f"u({w.name(group)})_{subscript}"


def _distribution_of_rows(w: Writer, row: str) -> list[Row]:
    if w.gaussian:
        return w.residuals(row)
    return [w.outcome(row)]


def _distributions(w: Writer, number: dict[tuple[int, int], str]) -> list[Row]:
    """Of the random effects of every term: Σ of its factor, or the numbers."""
    rows = []
    for at, (group, terms) in enumerate(zip(w.p.random_group, w.p.random_term, strict=True)):
        j = _letter(w, group)
        effects = [effect(w, group, f"{number[at, k]}{j}") for k in range(len(terms))]
        if w.digits is None:
            spread = rf"\Sigma_{{{w.name(group)}}}" if w.latex else f"Σ_{w.name(group)}"
        else:
            V = w.p.covariance[at]
            cells = [[w.number(float(x)) for x in line] for line in V]
            spread = cells[0][0] if len(cells) == 1 else w.matrix(cells)
        rows.append(("where", f"{w.vector(effects)} {w.tilde}", w.normal("0", spread)))
    return rows
