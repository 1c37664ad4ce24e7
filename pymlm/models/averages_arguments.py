"""What averages are asked for: values of variables, rows to make, hypotheses, transformations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from pymlm.arguments import finite, text_list
from pymlm.errors import ArgumentError, NotSupportedError, near_names
from pymlm.results.averages import Averages
from pymlm.results.base import Floats

Variables = str | Sequence[str] | Mapping[str, Any]
#: Rows to average over: a frame, "mean" and its like, values for a grid, or None.
Rows = Any
#: A number, weights, equations, or a family of comparisons.
Hypothesis = Any
Transform = str | Callable[[Any], Any]

#: Rows that are made of the data.
MADE = ("mean", "median", "balanced")
FAMILIES = (
    "pairwise", "revpairwise", "reference", "revreference", "sequential", "revsequential",
    "meandev", "meanotherdev", "trt_vs_ctrl", "poly", "helmert",
)  # fmt: skip
TRANSFORMS: Mapping[str, Callable[[Any], Any]] = {
    "exp": np.exp, "ln": np.log, "log": np.log, "sqrt": np.sqrt, "square": np.square,
    "expit": special.expit, "plogis": special.expit, "logit": special.logit,
    "qlogis": special.logit, "expm1": np.expm1, "abs": np.abs,
}  # fmt: skip


def variables_asked(given: Any) -> tuple[list[str] | None, dict[str, Any] | None]:
    """Return names, and what was said about each."""
    if not isinstance(given, Mapping):
        return text_list(given, "variables"), None
    how = {str(name): _values(str(name), v) for name, v in given.items() if v is not None}
    if not given:
        raise ArgumentError("variables is empty: name predictors, or leave it out")
    return [str(k) for k in given], how


def _values(name: str, value: Any, argument: str = "variables") -> Any:
    if isinstance(value, str):
        return value
    array = np.atleast_1d(np.asarray(value))
    if array.ndim != 1 or not array.size or array.dtype.kind not in "biufUO":
        raise ArgumentError(
            f"{argument}: {name!r} takes a word, a number, or values, not {value!r}"
        )
    if array.dtype.kind in "iuf":
        if not np.isfinite(array).all():
            raise ArgumentError(f"{argument}: {name!r} has a missing or infinite value")
        return array.astype(float)
    return [str(v).upper() if isinstance(v, bool) else str(v) for v in array.tolist()]


def rows_made(newdata: Rows) -> Any:
    """Return what rows to make in R: a word or values by column; None where a frame was given."""
    if isinstance(newdata, str):
        if newdata not in MADE:
            raise ArgumentError(
                f"newdata is a data frame, a dict of values, 'mean', 'median', 'balanced' or None, "
                f"not {newdata!r}.{near_names(newdata, MADE)}"
            )
        return newdata
    if isinstance(newdata, Mapping) and not hasattr(newdata, "columns"):
        if not newdata:
            raise ArgumentError("newdata is empty: name columns and their values")
        return {
            str(k): [w] if isinstance(w := _values(str(k), v, "newdata"), str) else w
            for k, v in newdata.items()
        }
    return None


def hypothesis_asked(given: Hypothesis) -> tuple[dict[str, Any] | None, float]:
    """Return what is tested of the averages, for R, and the value under the null hypothesis."""
    if given is None:
        return None, 0.0
    if isinstance(given, (int, float, np.number)) and not isinstance(given, bool):
        return None, finite(given, "hypothesis")
    if isinstance(given, str):
        family = _family(given)
        return (family or {"equations": [given], "labels": [given]}), 0.0
    if isinstance(given, Mapping):
        names, values = [str(k) for k in given], list(given.values())
    else:
        names, values = _rows_of(given)
    if values and all(isinstance(v, str) for v in values):
        return {"equations": list(values), "labels": names or list(values)}, 0.0
    weights = [_weights(v) for v in values]
    if not weights or len({len(w) for w in weights}) != 1:
        raise ArgumentError(
            "hypothesis is a number, weights (one an estimate; a row, or an entry of a dict, a "
            f"hypothesis), equations such as 'b1 = b2', or '~ pairwise', not {given!r}"
        )
    if not names:
        names = ["custom"] if len(weights) == 1 else [f"H{i + 1}" for i in range(len(weights))]
    return {"weights": weights, "labels": names}, 0.0


def _rows_of(given: Any) -> tuple[list[str], list[Any]]:
    if isinstance(given, pd.DataFrame):
        return [str(i) for i in given.index], list(given.to_numpy())
    values = list(given) if isinstance(given, (list, tuple, np.ndarray, pd.Series)) else []
    plain = values and not any(isinstance(v, (str, Sequence, np.ndarray)) for v in values)
    return [], [values] if plain else values


def _weights(value: Any) -> Floats:
    try:
        w = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        w = np.array([])
    if w.ndim != 1 or not w.size or not np.isfinite(w).all() or not w.any():
        raise ArgumentError(
            f"hypothesis: weights are numbers, one an estimate, not all 0; {value!r} is not"
        )
    return w


def _family(text: str) -> dict[str, Any] | None:
    """A word such as "pairwise", or marginaleffects' formula "ratio ~ sequential | group"."""
    found = re.fullmatch(r"\s*(?:(\w*)\s*~)?\s*([\w.]+)\s*(?:\|(.*))?", text)
    if found is None or (found[2] not in FAMILIES and "~" not in text):
        return None
    left, family, within = found.groups()
    if family not in FAMILIES:
        raise ArgumentError(
            f"hypothesis: no family {family!r}.{near_names(family, FAMILIES)} There are "
            f"{', '.join(FAMILIES)}"
        )
    if left not in (None, "", "difference", "ratio"):
        raise ArgumentError(
            f"hypothesis: {left!r} stands before ~ where 'difference' or 'ratio' can"
        )
    if left == "ratio" and family in ("poly", "helmert"):
        raise ArgumentError(f"hypothesis: {family!r} has weights, and no ratios")
    names = [n.strip().strip("`") for n in re.split(r"[+:*]", within)] if within else []
    return {"family": family, "ratio": left == "ratio", "within": names}


