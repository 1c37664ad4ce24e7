"""Names that are code, patterns or words of R's: models whose every name is one of them."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import pymlm as mlm
from pymlm.formula import quoted
from tests.state.questions import FIXED_PART, Question, is_member, questions

NAMES = (
    "a`b", "a|b", "a~b", "a:b", "a\tb", "a\nb", "a\\b", "ab\\", "a'b\"c", "a$b", "a{b}", "a%b%",
    "a&b<c>", " a  b ", "größe β", "if", "TRUE", "T", "pi", "NA", ".x", "2nd", "a - b + c*d",
    "I(x)", "function", "(Intercept)", "a^2", "a#b", "a=b", "a,b", "`ab`", "log(x)", "Residual",
    "fitted", "data", "model", "weights", "a[1]", "a/b", "a;b", "a@b", "_a", "formula", "NULL",
    "value", "%in%", "1e5", "a\x07b", "a\r\nb", "c", "offset",
)  # fmt: skip
ROLES = ("y", "x", "f", "g", "h", "o", "w")


@dataclass(frozen=True)
class Names:
    """The columns of a data set, and the ends of the levels of its factors f, g and h.

    Plain ones stand in no other word of an answer, so that `renamed` finds them there.
    """

    y: str = "yyq"
    x: str = "xxq"
    f: str = "ffq"
    g: str = "ggq"
    h: str = "hhq"
    o: str = "ooq"
    w: str = "wwq"
    levels: tuple[str, ...] = ("zaq", "zbq", "zcq", "zdq", "zeq")

    def __call__(self, formula: str) -> str:
        """A formula with these names for {y}, {x} ..."""
        return formula.format(**{role: quoted(getattr(self, role)) for role in ROLES})

    def factor(self, role: str, codes: Any, n: int) -> pd.Categorical:
        """Levels sort as plain ones do; those of f begin with what is hostile."""
        stems = (self.levels * n)[:n]
        made = [f"{'' if role == 'f' else role}{i:02}{s}" for i, s in enumerate(stems)]
        if role == "f":
            made = [f"{s}{m}" for s, m in zip(stems, made, strict=True)]
        return pd.Categorical.from_codes(codes, made)


PLAIN = Names()


def hostile(k: int) -> Names:
    """Another choice of names for every k; neighbours of a list have different kinds of marks."""
    chosen = [NAMES[(k + i * 7) % len(NAMES)] for i in range(len(ROLES))]
    levels = tuple(NAMES[(k + 3 + i * 5) % len(NAMES)] for i in range(5))
    return Names(*chosen, levels=levels)


def frame(n: Names, response: str = "normal") -> pd.DataFrame:
    """96 rows in 12 groups with 3 subgroups; the same numbers under any names."""
    rng = np.random.default_rng(11)
    g = np.repeat(np.arange(12), 8)
    h = np.tile([0, 1, 2, 2, 1, 1, 0, 0], 12)
    x, offset = rng.normal(size=96), rng.normal(scale=0.3, size=96)
    eta = 0.4 + 0.5 * x + rng.normal(scale=0.7, size=12)[g]
    noise = rng.normal(scale=0.8, size=12)[g] * x + rng.normal(scale=0.6, size=36)[3 * g + h]
    responses = {
        "normal": eta + rng.normal(size=96) + noise,
        "count": rng.poisson(np.exp(eta + offset)),
    }
    responses["hits"] = rng.binomial(9, 1 / (1 + np.exp(-eta)))
    responses["share"] = responses["hits"] / 9
    misses = {n.o: 9 - responses["hits"]} if response == "hits" else {}
    sizes = {n.w: 9.0} if response == "share" else {}
    return pd.DataFrame(
        {
            n.y: responses[response], n.x: x, n.f: n.factor("f", np.tile([0, 1, 2, 0], 24), 3),
            n.g: n.factor("g", g, 12), n.h: n.factor("h", h, 3), n.o: offset,
            n.w: np.tile([1.0, 2.0, 3.0, 2.0], 24), "second": n.factor("g", (g + 1) % 12, 12),
            **misses, **sizes,
        }
    )  # fmt: skip


Fit = Callable[[pd.DataFrame, Names], Any]


def _member(d: pd.DataFrame, n: Names) -> Any:
    units = {n.h: ([n.g, "second"], None)}
    return mlm.multiple_membership(n("{y} ~ {f} + {x} + (1 | {h})"), d.drop(columns=n.h), units)


#: Name -> the response, and the fit.
MODELS: dict[str, tuple[str, Fit]] = {
    "lmer": ("normal", lambda d, n: mlm.lmer(n("{y} ~ {f} * {x} + ({x} | {g})"), d)),
    "nested": (
        "normal",
        lambda d, n: mlm.lmer(n("{y} ~ {f} + {x} + (1 | {g}/{h})"), d, weights=n.w),
    ),
    "bars": ("normal", lambda d, n: mlm.lmer(n("{y} ~ {f} + {x} + ({x} || {g})"), d)),
    "poisson": (
        "count",
        lambda d, n: mlm.glmer(n("{y} ~ {f} + {x} + (1 | {g})"), d, family="poisson", offset=n.o),
    ),
    "pair": (
        "hits",
        lambda d, n: mlm.glmer(n("cbind({y}, {o}) ~ {f} + {x} + (1 | {g})"), d, family="binomial"),
    ),
    "share": (
        "share",
        lambda d, n: mlm.glmer(n("{y} ~ {f} + {x} + (1 | {g})"), d, family="binomial", weights=n.w),
    ),
    "lm": (
        "normal",
        lambda d, n: mlm.lm(n("{y} ~ {f} * {x} + offset({o})"), d, weights=n.w),
    ),
    "glm": (
        "count",
        lambda d, n: mlm.glm(n("{y} ~ {f} + {x} + I({x}^2)"), d, family="poisson", offset=n.o),
    ),
    "lme": ("normal", lambda d, n: mlm.lme(n("{y} ~ {f} + {x}"), d, random=n("~ {x} | {g}"))),
    "gls": (
        "normal",
        lambda d, n: mlm.gls(n("{y} ~ {f} + {x}"), d, correlation="cs", group=n.g),
    ),
    "lm_list": ("normal", lambda d, n: mlm.lm_list(n("{y} ~ {x} | {g}"), d)),
    "membership": ("normal", _member),
}


#: Whose own methods "lmer" answers for.
IN_PART = ("nested", "bars")


def asked(model: Any, n: Names, whole: bool = True) -> dict[str, Question]:
    """Every public method with these names, and functions of the package that take a model."""
    fixed = FIXED_PART if is_member(model) else {}
    rows = frame(n).iloc[:5]
    group = next(iter(getattr(model, "ngroups", {})), None)
    at = {n.x: [0.0, 1.0]}
    without_f = n(". ~ . - {f} - {f}:{x}")
    methods: dict[str, Question] = {
        "emmeans": lambda m: m.emmeans(n.f),
        "cld": lambda m: m.cld(n.f),
        "eff_size": lambda m: m.eff_size(n.f, sigma=1.0, edf=40),
        "emtrends": lambda m: m.emtrends(n.f, var=n.x),
        "influence": lambda m: m.influence(groups=group),
        "residual_covariance": lambda m: m.residual_covariance(frame(n)[n.g].cat.categories[3]),
        "check": lambda m: m.check("heteroscedasticity"),
        "emmeans at": lambda m: m.emmeans(n.x, by=n.f, at=at, contrast="pairwise"),
        "emmeans formula": lambda m: m.emmeans(n("~ {x} | {f}"), at=at),
        "contest text": lambda m: m.contest(n("2*{x} - 1 = {x}")),
        "avg_comparisons of": lambda m: m.avg_comparisons(n.f, **fixed),
        "avg_slopes of": lambda m: m.avg_slopes(n.x, **fixed),
        "avg_predictions by": lambda m: m.avg_predictions(by=n.f, **fixed),
        "predict rows": lambda m: m.predict(rows),
        "predict part": lambda m: m.predict(rows, re_form=n("~ (1 | {g})")),
        "predict interval": lambda m: m.predict(rows, interval="confidence"),
        "simulate part": lambda m: m.simulate(re_form=n("~ (1 | {g})"), seed=1),
        "update": lambda m: m.update(without_f).fixef(),
        "update weights": lambda m: m.update(weights=n.w).fixef(),
    }
    methods = {k: v for k, v in methods.items() if hasattr(model, k.split()[0])}
    refitted: dict[str, Question] = {
        "anova of two": lambda m: mlm.anova(m, m.update(without_f)),
        "pseudo_r2": lambda m: mlm.pseudo_r2(m.update(without_f), m),
        "kr_modcomp": lambda m: mlm.kr_modcomp(m, m.update(without_f)),
        "sat_modcomp": lambda m: mlm.sat_modcomp(m, m.update(without_f)),
    }
    functions: dict[str, Question] = {
        "cluster_robust": lambda m: mlm.cluster_robust(m, by=n.g),
        "pickle": lambda m: pickle.loads(pickle.dumps(m)).fixef(),
        "r2_decomposition": lambda m: mlm.r2_decomposition(m, by=n.g),
        "effect_types": lambda m: mlm.effect_types(m, by=n.g),
        "variance_function": lambda m: mlm.variance_function(m, n.x),
        "implied_covariance": lambda m: mlm.implied_covariance(m, rows=[0, 1]),
        "group_lines": lambda m: mlm.group_lines(m, n.x),
        "group_lines by": lambda m: mlm.group_lines(m, n.x, by=group),
        "prediction_lines": lambda m: mlm.prediction_lines(m, n.x),
        "simple_slopes": lambda m: mlm.simple_slopes(m, n.x, n.x),
    }
    of_a_model = (
        "icc", "r2", "total_r2", "check_assumptions", "variance_partition", "effect_sizes",
        "equations", "regression_table", "shrinkage", "information_criteria", "ddf_table",
    )  # fmt: skip
    functions |= {f: lambda m, f=f: getattr(mlm, f)(m) for f in of_a_model}
    voices = ("stata", "sas", "spss", "mplus")
    functions |= {f"render {v}": lambda m, v=v: mlm.render(m, v) for v in voices}
    own = questions(model) if whole else {}
    return own | methods | (refitted if hasattr(model, "update") else {}) | functions


#: Functions of data, by the names that they take.
OF_DATA: dict[str, Callable[[pd.DataFrame, Names], Any]] = {
    "pooling": lambda d, n: mlm.pooling(n("{y} ~ {x}"), d, by=n.g),
    "residuals_by_group": lambda d, n: mlm.residuals_by_group(n("{y} ~ {x}"), d, by=n.g),
    "within_between_lines": lambda d, n: mlm.within_between_lines(d, n.y, n.x, by=n.g),
    "within_between": lambda d, n: mlm.within_between(n("{y} ~ {x} + (1 | {g})"), d, n.x, by=n.g),
    "effect_types": lambda d, n: mlm.effect_types(n("{y} ~ {x} + ({x} | {g})"), d),
    "aggregate": lambda d, n: mlm.aggregate(d, by=n.g),
    "one_per_group": lambda d, n: mlm.one_per_group(d, by=n.g, seed=1),
    "panel": lambda d, n: mlm.panel(n("{y} ~ {x}"), d, by=n.g),
    "panel random": lambda d, n: mlm.panel(n("{y} ~ {x} + {f}"), d, by=n.g, model="random"),
    "hausman": lambda d, n: mlm.hausman(n("{y} ~ {x}"), d, by=n.g),
    "gee": lambda d, n: mlm.gee(n("{y} ~ {x} + {f}"), d, by=n.g),
    "center": lambda d, n: mlm.center(d, n.x, by=n.g),
    "compare_alternatives": lambda d, n: mlm.compare_alternatives(
        n("{y} ~ {x} + {f}"), d, by=n.g, seed=1
    ),
    "icc_of": lambda d, n: mlm.icc_of(d, [n.y, n.x], by=n.g),
    "describe_levels": lambda d, n: mlm.describe_levels(d, [n.g]),
    "fit_many": lambda d, n: mlm.fit_many(
        n("~ {f} + {x} + (1 | {g})"), d, responses=[n.y], progress=False
    ),
}
