"""Every figure of `pymlm.plot` once: how it is made, for tests, reference images and the README."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pymlm as mlm


@cache
def data(name: str) -> Any:
    frame = mlm.load_dataset(name)
    if name == "sleepstudy":
        frame.attrs["units"] = {"Reaction": "ms"}
    return frame


@cache
def fit(formula: str, name: str) -> Any:
    return mlm.lmer(formula, data(name))


def sleep() -> Any:
    return fit("Reaction ~ Days + (Days | Subject)", "sleepstudy")


def cake() -> Any:
    return fit("angle ~ recipe * temperature + (1 | recipe:replicate)", "cake")


def cake_lines() -> Any:
    return fit("angle ~ temp * recipe + (1 | recipe:replicate)", "cake")


def pastes() -> Any:
    return fit("strength ~ 1 + (1 | batch / cask)", "Pastes")


def moderated() -> Any:
    return fit("langPOST ~ ses * schoolSES + IQ.verb + (1 | schoolNR)", "nlme::bdf")


@cache
def sleep_profile() -> Any:
    return sleep().profile()


@cache
def sleep_bootstrap() -> Any:
    return sleep().bootstrap(nsim=60, seed=1)


@cache
def exam_pooling() -> Any:
    return mlm.pooling("normexam ~ standLRT", data("mlmRev::Exam"), "school", vary="intercept")


def emmeans() -> Any:
    return cake().emmeans(["temperature", "recipe"])


#: name -> (what is drawn, further arguments)
FIGURES: dict[str, tuple[Callable[[], tuple[Any, ...]], dict[str, Any]]] = {
    "bootstrap": (lambda: (sleep_bootstrap(),), {}),
    "caterpillar": (lambda: (sleep(),), {}),
    "check": (lambda: (sleep(),), {}),
    "coefs": (lambda: (moderated(),), {}),
    "design_effect": (lambda: (pastes(),), {}),
    "group_lines": (lambda: (sleep(), "Days"), {"highlight": ["308", "309"], "points": True}),
    "johnson_neyman": (lambda: (moderated(), "ses", "schoolSES"), {}),
    "levels": (lambda: (data("Pastes"), ["batch", "sample"]), {}),
    "means": (lambda: (emmeans(),), {}),
    "pooling": (lambda: (exam_pooling(),), {}),
    "predictions": (lambda: (cake_lines(), ["temp", "recipe"]), {"points": True}),
    "profile": (lambda: (sleep_profile(),), {}),
    "qq": (lambda: (sleep(),), {}),
    "ranef_density": (lambda: (sleep(),), {}),
    "residuals_by_group": (lambda: (sleep(),), {"highlight": "308"}),
    "shrinkage": (lambda: (sleep(),), {}),
    "variance": (lambda: (sleep(), "Days"), {"at": list(range(-3, 10))}),
    "variance_shares": (lambda: (pastes(),), {"names": ["Pastes"]}),
    "within_between": (
        lambda: (data("mlmRev::Exam"), "normexam", "standLRT", "school"), {"points": True},
    ),
}  # fmt: skip

#: Figures that always have panels; these return arrays.
PANELS = {
    "bootstrap", "caterpillar", "check", "levels", "pooling", "profile", "ranef_density",
}  # fmt: skip


def draw(name: str, **options: Any) -> Any:
    """Draw one of FIGURES."""
    given, own = FIGURES[name]
    return getattr(mlm.plot, name)(*given(), **{**own, **options})