def transform_asked(transform: Transform | None) -> tuple[str, Callable[[Any], Any]] | None:
    """Return the name and the function of a transformation of estimates and their limits."""
    if transform is None:
        return None
    if isinstance(transform, str):
        if transform not in TRANSFORMS:
            raise ArgumentError(
                f"transform: no {transform!r}.{near_names(transform, TRANSFORMS)} There are "
                f"{', '.join(TRANSFORMS)}, and any function of an array"
            )
        return transform, TRANSFORMS[transform]
    if not callable(transform):
        raise ArgumentError(f"transform is a word such as 'exp' or a function, not {transform!r}")
    return getattr(transform, "__name__", "function"), transform


def in_units(found: Averages, name: str, function: Callable[[Any], Any]) -> Averages:
    """Estimates and limits transformed; tests stay those of before, and errors are none."""
    ends = np.vstack([_transformed(x, name, function) for x in (found.conf_low, found.conf_high)])
    return replace(
        found, estimate=_transformed(found.estimate, name, function), conf_low=ends.min(axis=0),
        conf_high=ends.max(axis=0), std_error=np.full(len(found), np.nan), vcov=None,
        transform=name,
    )  # fmt: skip


def _transformed(values: Any, name: str, function: Callable[[Any], Any]) -> Floats:
    """Transformed numbers; what a function cannot do is said."""
    try:
        with np.errstate(all="ignore"):
            out = np.asarray(function(np.asarray(values, dtype=float)), dtype=float)
    except Exception as error:
        raise ArgumentError(f"transform: {name} failed with {error!r} for an array") from error
    if out.shape != np.shape(values):
        raise ArgumentError(
            f"transform: {name} made {out.shape} of {np.shape(values)} numbers: it takes an array "
            "and gives as many numbers back"
        )
    return out


def checked_ddf(ddf: str | None, vcov: Any) -> str:
    """Return the method of the degrees of freedom."""
    method = ddf or "asymptotic"
    if method == "between-within":
        raise NotSupportedError(
            "the between-within rule is of single coefficients, not of averages over rows; use "
            "ddf='Satterthwaite', 'Kenward-Roger' or 'asymptotic'"
        )
    if vcov is not None and method not in ("asymptotic", "residual"):
        raise NotSupportedError(
            f"{method} degrees of freedom are of the model's own covariance matrix: leave vcov= or "
            "ddf= out"
        )
    return method
