"""Linear hypotheses about fixed effects: arrays or text -> rows of L and right-hand sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pymlm.engine import RObject, call
from pymlm.errors import ArgumentError
from pymlm.results.base import Floats

Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parsed:
    L: tuple[Floats, ...]
    rhs: Floats
    equation: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypotheses:
    """Rows of L, what they are tested against, and what they are called."""

    rows: Rows
    rhs: tuple[float, ...]
    labels: tuple[str, ...] | None


def hypotheses(handle: RObject, L: Any, rhs: Any = 0) -> Hypotheses:
    """Return the hypotheses Lβ = rhs of a model.

    Parameters
    ----------
    L : array-like, shape (p,) or (k, p); str; sequence or dict of str
        Numbers in the order of the fixed effects (a Series or DataFrame with their names as labels,
        in any order); or text such as ``"2*a + b = 3"`` in R's names of the coefficients. A dict
        names its hypotheses.
    rhs : float or array-like, shape (k,)
        For arrays, and for text without "=".

    Raises
    ------
    ArgumentError
        For a wrong width, numbers that are not finite, an unknown coefficient, text that is not
        linear, a row of zeros, or two right-hand sides.
    """
    texts = _texts(L)
    if texts is None:
        return _from_numbers(handle, L, rhs)
    labels, written = texts
    parsed: _Parsed = call("parse_hypotheses", handle, written, into=_Parsed)
    right = _right_hand_side(rhs, len(written))
    for text, own, given in zip(written, parsed.equation, right, strict=True):
        if own and given:
            raise ArgumentError(
                f"hypothesis {text!r} has a right-hand side of its own; leave rhs={given:g} out"
            )
    rows = tuple(tuple(float(x) for x in row) for row in parsed.L)
    total = tuple(float(a + b) for a, b in zip(parsed.rhs, right, strict=True))
    return Hypotheses(rows=rows, rhs=total, labels=tuple(labels))


def _texts(L: Any) -> tuple[list[str], list[str]] | None:
    if isinstance(L, str):
        return [L], [L]
    if isinstance(L, Mapping):
        if not L or not all(isinstance(v, str) for v in L.values()):
            raise ArgumentError("a dict of hypotheses maps names to text such as 'a - b = 0'")
        return [str(k) for k in L], list(L.values())
    if isinstance(L, (list, tuple)) and L and all(isinstance(x, str) for x in L):
        return list(L), list(L)
    return None


def _from_numbers(handle: RObject, L: Any, rhs: Any) -> Hypotheses:
    terms = call("fixed_terms", handle, into=tuple[str, ...])
    L = _in_order(L, terms)
    try:
        matrix = np.asarray(L, dtype=np.float64)
    except (TypeError, ValueError):
        raise ArgumentError(
            "L must be an array of numbers, one per fixed effect, or text such as 'a - b = 0'"
        ) from None
    matrix = matrix[None, :] if matrix.ndim == 1 else matrix
    if matrix.ndim != 2 or matrix.shape[1] != len(terms) or not len(matrix):
        raise ArgumentError(
            f"L has shape {np.shape(L)}; this model has {len(terms)} fixed effects, so L needs "
            f"{len(terms)} columns: {', '.join(terms)}"
        )
    if not np.isfinite(matrix).all():
        raise ArgumentError("L holds missing or infinite numbers")
    empty = np.flatnonzero(~matrix.any(axis=1))
    if len(empty):
        raise ArgumentError(f"row {empty[0]} of L holds zeros only: it tests nothing")
    right = _right_hand_side(rhs, len(matrix))
    return Hypotheses(rows=tuple(tuple(row) for row in matrix.tolist()), rhs=right, labels=None)


def _in_order(L: Any, terms: tuple[str, ...]) -> Any:
    """Put a Series or DataFrame with the coefficients' names into their order."""
    if not isinstance(L, (pd.Series, pd.DataFrame)):
        return L
    labels = list(L.index if isinstance(L, pd.Series) else L.columns)
    if not all(isinstance(label, str) for label in labels):
        return L
    if sorted(labels) != sorted(terms):
        unknown = [label for label in labels if label not in terms]
        wrong = f"{unknown[0]!r} is none" if unknown else "some are missing or there twice"
        raise ArgumentError(
            f"the labels of L must be the fixed effects, each once: {wrong}. They are: "
            f"{', '.join(terms)}"
        )
    return L[list(terms)]


def _right_hand_side(rhs: Any, k: int) -> tuple[float, ...]:
    try:
        values = np.atleast_1d(np.asarray(rhs, dtype=np.float64))
    except (TypeError, ValueError):
        raise ArgumentError(f"rhs must be a number, or one per hypothesis, not {rhs!r}") from None
    if values.ndim != 1 or len(values) not in (1, k) or not np.isfinite(values).all():
        raise ArgumentError(f"rhs must be a finite number, or {k} of them, not {rhs!r}")
    return tuple(float(x) for x in np.broadcast_to(values, k))
