"""The rows that two models used: are they the same, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pymlm.errors import ArgumentError, ComparisonError, NotSupportedError
from pymlm.models.base import Fitted
from pymlm.models.common_attributes import CommonAttributes


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two models, the larger and the smaller one, with the names that the caller gave them.

    `note` says which is the larger where the caller had them the other way round.
    """

    large: Any
    small: Any
    names: tuple[str, str]
    note: tuple[str, ...] = ()


def larger_first(
    large: Any,
    small: Any,
    names: tuple[str, str],
    size: Callable[[Any], int] = lambda model: int(model.npar),
) -> Pair:
    """Return two models with the larger one first, in whichever order they are given.

    `size` says what is counted: by default all parameters; ``fixed_effects`` for tests of means.
    """
    if size(small) <= size(large):
        return Pair(large=large, small=small, names=names)
    note = f"{names[1]} is the larger model, {names[0]} the smaller one"
    return Pair(large=small, small=large, names=(names[1], names[0]), note=(note,))


def fixed_effects(model: Any) -> int:
    """Return the number of fixed effects of a model."""
    return len(model.fixef())


def check_same_rows(large: Any, small: Any, names: tuple[str, str] = ("m1", "m0")) -> None:
    """Refuse models on different rows, or on the same rows in another order.

    Raises
    ------
    ComparisonError
    """
    if row_orders((large, small), names)[1] is not None:
        raise ComparisonError(
            f"{names[0]} and {names[1]} were fitted to the same rows in another order, and "
            "pbkrtest compares row by row. Fit both to the same data frame"
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


def check_models(function: str, *models: Any) -> None:
    """Refuse what is no fitted model, and what is several: it has no likelihood of one.

    Raises
    ------
    ArgumentError, NotSupportedError
    """
    for model in models:
        if not isinstance(model, Fitted):
            raise ArgumentError(f"{function} takes fitted models, not {type(model).__name__}")
        if not isinstance(model, CommonAttributes):
            raise NotSupportedError(
                f"{function} is not defined for {type(model).__name__}: it takes one model, of "
                "pymlm.lm, glm, lmer, glmer ..., with coefficients and a likelihood of its own"
            )


def model_names(names: Any, n: int) -> list[str]:
    """Return the names of n models, those given or "m0", "m1" ...; ArgumentError for others."""
    if names is None:
        return [f"m{i}" for i in range(n)]
    given = [names] if isinstance(names, str) or not isinstance(names, Iterable) else list(names)
    if not all(isinstance(name, str) for name in given) or not len(set(given)) == len(given) == n:
        raise ArgumentError(f"names must be {n} different names, not {names!r}")
    return given
