"""Helpers of the workflow: grouping columns, predictors, and a model's random part."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pymlm.errors import (
    AdviceWarning,
    ArgumentError,
    DataError,
    NotSupportedError,
    near_names,
    warn,
)
from pymlm.frames import as_pandas, prepare, used_columns
from pymlm.models.inside import call_on, kept_answer, source_of
from pymlm.models.mixed import MixedModel
from pymlm.models.model import Model
from pymlm.names import group_columns
from pymlm.results.base import Floats

#: A share of the sum of squares below this is rounding, not variation.
NO_VARIATION = 1e-10


def advise(text: str) -> None:
    """Give an AdviceWarning that points at the user's line."""
    warn(text, AdviceWarning)


@dataclass(frozen=True, slots=True)
class Groups:
    """One grouping column: codes from 0 (-1 missing), the groups that have rows, empty ones."""

    name: str
    codes: np.ndarray[Any, Any]
    labels: tuple[Any, ...]
    n_empty: int

    @property
    def n(self) -> int:
        """Groups that have rows."""
        return len(self.labels)

    @property
    def n_missing(self) -> int:
        """Rows without a group."""
        return int((self.codes < 0).sum())

    @property
    def sizes(self) -> np.ndarray[Any, Any]:
        """Rows per group."""
        return np.bincount(self.codes[self.codes >= 0], minlength=self.n)


def column(data: pd.DataFrame, name: str, what: str = "argument") -> pd.Series:
    """Return one column; DataError with near names where there is none."""
    if not isinstance(name, str):
        raise ArgumentError(f"the {what} is a column's name, not {name!r}")
    series = used_columns(data, [name], what).iloc[:, 0]
    if series.dtype == object:
        nested = next((v for v in series if not isinstance(v, Hashable)), None)
        if nested is not None:
            raise DataError(
                f"column {name!r} (dtype object) holds a {type(nested).__name__} in a cell. Give "
                "one number or one text a cell"
            )
    return series


def groups_of(data: pd.DataFrame, by: str) -> Groups:
    """Return the groups of a column.

    Raises
    ------
    DataError
        When there is no such column, or no row has a group.
    """
    series = _grouping(data, by)
    codes, labels = pd.factorize(series, sort=False)
    if len(labels) == 0:
        raise DataError(f"the grouping factor {by!r} is missing in every row")
    empty = 0
    if isinstance(series.dtype, pd.CategoricalDtype):
        empty = len(series.cat.categories) - len(labels)
    return Groups(by, codes, tuple(labels), empty)


def _grouping(data: pd.DataFrame, by: str) -> pd.Series:
    """A grouping column, or the combinations of several: "cask:batch", as lme4 names them."""
    known = {str(c) for c in data.columns}
    parts = group_columns(by, known) if isinstance(by, str) else []
    if len(parts) < 2 or not all(p in known for p in parts):
        return column(data, by, "grouping factor")
    series = [column(data, p) for p in parts]
    whole = series[0].astype(str)
    for part in series[1:]:
        whole = whole + ":" + part.astype(str)
    missing = np.logical_or.reduce([s.isna().to_numpy() for s in series])
    return whole.where(~missing)


def numbers(data: pd.DataFrame, name: str) -> Floats:
    """Return a numeric or boolean column as floats with NaN.

    Raises
    ------
    DataError
        For text, categories, dates, or infinite values.
    """
    series = column(data, name, "predictor")
    if not (
        pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype)
    ) or pd.api.types.is_complex_dtype(series.dtype):
        raise DataError(
            f"column {name!r} (dtype {series.dtype}) is not numeric. Code it first, e.g. as 0 and 1"
        )
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(values).any():
        raise DataError(f"column {name!r} holds infinite values")
    return values


def finite_values(values: Any, name: str) -> Floats:
    """Return an argument that is one number or several as an array, one number or more.

    Raises
    ------
    ArgumentError
    """
    try:
        found = np.atleast_1d(np.asarray(values, dtype=float))
    except (TypeError, ValueError):
        found = np.array([])
    if found.ndim != 1 or len(found) == 0 or not np.isfinite(found).all():
        raise ArgumentError(f"{name} must be a list of finite numbers, not {values!r}")
    return found


