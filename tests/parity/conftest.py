"""Models that several modules compare."""

from __future__ import annotations

import pytest

import pymlm as mlm


@pytest.fixture(scope="module")
def fits(sleepstudy):
    def fit(formula, **options):
        return mlm.lmer(formula, sleepstudy, **options)

    return {
        "one": fit("Reaction ~ Days + (1 | Subject)"),
        "two": fit("Reaction ~ Days + (Days || Subject)"),
        "full": fit("Reaction ~ Days + (Days | Subject)"),
        "empty": fit("Reaction ~ 1 + (Days | Subject)"),
        "slope": fit("Reaction ~ Days + (0 + Days | Subject)"),
        "lm": mlm.lm("Reaction ~ Days", sleepstudy),
    }
