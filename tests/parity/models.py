"""The linear models that parity is checked on: every kind of structure, on many data sets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import pymlm as mlm


def _with_weights(data: pd.DataFrame) -> pd.DataFrame:
    return data.assign(w=np.linspace(0.5, 2.0, len(data)), off=np.linspace(-1.0, 1.0, len(data)))


def _with_holes(data: pd.DataFrame) -> pd.DataFrame:
    out = data.copy()
    column = out.columns[0]
    out[column] = out[column].astype(float)
    out.loc[out.index[[1, 7]], column] = np.nan
    return out


def _sample(data: pd.DataFrame) -> pd.DataFrame:
    out = data.iloc[:2000].copy()
    for c in ("s", "d"):
        out[c] = out[c].cat.remove_unused_categories()
    return out


#: name -> (data set, formula, arguments, what is done to the data first)
MODELS: dict[str, tuple[str, str, dict[str, Any], Any]] = {
    "sleepstudy slope": ("lme4::sleepstudy", "Reaction ~ Days + (Days | Subject)", {}, None),
    "sleepstudy ML": (
        "lme4::sleepstudy", "Reaction ~ Days + (Days | Subject)", {"reml": False}, None,
    ),
    "sleepstudy uncorrelated": (
        "lme4::sleepstudy", "Reaction ~ Days + (Days || Subject)", {}, None,
    ),
    "sleepstudy no intercept": (
        "lme4::sleepstudy", "Reaction ~ 0 + Days + I(Days^2) + (0 + Days | Subject)", {}, None,
    ),
    "sleepstudy scale": (
        "lme4::sleepstudy", "Reaction ~ scale(Days) + (scale(Days) | Subject)", {}, None,
    ),
    "sleepstudy poly": (
        "lme4::sleepstudy", "Reaction ~ poly(Days, 2) + (1 | Subject)", {}, None,
    ),
    "sleepstudy spline": (
        "lme4::sleepstudy", "Reaction ~ ns(Days, 3) + (1 | Subject)", {}, None,
    ),
    "sleepstudy weights offset": (
        "lme4::sleepstudy", "Reaction ~ Days + (1 | Subject)",
        {"weights": "w", "offset": "off"}, _with_weights,
    ),
    "sleepstudy holes": (
        "lme4::sleepstudy", "Reaction ~ Days + (1 | Subject)", {}, _with_holes,
    ),
    "Penicillin crossed": (
        "lme4::Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)", {}, None,
    ),
    "Pastes nested": ("lme4::Pastes", "strength ~ 1 + (1 | batch/cask)", {}, None),
    "Dyestuff": ("lme4::Dyestuff", "Yield ~ 1 + (1 | Batch)", {}, None),
    "Dyestuff2 singular": ("lme4::Dyestuff2", "Yield ~ 1 + (1 | Batch)", {}, None),
    "cake interaction": (
        "lme4::cake", "angle ~ recipe * temperature + (1 | recipe:replicate)", {}, None,
    ),
    "cake sum contrasts": (
        "lme4::cake", "angle ~ recipe * temp + (1 | recipe:replicate)",
        {"contrasts": {"recipe": "contr.sum"}}, None,
    ),
    "cake contrast matrix": (
        "lme4::cake", "angle ~ recipe + temp + (1 | recipe:replicate)",
        {"contrasts": {"recipe": [[-1.0, 0.0], [1.0, -1.0], [0.0, 1.0]]}}, None,
    ),
    "InstEval sample": (
        "lme4::InstEval", "y ~ service + (1 | s) + (1 | d) + (1 | dept:service)", {}, _sample,
    ),
    "carrots": (
        "lmerTest::carrots", "Preference ~ sens2 * Homesize + (1 + sens2 | Consumer)", {}, None,
    ),
    "ham": (
        "lmerTest::ham", "Informed.liking ~ Product * Information + (1 | Consumer)", {}, None,
    ),
    "TVbo": (
        "lmerTest::TVbo", "Coloursaturation ~ TVset * Picture + (1 | Assessor:TVset)"
        " + (1 | Assessor)", {"control": {"optimizer": "bobyqa"}}, None,
    ),
    "Machines": (
        "nlme::Machines", "score ~ Machine + (1 | Worker) + (1 | Worker:Machine)", {}, None,
    ),
    "Oats split plot": (
        "nlme::Oats", "yield ~ Variety * nitro + (1 | Block/Variety)", {}, None,
    ),
    "Orthodont": ("nlme::Orthodont", "distance ~ age * Sex + (age | Subject)", {}, None),
    "Exam": (
        "mlmRev::Exam", "normexam ~ standLRT + sex + schgend + (standLRT | school)", {}, None,
    ),
    "ScotsSec crossed": (
        "mlmRev::ScotsSec", "attain ~ sex + (1 | primary) + (1 | second)", {}, None,
    ),
    "Hsb82 cross-level": (
        "mlmRev::Hsb82", "mAch ~ meanses * cses + sector * cses + (cses | school)", {}, None,
    ),
    "egsingle three levels": (
        "mlmRev::egsingle", "math ~ year + (year | schoolid/childid)", {}, None,
    ),
    "Gcsemv start": (
        "mlmRev::Gcsemv", "course ~ gender + (1 | school)", {"start": [0.5]}, None,
    ),
}  # fmt: skip


def fitted(name: str) -> Any:
    """Fit one of MODELS."""
    dataset, formula, arguments, change = MODELS[name]
    data = mlm.load_dataset(dataset)
    return mlm.lmer(formula, data if change is None else change(data), **arguments)
