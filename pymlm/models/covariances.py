"""The argument vcov=: another covariance matrix of the fixed effects than the model's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import pandas as pd

from pymlm.argument_types import MixedDdf, RobustType, RowRobustType
from pymlm.arguments import choice, own_words
from pymlm.engine import call
from pymlm.errors import ArgumentError, near_names
from pymlm.models.base import Fitted
from pymlm.results.base import Floats

#: A matrix (a DataFrame by names), what `pymlm.cluster_robust` or `robust_errors` answered, a name
#: of such a type, "~ column" for clusters, or a function of the model that gives one of these.
Covariance = Any

#: A matrix is symmetric to rounding: what a product in double precision loses.
_ROUNDING = 1e-8


def fixed_covariance(model: Fitted, given: Covariance, name: str = "vcov") -> Floats | None:
    """Return a covariance matrix in the order of the fixed effects; None for none.

    Raises
    ------
    ArgumentError
        For a word that is no type of errors, a matrix of another size or other names, one that is
        not symmetric, or has missing values or a negative variance.
    NotSupportedError
        For errors that the model's class has not.
    """
    if given is None:
        return None
    if callable(given):
        return fixed_covariance(model, given(model), f"{name} (from the function)")
    if isinstance(given, str):
        given = _by_word(model, given.strip(), name)
    terms = call("fixed_terms", model._handle, into=tuple[str, ...])
    return _matrix(given, list(terms), name)


@dataclass(frozen=True)
class _Robust:
    """A robust covariance matrix, and the coefficients that its rows are of."""

    term: tuple[str, ...]
    vcov: Floats


def _by_word(model: Fitted, word: str, name: str) -> _Robust:
    clusters = re.fullmatch(r"~\s*(`?)(.+?)\1", word)
    has_groups = hasattr(model, "ranef")
    if clusters is not None:
        # sandwich's default for the class, which marginaleffects takes, and clubSandwich's.
        kind = "CR2" if has_groups else "HC0" if hasattr(model, "family") else "HC1"
        return _clustered(model, clusters[2], kind)
    row_types = [w for w in own_words(RowRobustType, "type") if w != "bootstrap"]
    cluster_types = [w for w in own_words(RobustType, "type") if w.startswith("CR")]
    known = [*row_types, *cluster_types]
    try:
        named = choice(word, known, "type")  # with the synonyms of `cluster_robust(type=)`
    except ArgumentError:
        is_ddf = word.casefold() in [w.casefold() for w in get_args(MixedDdf)]
        advice = f" Degrees of freedom are asked for by ddf={word!r}." if is_ddf else ""
        raise ArgumentError(
            f"{name}={word!r} is no type of standard errors.{near_names(word, known)}{advice} "
            f"There are {', '.join(known)}, and '~ column' for clusters"
        ) from None
    if named.startswith("CR"):
        if not has_groups:
            raise ArgumentError(
                f"{name}={named!r} needs clusters: give '~ column', or mlm.cluster_robust(m, "
                f"by='column', type={named!r})"
            )
        return _clustered(model, None, named)
    found: _Robust = model._call("robust_vcov", _Robust, type=named, clustered=False)
    return found


def _clustered(model: Fitted, by: str | None, kind: str) -> _Robust:
    cluster = None if by is None else model._clusters(by)
    found: _Robust = model._call("robust_vcov", _Robust, type=kind, clustered=True, cluster=cluster)
    return found


def _matrix(given: Any, terms: list[str], name: str) -> Floats:
    """The matrix in the order of `terms`."""
    names: list[str] | None = None
    if isinstance(given, pd.DataFrame):
        names = [str(c) for c in given.columns]
        if [str(i) for i in given.index] != names:
            raise ArgumentError(f"{name}: the rows and the columns of the frame differ in names")
    elif hasattr(given, "vcov") and hasattr(given, "term"):
        names, given = [str(t) for t in given.term], given.vcov
    try:
        v = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        v = np.array([])
    if names is not None and v.shape == (len(names), len(names)):
        absent = [t for t in terms if t not in names]
        if absent:
            raise ArgumentError(f"{name} has no row {absent[0]!r}. It has: {', '.join(names)}")
        # Without rows of coefficients that are not estimated, which vcov() of an lm has as NaN.
        at = [names.index(t) for t in terms]
        v = v[np.ix_(at, at)]
    p = len(terms)
    if v.shape != (p, p):
        raise ArgumentError(
            f"{name} is a matrix of {p} × {p} numbers ({', '.join(terms)}), a type of robust "
            f"errors, or the result of mlm.cluster_robust, not {_said(given, v)}"
        )
    if not np.isfinite(v).all():
        raise ArgumentError(f"{name} has a missing or infinite value")
    if np.abs(v - v.T).max() > _ROUNDING * np.abs(v).max() or (np.diag(v) < 0).any():
        raise ArgumentError(f"{name} is no covariance matrix: it is not symmetric, or has a "
                            "negative variance")  # fmt: skip
    return v


def _said(given: Any, v: Floats) -> str:
    return f"one of {' × '.join(map(str, v.shape))}" if v.ndim == 2 else repr(given)[:80]
