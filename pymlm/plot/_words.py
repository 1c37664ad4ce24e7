"""Words of the figures: labels, and what a wrong argument is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from pymlm.errors import ArgumentError, PymlmError, near_names
from pymlm.models.inside import rows_of
from pymlm.models.model import Model
from pymlm.names import response_of


def worded(name: str, data: Any = None) -> str:
    """Return a column's name for a label, with its unit and label where the data have them."""
    if data is None:
        return name
    column = data[name] if name in data.columns else None
    own = {} if column is None else column.attrs
    label = _text(data.attrs.get("labels"), name) or _text(own, "label") or name
    unit = _text(data.attrs.get("units"), name) or _text(own, "units")
    return f"{label} ({unit})" if unit else str(label)


def _text(mapping: Any, name: str) -> str | None:
    found = mapping.get(name) if isinstance(mapping, dict) else None
    return found if isinstance(found, str) else None


def data_of(m: Any) -> Any:
    """Return the frame behind a model, or None."""
    if not isinstance(m, Model):
        return getattr(getattr(m, "_source", None), "data", None)
    try:
        return rows_of(m, "plot")
    except PymlmError:
        return None


def response(m: Any) -> str:
    """Return the left side of a model's formula, worded."""
    return worded(response_of(m.formula), data_of(m))


def observed(m: Any, data: Any) -> pd.Series:
    """Return the outcome of every row as a number, for points=True: 0 and 1 for two categories.

    The first level is the failure, as in R: of a category its own first, of text the first sorted.
    """
    left = response_of(m.formula)
    if data is None or left not in data.columns:
        raise ArgumentError(
            f"points=True draws the outcome, and {left!r} is no column of the data: leave it out"
        )
    column: pd.Series = data[left]
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.astype(float)
    coded = column if isinstance(column.dtype, pd.CategoricalDtype) else column.astype("category")
    numbers = pd.Series((coded.cat.codes > 0).astype(float), index=column.index)
    return numbers.where(column.notna().to_numpy())


def need(value: Any, kinds: Any, what: str, function: str) -> None:
    """Raise ArgumentError unless `value` is of `kinds`; `what` says in words what it must be."""
    if not isinstance(value, kinds):
        raise ArgumentError(
            f"plot.{function}() draws {what}, not a {type(value).__name__}"
            + (f" ({value!r})" if isinstance(value, str) else "")
        )


def one_of(value: Any, known: Sequence[str], what: str) -> str:
    """Return `value`, or raise ArgumentError with near names."""
    if value not in known:
        raise ArgumentError(
            f"no {what} {value!r} here.{near_names(value, known)} There are: {', '.join(known)}"
        )
    return str(value)


def several_of(values: Any, known: Sequence[str], what: str) -> list[str]:
    """Return the names chosen, all for None."""
    if values is None:
        return list(known)
    return [one_of(v, known, what) for v in listed(values)]


def listed(values: Any) -> list[str]:
    """Return one level or name, or several, as text: 308 is the level "308"."""
    if values is None:
        return []
    one = isinstance(values, str) or not isinstance(values, Iterable)
    return [str(v) for v in ([values] if one else values)]


def normal_quantile(level: float) -> float:
    """Return the normal quantile of a two-sided interval of this level."""
    from scipy.stats import norm

    return float(norm.ppf((1 + level) / 2))


def named_models(
    models: tuple[Any, ...], names: Sequence[str] | None, function: str
) -> tuple[list[Any], list[str] | None]:
    """Models and their names, from several or from one dict."""
    given = list(names) if names is not None else None
    listed = list(models)
    if len(listed) == 1 and isinstance(listed[0], Mapping):
        given = given or [str(k) for k in listed[0]]
        listed = list(listed[0].values())
    if not listed:
        raise ArgumentError(f"plot.{function}() has no model to draw")
    if given is not None and len(given) != len(listed):
        raise ArgumentError(f"{len(given)} names for {len(listed)} models")
    return listed, given
