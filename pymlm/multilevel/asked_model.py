"""The model that a function is given: of which class, and with which data."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pymlm.errors import ArgumentError, DataError
from pymlm.models.inside import rows_of
from pymlm.models.mixed import MixedModel
from pymlm.models.model import Model


def _one_by_one(m: Any, what: str) -> str:
    several = isinstance(m, (list, tuple)) and len(m) > 0 and isinstance(m[0], Model)
    return f". Ask one model at a time: [{what}(m) for m in models]" if several else ""


def mixed(m: Any, what: str) -> MixedModel:
    """Return a mixed model, or refuse with what was given."""
    if not isinstance(m, MixedModel):
        raise ArgumentError(
            f"{what} needs a mixed model, fitted by pymlm.lmer or its like, not a "
            f"{type(m).__name__}{_one_by_one(m, what)}"
        )
    return m


def fitted_model(m: Any, what: str) -> Model:
    """Return a fitted model of any class, or refuse with what was given."""
    if not isinstance(m, Model):
        raise ArgumentError(
            f"{what} needs a fitted model, of pymlm.lmer, lm, lme or their like, not a "
            f"{type(m).__name__}{_one_by_one(m, what)}"
        )
    return m


def data_of(m: MixedModel, what: str) -> pd.DataFrame:
    """Return the frame that a model was fitted to, or say that it has none."""
    try:
        return rows_of(m, what)
    except DataError as error:
        raise DataError(f"{error}, or pass data=") from None
