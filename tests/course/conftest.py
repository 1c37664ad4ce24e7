"""Models of the lectures that several files ask about; they never change."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import pymlm as mlm
from tests.course.lecture_data import gpa


@pytest.fixture(scope="session")
def d() -> pd.DataFrame:
    return gpa()


@pytest.fixture(scope="session")
def g1(d: pd.DataFrame) -> Any:
    bobyqa = {"optimizer": "bobyqa"}
    return mlm.lmer("gpa ~ ses + clubs + (1 | schoolnr)", d, reml=False, control=bobyqa)


@pytest.fixture(scope="session")
def g2(d: pd.DataFrame) -> Any:
    bobyqa = {"optimizer": "bobyqa"}
    return mlm.lmer("gpa ~ ses*clubs + (1 + ses | schoolnr)", d, reml=False, control=bobyqa)


@pytest.fixture(scope="session")
def hsb() -> Any:
    return mlm.lmer("MathAch ~ 1 + (1 | School)", mlm.load_dataset("nlme::MathAchieve"))
