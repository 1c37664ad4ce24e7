"""The rows that two models used: are they the same, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pymlm.errors import ComparisonError


def row_orders(models: Sequence[Any], names: Sequence[str]) -> list[list[int] | None]:
    """Return, for each model, where the first model's rows stand among its own (from 1).

    None stands for the same order. Rows are known by the index of the data frames; where labels
    repeat, by their position (R compares the responses in any case).

    Raises
    ------
    ComparisonError
        When a model used rows that another did not; the message says how many.
    """
    first = models[0]._used_index
    out: list[list[int] | None] = [None]
    for model, name in zip(models[1:], names[1:], strict=True):
        out.append(_order(first, model._used_index, names[0], name))
    return out


def check_same_rows(large: Any, small: Any) -> None:
    """Refuse models on different rows, or on the same rows in another order.

    Raises
    ------
    ComparisonError
    """
    if row_orders((large, small), ("m1", "m0"))[1] is not None:
        raise ComparisonError(
            "m1 and m0 were fitted to the same rows in another order, and pbkrtest compares row by "
            "row. Fit both to the same data frame"
        )


def _order(first: pd.Index, other: pd.Index, a: str, b: str) -> list[int] | None:
    if first.dtype != other.dtype:  # a model from a file has R's row names
        first, other = first.astype(str), other.astype(str)
    if first.equals(other):
        return None
    if first.is_unique and other.is_unique:
        only_a, only_b = len(first.difference(other)), len(other.difference(first))
        if only_a or only_b:
            _different(a, b, len(first), len(other), only_a, only_b)
        return [int(i) + 1 for i in other.get_indexer(first)]
    if len(first) != len(other):
        extra = len(first) - len(other)
        _different(a, b, len(first), len(other), max(extra, 0), max(-extra, 0))
    return None


def _different(a: str, b: str, n_a: int, n_b: int, only_a: int, only_b: int) -> None:
    raise ComparisonError(
        f"{a} and {b} were fitted to different rows ({n_a} and {n_b}): {only_a} only in {a}, "
        f"{only_b} only in {b}. Fit both to the rows that are complete in every variable of "
        "either, e.g. data.dropna(subset=[...])"
    )
