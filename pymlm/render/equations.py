"""A mixed model as equations: by level, combined, as distributions; LaTeX and plain text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pymlm.errors import NotSupportedError
from pymlm.escape import latex_math, plain
from pymlm.names import split_names, unquoted
from pymlm.results.equations import EquationParts

Form = Literal["levels", "combined", "distribution", "reduced", "mixed"]
Format = Literal["latex", "text", "markdown"]

#: Index of rows, then of the units of each level.
LETTERS = "ijklmnop"
GREEK = {"beta": "β", "gamma": "γ", "pi": "π", "delta": "δ", "sigma": "σ", "tau": "τ", "mu": "μ",
         "eta": "η", "sum": "Σ"}  # fmt: skip
#: Symbols of the coefficients, lowest level first; the last are the fixed effects.
SYMBOLS = {1: ("beta",), 2: ("beta", "gamma"), 3: ("pi", "beta", "gamma"),
           4: ("delta", "pi", "beta", "gamma")}  # fmt: skip
#: Symbols of the random effects of levels 2, 3, 4.
RANDOM = {2: ("u",), 3: ("r", "u"), 4: ("s", "r", "u")}


@dataclass(frozen=True, slots=True)
class Term:
    """One coefficient's variables, sorted by level; a fixed effect has its estimate."""

    parts: tuple[tuple[str, ...], ...]
    estimate: float | None = None


@dataclass(frozen=True, slots=True)
class Summand:
    """A coefficient (symbol or number) times variables; the variables carry subscripts."""

    symbol: str
    subscript: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    number: float | None = None


@dataclass(frozen=True, slots=True)
class Equation:
    """lhs = sum of summands, at a level."""

    level: int
    lhs: Summand
    sum: tuple[Summand, ...]


@dataclass(slots=True)
class Model:
    """Equations of every level, and the random effects that occur, by level."""

    equations: list[Equation] = field(default_factory=list)
    random: dict[int, list[Summand]] = field(default_factory=dict)


