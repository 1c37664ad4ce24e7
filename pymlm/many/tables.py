"""What many fits leave behind: long tables by column, without a model or an R object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from pymlm.results.base import ESTIMATES, Floats
from pymlm.results.fixed import FixedEffects

#: The tables of many fits: coefficients, one row a fit, variances, theta, conditional modes.
TableName = Literal["tidy", "glance", "varcorr", "theta", "ranef"]

COLUMNS: Mapping[TableName, tuple[str, ...]] = {
    "tidy": ("term", *ESTIMATES),
    "glance": (
        "nobs", "sigma", "loglik", "aic", "bic", "reml_criterion", "deviance", "df_residual",
        "npar", "singular", "converged", "max_gradient", "ddf_engine",
    ),
    "varcorr": ("grp", "var1", "var2", "vcov", "sdcor"),
    "theta": ("name", "theta"),
    "ranef": ("grpvar", "term", "grp", "condval"),
}  # fmt: skip
_TEXT = frozenset({"term", "grp", "var1", "var2", "name", "grpvar", "ddf_engine"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why one of the fits failed.

    Attributes
    ----------
    error : str
        Name of the error's class, e.g. "FitError".
    message : str
    """

    error: str
    message: str


@dataclass(slots=True)
class Tables:
    """Rows of some fits, which are known by their number.

    Attributes
    ----------
    rows : dict
        Name of a table -> pieces, each a mapping of columns of one length; ``fit`` is the number.
    failures : dict of int to Failure
    said : dict of int to tuple of str
        What was said of fits that came out.
    models : dict of int to model
        Where models are kept.
    """

    rows: dict[TableName, list[dict[str, Any]]] = field(default_factory=dict)
    failures: dict[int, Failure] = field(default_factory=dict)
    said: dict[int, tuple[str, ...]] = field(default_factory=dict)
    models: dict[int, Any] = field(default_factory=dict)

    def add(self, table: TableName, fit: Any, **columns: Any) -> None:
        """Add rows; `fit` has the number of each row's fit."""
        self.rows.setdefault(table, []).append({"fit": np.asarray(fit, dtype=np.int64)} | columns)

    def take(self, other: Tables) -> None:
        """Take over what was done elsewhere."""
        for name, pieces in other.rows.items():
            self.rows.setdefault(name, []).extend(pieces)
        self.failures.update(other.failures)
        self.said.update(other.said)
        self.models.update(other.models)

    def renumbered(self, numbers: Sequence[int]) -> Tables:
        """Return the same with number ``numbers[i]`` for each fit i."""
        places = np.asarray(numbers, dtype=np.int64)
        return Tables(
            rows={
                name: [p | {"fit": places[p["fit"]]} for p in pieces]
                for name, pieces in self.rows.items()
            },
            failures={numbers[k]: v for k, v in self.failures.items()},
            said={numbers[k]: v for k, v in self.said.items()},
            models={numbers[k]: v for k, v in self.models.items()},
        )

    def frame(self, table: TableName) -> pd.DataFrame:
        """All rows of a table in the order of the fits: ``fit``, then the table's columns."""
        pieces = self.rows.get(table, [])
        columns: dict[str, Any] = {name: _joined(pieces, name) for name in ("fit", *COLUMNS[table])}
        frame = pd.DataFrame(columns)
        return frame.sort_values("fit", kind="stable", ignore_index=True)

    @property
    def done(self) -> set[int]:
        """Numbers of the fits that are done, failures included."""
        numbers: set[int] = set(self.failures)
        for piece in self.rows.get("glance", []):
            numbers.update(piece["fit"].tolist())
        return numbers


def _joined(pieces: Sequence[Mapping[str, Any]], name: str) -> Any:
    parts = []
    for piece in pieces:
        n, value = len(piece["fit"]), piece.get(name)
        kind: Any = object if name in _TEXT else None
        if value is None:
            parts.append(np.full(n, None if kind else np.nan, dtype=kind))
        elif np.ndim(value) == 0:
            parts.append(np.full(n, value, dtype=kind))
        else:
            parts.append(np.asarray(value, dtype=kind))
    if not parts:
        return np.empty(0, dtype=object if name in _TEXT else np.float64)
    return np.concatenate(parts)


def fixed_effects(rows: pd.DataFrame, ddf: str | None, statistic_name: str) -> FixedEffects:
    """Make one fit's coefficient table of its rows."""

    def column(name: str) -> Floats | None:
        values = rows[name].to_numpy(dtype=np.float64)
        return None if np.isnan(values).all() else values

    values: dict[str, Any] = {name: column(name) for name in ESTIMATES}
    for name in ("estimate", "std_error", "statistic", "conf_low", "conf_high"):
        if values[name] is None:
            values[name] = rows[name].to_numpy(dtype=np.float64)
    return FixedEffects(term=tuple(rows["term"]), statistic_name=statistic_name, ddf=ddf, **values)


def keyed(
    frame: pd.DataFrame, names: Sequence[str], keys: Sequence[tuple[Any, ...]]
) -> pd.DataFrame:
    """Put the fits' keys, a column each, into the place of their numbers."""
    numbers = frame.pop("fit").to_numpy(dtype=np.int64)
    for i, name in enumerate(names):
        values = pd.Series([key[i] for key in keys])
        frame.insert(i, name, values.iloc[numbers].reset_index(drop=True))
    return frame


def missing_rows(fits: Iterable[int], table: TableName) -> pd.DataFrame:
    """One row without numbers for every fit that failed, so that none goes missing silently."""
    number = np.array(sorted(fits), dtype=np.int64)
    columns: dict[str, Any] = {"fit": number}
    for name in COLUMNS[table]:
        columns[name] = (
            np.full(len(number), None, dtype=object)
            if name in _TEXT
            else np.full(len(number), np.nan)
        )
    return pd.DataFrame(columns)
