"""What the other folders ask of a fitted model, beyond what its users ask.

A name that begins with an underscore belongs to its folder; `tests/unit/test_layers.py` fails where
another one uses it. These functions are the door.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pandas as pd

from pymlm.engine import RObject
from pymlm.errors import DataError
from pymlm.models.base import Fitted, Source
from pymlm.models.exact import EngineMethods, Used
from pymlm.models.mixed import MixedModel

T = TypeVar("T")


def ask(model: Fitted, what: str, into: type[T], /, **kwargs: Any) -> T:
    """Ask the bridge for the result `what` of a model, as `Fitted._ask`."""
    return model._ask(what, into, **kwargs)


def call_on(model: Fitted, function: str, into: Any = Any, /, **kwargs: Any) -> Any:
    """Call a bridge function with a model as its first argument."""
    return model._call(function, into, **kwargs)


def call_ddf(
    model: EngineMethods, function: str, into: Any, ddf: str | None, /, **args: Any
) -> Any:
    """Call a bridge function that asks lmerTest or pbkrtest; `ddf` says what for."""
    return model._call_ddf(function, into, ddf, **args)


def engine_for(model: EngineMethods, ddf: str) -> Used | None:
    """Choose the engine of `ddf` and have it ready in R."""
    return model._engine(ddf, None)


def kept_answer(model: Fitted, key: str, make: Callable[[], T]) -> T:
    """Return what `make` gives, made once for a model."""
    if key not in model._answers:
        model._answers[key] = make()
    found: T = model._answers[key]
    return found


def is_linear(model: MixedModel) -> bool:
    """Whether a mixed model is linear."""
    return bool(model._described.linear)


def handle_of(model: Fitted) -> RObject:
    """R's object."""
    return model._handle


def source_of(model: Fitted) -> Source:
    """What a model was fitted to."""
    return model._source


def rows_of(model: Any, what: str) -> pd.DataFrame:
    """Return the frame that a model was fitted to; of a model from a file R's own.

    R keeps the rows that it used, and of a transformed column only what it was made to: then
    DataError says what to do.
    """
    source = source_of(model)
    if source.data is not None:
        return source.data
    frame: pd.DataFrame = kept_answer(model, "rows of the file", lambda: model.augment())
    lost = [name for name in source.sent if name not in frame.columns]
    if lost:
        raise DataError(
            f"{what}: this model came from a file without its data, and R kept {lost[0]!r} only "
            f"transformed. Fit it anew, with the formula {model.formula!r} and the data"
        )
    return frame[list(source.sent)]


def used_rows(model: Fitted) -> Any:
    """Positions of the rows that R used, in the user's frame; None when it used them all."""
    return model._used_rows


def used_index(model: Fitted) -> pd.Index:
    """The user's labels of the rows that R used."""
    return model._used_index


def clusters_of(model: Fitted, by: str) -> Any:
    """Codes, from 1 on, of the clusters of the used rows."""
    return model._clusters(by)