class Writer:
    """Writes the equations of one model in one format."""

    def __init__(self, p: EquationParts, format: Format, digits: int | None) -> None:
        self.p = p
        self.latex = format != "text"
        self.digits = digits
        self.depth = 1 + len(p.group)
        self.gaussian = p.family == "gaussian" and p.link == "identity"
        self.known = dict(zip(p.term, (int(x) for x in p.level), strict=True))
        #: Symbol and subscript of a random effect -> its term, and its place in that.
        self.place: dict[tuple[str, str], tuple[int, int]] = {}

    # --- pieces ------------------------------------------------------------------------------

    def symbol(self, name: str, subscript: str) -> str:
        if self.latex:
            shown = "\\" + name if name in GREEK else name
            return f"{shown}_{{{subscript}}}" if subscript else shown
        shown = GREEK.get(name, name)
        return f"{shown}_{subscript}" if subscript else shown

    def variable(self, name: str, subscript: str) -> str:
        if self.latex:
            return f"{self.name(name)}_{{{subscript}}}"
        return f"{self.name(name)}_{subscript}"

    def name(self, name: str) -> str:
        """A name of the user's, upright in LaTeX; backticks are R's, not the name's."""
        return latex_math(unquoted(name)) if self.latex else plain(name)

    def summand(self, s: Summand, first: bool) -> str:
        variables = [self.variable(n, i) for n, i in s.variables]
        glue = r"\," if self.latex else " "
        if s.number is not None and self.digits is not None:
            size = self.number(abs(s.number))
            sign = "-" if s.number < 0 else "" if first else "+"
            body = glue.join([size, *variables])
            return f"{sign}{body}" if first else f"{sign} {body}"
        lead = [self.symbol(s.symbol, s.subscript)] if s.symbol else []
        body = glue.join([*lead, *variables])
        return body if first else f"+ {body}"

    def number(self, value: float) -> str:
        return f"{value:.{self.digits}f}"

    def sum(self, summands: Sequence[Summand]) -> str:
        if not summands:
            return "0"
        return " ".join(self.summand(s, i == 0) for i, s in enumerate(summands))

    def index(self, level: int) -> str:
        """Subscript of a variable of this level: ij for level 1 of 2, j for level 2."""
        return LETTERS[level - 1 : self.depth]

    def hierarchy(self) -> bool:
        """Whether the levels are a hierarchy that `build` can write."""
        try:
            self.build()
        except NotSupportedError:
            return False
        return True

    # --- the tree of coefficients ----------------------------------------------------------------

    def split(self, term: str) -> tuple[tuple[str, ...], ...]:
        """Variables of a coefficient by level; a product of levels is taken apart."""
        out: list[list[str]] = [[] for _ in range(self.depth)]
        if term == "(Intercept)":
            return tuple(() for _ in out)
        parts = split_names(term)
        own = self.known.get(term, 1)
        if all(part in self.known for part in parts):
            for part in parts:
                out[self.known[part] - 1].append(part)
        elif any(self.known.get(part, own) > own for part in parts):
            for part in parts:
                out[self.known.get(part, own) - 1].append(part)
        else:
            out[own - 1] = parts
        return tuple(tuple(x) for x in out)

    def build(self) -> Model:
        p = self.p
        if not p.nested or p.membership:
            raise NotSupportedError(
                "the levels of crossed or multiple-membership factors are no hierarchy: use "
                "form='levels' or 'combined'"
            )
        if self.depth > max(SYMBOLS):
            raise NotSupportedError(f"{self.depth} levels; use form='combined'")
        fixed = [Term(self.split(t), float(b)) for t, b in zip(p.term, p.estimate, strict=True)]
        random: dict[int, list[tuple[tuple[str, ...], ...]]] = {}
        self.order: dict[tuple[int, tuple[tuple[str, ...], ...]], tuple[int, int]] = {}
        for at, (group, terms) in enumerate(zip(p.random_group, p.random_term, strict=True)):
            level = p.group.index(group) + 2
            for k, t in enumerate(terms):
                parts = self.split(t)
                self.order[level, parts] = at, k
                if any(parts[k] for k in range(level - 1, self.depth)):
                    raise NotSupportedError(
                        f"{t!r} does not vary within {group!r}: its random slope has no place in "
                        "an equation by level; use form='combined'"
                    )
                random.setdefault(level, []).append(parts)
        model = Model()
        self._expand(model, 1, (), "", fixed, random)
        model.equations.sort(key=lambda e: e.level)
        return model

    def _expand(
        self, model: Model, level: int, path: tuple[tuple[str, ...], ...], digits: str,
        fixed: list[Term], random: dict[int, list[tuple[tuple[str, ...], ...]]],
    ) -> None:  # fmt: skip
        """Write the equation of the coefficient reached by `path`, then those it leads to."""
        k = level - 1
        here = [t for t in fixed if t.parts[:k] == path]
        above = {lv: [r for r in rs if r[:k] == path] for lv, rs in random.items() if lv > level}
        own = [()] + [t.parts[k] for t in here] + [r[k] for rs in above.values() for r in rs]
        columns = list(dict.fromkeys(own))
        if () not in {t.parts[k] for t in here} | {r[k] for rs in above.values() for r in rs}:
            columns.remove(())
        symbols = SYMBOLS[self.depth]
        last = level == self.depth
        summands = []
        for q, variables in enumerate(columns):
            number = q if () in columns else q + 1
            sub = f"{digits}{number}"
            value = next((t.estimate for t in here if t.parts[k] == variables), None)
            summands.append(Summand(
                symbols[k], sub + LETTERS[level : self.depth],
                tuple((v, self.index(level)) for v in variables), value if last else None,
            ))  # fmt: skip
        if level == 1:
            lhs = Summand("", "", ((self.p.response, self.index(1)),))
            if self.p.has_offset:
                summands.append(Summand("", "", (("offset", self.index(1)),)))
            if self.gaussian:
                summands.append(Summand("e", self.index(1)))
        else:
            lhs = Summand(symbols[k - 1], digits + LETTERS[k : self.depth])
            if path + ((),) * (self.depth - k) in [
                r + ((),) * (self.depth - len(r)) for r in random.get(level, [])
            ]:
                u = Summand(RANDOM[self.depth][level - 2], digits + LETTERS[k : self.depth])
                summands.append(u)
                model.random.setdefault(level, []).append(u)
                whole = path + ((),) * (self.depth - k)
                self.place[u.symbol, u.subscript] = self.order[level, whole]
        model.equations.append(Equation(level, lhs, tuple(summands)))
        if not last:
            for q, variables in enumerate(columns):
                number = q if () in columns else q + 1
                self._expand(model, level + 1, (*path, variables), f"{digits}{number}", fixed,
                             random)  # fmt: skip

    # --- forms -----------------------------------------------------------------------------------

    def by_level(self) -> list[tuple[str, str, str]]:
        """(label, left, right) of every equation, then of the distributions."""
        model = self.build()
        rows = []
        for e in model.equations:
            left = self.sum([e.lhs]) if e.level > 1 or self.gaussian else self.linked()
            rows.append((f"Level {e.level}", f"{left} =", self.sum(e.sum)))
        return rows + self.distributions(model)

    def linked(self) -> str:
        link = self.name(self.p.link)
        mu = self.symbol("mu", self.index(1))
        return mu if self.p.link == "identity" else f"{link}({mu})"

    def distributions(self, model: Model) -> list[tuple[str, str, str]]:
        rows = []
        if self.gaussian:
            rows += self.residuals(self.index(1))
        else:
            rows.append(self.outcome(self.index(1)))
        for effects in model.random.values():
            names = [self.symbol(u.symbol, u.subscript) for u in effects]
            rows.append(("where", f"{self.vector(names)} {self.tilde}",
                         self.normal("0", self.covariance(effects))))  # fmt: skip
        return rows

    def outcome(self, index: str) -> tuple[str, str, str]:
        """The distribution of a generalized model's response around its mean."""
        mu = self.symbol("mu", index)
        if self.p.family == "gaussian":
            around = self.normal(mu, self.sigma2())
        else:
            around = f"{self.name(self.p.family.split('(')[0])}({mu})"
        return "where", f"{self.variable(self.p.response, index)} {self.tilde}", around

    def residuals(self, index: str) -> list[tuple[str, str, str]]:
        """The distribution of the residuals: independent, or a structure of nlme's."""
        if self.p.residual:
            return [("where", f"e {self.tilde}", self.normal("0", self.residual_variance(index))),
                    *self.structures()]  # fmt: skip
        e = self.symbol("e", index)
        return [("where", f"{e} {self.tilde}", self.normal("0", self.residual_variance(index)))]

    def residual_variance(self, index: str) -> str:
        """σ² of a row, over its weight; of nlme's structures σ² Λ, of all rows together."""
        if self.p.residual:
            return self.sigma2() + (r"\Lambda" if self.latex else " Λ")
        return self.sigma2() + (f"/{self.symbol('w', index)}" if self.p.weighted else "")

    def structures(self) -> list[tuple[str, str, str]]:
        """What Λ is: a correlation, ratios V of standard deviations, or both (Λ = V C V)."""
        name = r"\Lambda" if self.latex else "Λ"
        if self.p.residual_part == ("C",):
            return [("where", f"{name} =", self.name(self.p.residual[0]))]
        whole = "V C V" if "C" in self.p.residual_part else "V V"
        parts = zip(self.p.residual_part, self.p.residual, strict=True)
        rows = [("where", f"{part} =", self.name(text)) for part, text in parts]
        return [("where", f"{name} =", whole), *rows] if rows else []

    @property
    def tilde(self) -> str:
        return r"\sim" if self.latex else "~"

    def sigma2(self) -> str:
        if self.digits is not None and not math.isnan(self.p.sigma2):
            return self.number(self.p.sigma2)
        return r"\sigma_e^2" if self.latex else "σ²_e"

    def normal(self, mean: str, variance: str) -> str:
        name = r"\mathcal{N}" if self.latex else "N"
        return f"{name}({mean}, {variance})"

    def vector(self, names: list[str]) -> str:
        if len(names) == 1:
            return names[0]
        if self.latex:
            return r"\begin{pmatrix} " + r" \\ ".join(names) + r" \end{pmatrix}"
        return "(" + ", ".join(names) + ")"

    def covariance(self, effects: list[Summand]) -> str:
        """τ² of one effect, else the matrix; 0 where the model has no covariance."""
        n = len(effects)
        if n == 1:
            return self._tau(0, 0, effects)
        cells = [[self._tau(a, b, effects) for b in range(n)] for a in range(n)]
        return self.matrix(cells)

    def matrix(self, cells: list[list[str]]) -> str:
        if self.latex:
            rows = r" \\ ".join(" & ".join(r) for r in cells)
            return rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}"
        lower = [", ".join(r[: i + 1]) for i, r in enumerate(cells)]
        return "[" + "; ".join(lower) + "]"

    def _tau(self, a: int, b: int, effects: list[Summand]) -> str:
        """Of two effects: they covary in one term of the formula, if its structure has that."""
        (term, row), (other, column) = (
            self.place[effects[k].symbol, effects[k].subscript] for k in (a, b)
        )
        if a != b and (term != other or self.p.random_structure[term] == "diag"):
            return "0"
        if self.digits is not None:
            return self.number(float(self.p.covariance[term][row, column]))
        strip = str.maketrans("", "", LETTERS)
        i, j = sorted((effects[a].subscript.translate(strip),
                       effects[b].subscript.translate(strip)))  # fmt: skip
        which = "" if self.depth == 2 else f",{effects[a].symbol}"
        if a == b:
            return rf"\tau_{{{i}{which}}}^2" if self.latex else f"τ²_{i}{which}"
        return rf"\tau_{{{i}{j}{which}}}" if self.latex else f"τ_{i}{j}{which}"