def group_means(values: Floats, codes: np.ndarray[Any, Any], n: int) -> Floats:
    """Mean of the known values of every group, NaN where a group has none; shape (n,)."""
    known = (codes >= 0) & ~np.isnan(values)
    count = np.bincount(codes[known], minlength=n)
    total = np.bincount(codes[known], weights=values[known], minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(count > 0, total / count, np.nan))


def spread(values: Floats, codes: np.ndarray[Any, Any], n: int) -> tuple[float, float]:
    """Sums of squares within and between groups, over rows that have both value and group."""
    known = (codes >= 0) & ~np.isnan(values)
    x, g = values[known], codes[known]
    if len(x) == 0:
        return math.nan, math.nan
    means = group_means(x, g, n)[g]
    return float(np.sum((x - means) ** 2)), float(np.sum((means - x.mean()) ** 2))


def names(value: str | Sequence[str], what: str) -> list[str]:
    """Return an argument that is one name or several as a list."""
    given = [value] if isinstance(value, str) else value
    found = list(given) if isinstance(given, Iterable) else []
    if not found or not all(isinstance(v, str) for v in found):
        raise ArgumentError(f"{what} is a column's name or a list of names, not {value!r}")
    if len(set(found)) < len(found):
        raise ArgumentError(f"{what} names a column twice: {', '.join(found)}")
    return found


# --- models ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomTerm:
    """One random term: its covariance and the mean cross-product of its columns over the rows."""

    group: str
    key: str
    terms: tuple[str, ...]
    covariance: Floats
    moments: Floats
    centred: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomPart:
    """The random part of a model, as the bridge's `ml_terms` sends it."""

    sigma: float
    residual: float
    nobs: int
    linear: bool
    terms: tuple[RandomTerm, ...]
    groups: dict[str, Floats]
    memberships: tuple[str, ...]

    @property
    def factors(self) -> tuple[str, ...]:
        """Grouping factors, outermost (fewest groups) first."""
        order = sorted(self.groups, key=lambda g: len(np.unique(self.groups[g])))
        return tuple(order)

    def whole(self, what: str) -> None:
        """Raise NotSupportedError where rows belong to several units of a factor."""
        if self.memberships:
            raise NotSupportedError(
                f"{what} needs every row to lie in one group; here rows belong to several "
                f"{', '.join(self.memberships)} (multiple membership)"
            )

    def level1(self) -> float:
        """Variance of level 1, or NotSupportedError for families where it has none."""
        if math.isnan(self.residual):
            raise NotSupportedError(
                "the level-1 variance is defined here for linear models and for binomial ones with "
                "logit, probit or cloglog link (on the latent scale); this family has none of its "
                "own"
            )
        return self.residual


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


def random_part(m: Model) -> RandomPart:
    """Return a model's random part, asked once; R refuses classes that have none."""
    return kept_answer(m, "ml_terms", lambda: _asked_part(m))


def _asked_part(m: Model) -> RandomPart:
    found: RandomPart = call_on(m, "ml_terms", RandomPart)
    return found


def data_of(m: MixedModel, what: str) -> pd.DataFrame:
    """Return the frame that a model was fitted to, or say that it has none."""
    data = source_of(m).data
    if data is None:
        raise DataError(f"{what}: this model came from a file, without its data frame; pass data=")
    return data


def one_group(m: MixedModel, by: str | None) -> str:
    """Return the grouping factor to work with; ArgumentError where it is not clear."""
    have = random_part(m).factors
    if by is None:
        if len(have) == 1:
            return have[0]
        raise ArgumentError(f"the model has several grouping factors; pass by= one of {have}")
    if by not in have:
        raise ArgumentError(
            f"no grouping factor {by!r} in this model."
            + near_names(by, have)
            + f" It has: {', '.join(have)}"
        )
    return by


def r_frame(data: pd.DataFrame, columns: Sequence[str]) -> Any:
    """Make the named columns ready for R."""
    return prepare(used_columns(data, columns))


__all__ = [
    "NO_VARIATION",
    "Groups",
    "RandomPart",
    "RandomTerm",
    "advise",
    "as_pandas",
    "column",
    "data_of",
    "finite_values",
    "fitted_model",
    "group_means",
    "groups_of",
    "mixed",
    "names",
    "numbers",
    "one_group",
    "r_frame",
    "random_part",
    "spread",
]
