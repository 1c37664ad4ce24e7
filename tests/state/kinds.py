"""The models of the table: for each class data, a fit, and the numbers of another response."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import pymlm as mlm


def grouped() -> pd.DataFrame:
    """96 rows in 12 groups; responses of every kind for the same x, f and offset."""
    rng = np.random.default_rng(11)
    g = np.repeat(np.arange(12), 8)
    d = pd.DataFrame(
        {
            "g": pd.Categorical([f"g{i:02}" for i in g]),
            "x": rng.normal(size=96),
            "f": pd.Categorical(np.tile(list("abca"), 24)),
            "off": rng.normal(scale=0.3, size=96),
            "second": pd.Categorical([f"g{i:02}" for i in (g + 1) % 12]),
        }
    )
    eta = 0.4 + 0.5 * d.x + rng.normal(scale=0.7, size=12)[g]
    d["normal"], d["normal2"] = eta + rng.normal(size=96), 3 - eta + rng.normal(size=96)
    d["size"] = rng.integers(4, 9, size=96)
    for name, p in (("hits", eta), ("hits2", -eta)):
        d[name] = rng.binomial(d["size"], 1 / (1 + np.exp(-p)))
    for name, mean in (("count", eta + d.off), ("count2", 1 - eta + d.off)):
        d[name] = rng.poisson(np.exp(mean))
        d[f"over_{name}"] = rng.poisson(np.exp(mean) * rng.gamma(1.5, 1 / 1.5, size=96))
    d["time"], d["time2"] = (rng.gamma(4, np.exp(e) / 4) for e in (eta, 1 - eta))
    slope = d.x * rng.normal(scale=0.8, size=12)[g]  # else a fit with slopes is at the boundary
    d["sloped"], d["sloped2"] = d.normal + slope, d.normal2 - slope
    return d


@dataclass(frozen=True)
class Kind:
    """A class of model: how it is fitted, two responses, and a change that update undoes."""

    fit: Callable[[pd.DataFrame, str], Any]
    response: str
    other: str
    there: str
    back: str
    data: Callable[[], pd.DataFrame] = grouped
    refit: Callable[[pd.DataFrame, str], Any] = lambda d, y: d[y]
    predictors: tuple[str, ...] = ("x", "g")
    refits: bool = True


def _pair(data: pd.DataFrame, y: str) -> Any:
    return mlm.glmer(f"cbind({y}, size - {y}) ~ x + f + (1 | g)", data, family="binomial")


def _both(data: pd.DataFrame, y: str) -> Any:
    return np.column_stack([data[y], data["size"] - data[y]])


def _nlmer(data: pd.DataFrame, y: str) -> Any:
    return mlm.nlmer(
        f"{y} ~ SSlogis(age, Asym, xmid, scal) ~ Asym | Tree", data,
        start={"Asym": 200, "xmid": 725, "scal": 350},
    )  # fmt: skip


def _orange() -> pd.DataFrame:
    d = mlm.load_dataset("Orange")
    return d.assign(wider=d.circumference * 1.2 + 3 * np.sin(np.arange(len(d))))


def _member(data: pd.DataFrame, y: str) -> Any:
    weights = {"unit": (["g", "second"], None)}
    return mlm.multiple_membership(f"{y} ~ x + f + (1 | unit)", data, weights)


def _nb(data: pd.DataFrame, y: str) -> Any:
    return mlm.glmer(f"{y} ~ f + x + (1 | g)", data, family="negative.binomial(1.5)")


LESS, MORE = ". ~ . - x", ". ~ . + x"
BACK = ". ~ f + x + (1 | g)"

KINDS: dict[str, Kind] = {
    "lmer": Kind(
        lambda d, y: mlm.lmer(f"{y} ~ f + x + (x | g)", d), "sloped", "sloped2", LESS,
        ". ~ f + x + (x | g)",
    ),
    "lmer by ML": Kind(
        lambda d, y: mlm.lmer(f"{y} ~ f + x + (1 | g)", d, reml=False),
        "normal", "normal2", LESS, BACK,
    ),
    "lmer of log": Kind(
        lambda d, y: mlm.lmer(f"log({y}) ~ f + x + (1 | g)", d),
        "time", "time2", LESS, BACK, refit=lambda d, y: np.log(d[y]),
    ),
    "binomial": Kind(_pair, "hits", "hits2", LESS, ". ~ x + f + (1 | g)", refit=_both),
    "poisson with offset": Kind(
        lambda d, y: mlm.glmer(f"{y} ~ f + x + (1 | g)", d, family="poisson", offset="off"),
        "count", "count2", LESS, BACK,
    ),
    "Gamma": Kind(
        lambda d, y: mlm.glmer(f"{y} ~ f + x + (1 | g)", d, family="Gamma", link="log"),
        "time", "time2", LESS, BACK,
    ),
    "negative binomial": Kind(_nb, "over_count", "over_count2", LESS, BACK),
    # refit() and update() keep its dispersion, as documented: no fit to the new response.
    "glmer_nb": Kind(
        lambda d, y: mlm.glmer_nb(f"{y} ~ f + x + (1 | g)", d),
        "over_count", "over_count2", "", "", refits=False,
    ),
    "nlmer": Kind(_nlmer, "circumference", "wider", "", "", _orange, predictors=()),
    "lm": Kind(
        lambda d, y: mlm.lm(f"{y} ~ f + x", d), "normal", "normal2", LESS, MORE, predictors=("x",)
    ),
    "glm": Kind(
        lambda d, y: mlm.glm(f"{y} ~ f + x", d, family="poisson"), "count", "count2", LESS, MORE,
        predictors=("x",),
    ),
    "lme": Kind(
        lambda d, y: mlm.lme(f"{y} ~ f + x", d, random="~ x | g"), "sloped", "sloped2", LESS, MORE
    ),
    "membership": Kind(_member, "normal", "normal2", "", "", predictors=("x",)),
}  # fmt: skip
