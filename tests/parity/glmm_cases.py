"""The generalized linear mixed models that parity is checked on: every family, on real data."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import pandas as pd

import pymlm as mlm
from pymlm.errors import PymlmWarning


def _cbpp(data: pd.DataFrame) -> pd.DataFrame:
    out = data.copy()
    out.attrs = dict(data.attrs)
    out["p"] = out["incidence"] / out["size"]
    out["any"] = (out["incidence"] > 0).map({False: "none", True: "some"}).astype("category")
    out["lsize"] = out["size"].map(float)
    return out


CBPP_R = "cbpp$p <- cbpp$incidence/cbpp$size\ncbpp$any <- factor(ifelse(cbpp$incidence > 0,"\
    " 'some', 'none'))\ncbpp$lsize <- as.numeric(cbpp$size)\n"  # fmt: skip

#: name -> (data set, formula, Python's arguments, R's arguments)
GLMMS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "cbpp cbind": (
        "cbpp", "cbind(incidence, size - incidence) ~ period + (1 | herd)", {},
        "family = binomial",
    ),
    "cbpp proportions": (
        "cbpp", "p ~ period + (1 | herd)", {"weights": "size"},
        "family = binomial, weights = size",
    ),
    "cbpp agq 0": (
        "cbpp", "cbind(incidence, size - incidence) ~ period + (1 | herd)", {"n_agq": 0},
        "family = binomial, nAGQ = 0",
    ),
    "cbpp agq 9": (
        "cbpp", "cbind(incidence, size - incidence) ~ period + (1 | herd)", {"n_agq": 9},
        "family = binomial, nAGQ = 9",
    ),
    "cbpp probit": (
        "cbpp", "cbind(incidence, size - incidence) ~ period + (1 | herd)", {"link": "probit"},
        "family = binomial(link = 'probit')",
    ),
    "cbpp cloglog": (
        "cbpp", "cbind(incidence, size - incidence) ~ period + (1 | herd)",
        {"family": "binomial(link = 'cloglog')"}, "family = binomial(link = 'cloglog')",
    ),
    "cbpp cauchit": (
        "cbpp", "cbind(incidence, size - incidence) ~ period + (1 | herd)", {"link": "cauchit"},
        "family = binomial(link = 'cauchit')",
    ),
    "cbpp two levels": (
        "cbpp", "any ~ period + (1 | herd)", {}, "family = binomial",
    ),
    "cbpp offset": (
        "cbpp", "incidence ~ period + offset(log(lsize)) + (1 | herd)", {"family": "poisson"},
        "family = poisson",
    ),
    "cbpp sum contrasts": (
        "cbpp", "cbind(incidence, size - incidence) ~ period + (1 | herd)",
        {"contrasts": {"period": "contr.sum"}},
        "family = binomial, contrasts = list(period = 'contr.sum')",
    ),
    "grouseticks": (
        "grouseticks", "TICKS ~ YEAR + cHEIGHT + (1 | BROOD) + (1 | LOCATION)",
        {"family": "poisson"}, "family = poisson",
    ),
    "grouseticks nested": (
        "grouseticks", "TICKS ~ YEAR + (1 | LOCATION/BROOD)", {"family": "poisson"},
        "family = poisson",
    ),
    "grouseticks sqrt": (
        "grouseticks", "TICKS ~ YEAR + (1 | BROOD)", {"family": "poisson", "link": "sqrt"},
        "family = poisson(link = 'sqrt')",
    ),
    "Arabidopsis": (
        "Arabidopsis", "total.fruits ~ nutrient + amd + (1 | reg) + (1 | popu)",
        {"family": "poisson", "control": {"optimizer": "bobyqa"}},
        "family = poisson, control = glmerControl(optimizer = 'bobyqa')",
    ),
    "Contraception": (
        "Contraception", "use ~ age + I(age^2) + urban + livch + (1 | district)", {},
        "family = binomial",
    ),
    "Contraception slope": (
        "Contraception", "use ~ age + urban + (urban | district)", {}, "family = binomial",
    ),
    "VerbAgg": (
        "VerbAgg", "r2 ~ Anger + Gender + btype + (1 | id) + (1 | item)", {"n_agq": 0},
        "family = binomial, nAGQ = 0",
    ),
    "Gamma log": (
        "sleepstudy", "Reaction ~ Days + (1 | Subject)", {"family": "Gamma", "link": "log"},
        "family = Gamma(link = 'log')",
    ),
    "Gamma inverse": (
        "sleepstudy", "I(Reaction / 100) ~ Days + (1 | Subject)", {"family": "Gamma"},
        "family = Gamma",
    ),
    "inverse.gaussian": (
        "sleepstudy", "I(Reaction / 100) ~ Days + (1 | Subject)",
        {"family": "inverse.gaussian", "link": "log"},
        "family = inverse.gaussian(link = 'log')",
    ),
    "gaussian log": (
        "sleepstudy", "Reaction ~ Days + (1 | Subject)", {"family": "gaussian", "link": "log"},
        "family = gaussian(link = 'log')",
    ),
    "negative.binomial": (
        "grouseticks", "TICKS ~ YEAR + (1 | BROOD)", {"family": "negative.binomial(2.5)"},
        "family = MASS::negative.binomial(theta = 2.5)",
    ),
}  # fmt: skip


@functools.cache
def data_of(name: str) -> pd.DataFrame:
    data = mlm.load_dataset("mlmRev::Contraception" if name == "Contraception" else f"lme4::{name}")
    return _cbpp(data) if name == "cbpp" else data


@functools.cache
def fitted(name: str) -> mlm.GeneralizedLinearMixedModel:
    data, formula, arguments, _ = GLMMS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PymlmWarning)
        return mlm.glmer(formula, data_of(data), **arguments)
