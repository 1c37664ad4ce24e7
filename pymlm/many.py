"""Many fits of one formula: by group, or for many responses, in as many processes as wanted."""

from __future__ import annotations

import re
import warnings
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import pandas as pd

from pymlm.arguments import check_ddf, flag, refuse_unknown, text_list
from pymlm.errors import ArgumentError, DataError, FormulaError, PymlmError, near_names
from pymlm.frames import as_pandas
from pymlm.models.glmer import glmer
from pymlm.models.lmer import lmer
from pymlm.models.parallel import check_jobs, run
from pymlm.results.fixed import FixedEffects

Key = Hashable


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyFits:
    """Fits of one formula; ``fits[key]`` is one model.

    Attributes
    ----------
    names : tuple of str
        What the keys are: the columns of `by`, or "response", or both.
    models : dict
        Key -> fitted model. A key is one value, or a tuple where there are several `names`.
    tables : dict
        Key -> FixedEffects, the coefficient table.
    failures : dict
        Key -> Failure, for fits that R or pymlm refused.
    warnings : dict
        Key -> tuple of str, what was said of fits that came out.
    n_without_group : int
        Rows left out because `by` is missing in them.
    """

    names: tuple[str, ...]
    models: Mapping[Key, Any]
    tables: Mapping[Key, FixedEffects]
    failures: Mapping[Key, Failure]
    warnings: Mapping[Key, tuple[str, ...]]
    n_without_group: int = 0

    def __getitem__(self, key: Key) -> Any:
        if key in self.failures:
            failure = self.failures[key]
            raise DataError(f"the fit of {key!r} failed: {failure.error}: {failure.message}")
        if key not in self.models:
            known = [str(k) for k in self.models]
            near = near_names(str(key), known) or f" The first are: {', '.join(known[:10])}"
            raise ArgumentError(f"no fit {key!r}." + near)
        return self.models[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self.models)

    def __len__(self) -> int:
        return len(self.models)

    def to_frame(self) -> pd.DataFrame:
        """Return the coefficients of all fits: the keys, `term`, and FixedEffects' columns.

        Failed fits have one row each, with NaN, so that no group goes missing silently.
        """
        parts = []
        for key in [*self.tables, *self.failures]:
            table = self.tables.get(key)
            frame = pd.DataFrame({"term": [None]}) if table is None else _with_term(table)
            for i, (name, value) in enumerate(zip(self.names, _parts(key), strict=True)):
                frame.insert(i, name, [value] * len(frame))
            parts.append(frame)
        columns = [*self.names, "term", *FixedEffects._columns]
        if not parts:
            return pd.DataFrame(columns=columns)
        out = pd.concat([p.astype({"term": object}) for p in parts], ignore_index=True)
        return out.reindex(columns=columns)

    def failures_frame(self) -> pd.DataFrame:
        """Return the failures: the keys, error, message."""
        rows = [(*_parts(k), f.error, f.message) for k, f in self.failures.items()]
        return pd.DataFrame(rows, columns=[*self.names, "error", "message"])

    def __repr__(self) -> str:
        said = f", {self.n_without_group} rows without a group" if self.n_without_group else ""
        return (
            f"<ManyFits by {', '.join(self.names)}: {len(self.models)} fitted, "
            f"{len(self.failures)} failed, {len(self.warnings)} with warnings{said}>"
        )


def _with_term(table: FixedEffects) -> pd.DataFrame:
    frame = table.to_frame()
    frame.insert(0, "term", list(frame.index))
    return frame.reset_index(drop=True)


def _parts(key: Key) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def fit_many(
    formula: str,
    data: Any,
    by: str | Sequence[str] | None = None,
    responses: Sequence[str] | None = None,
    n_jobs: int = 1,
    progress: bool = True,
    ddf: str | None = "Satterthwaite",
    family: Any = None,
    **options: Any,
) -> ManyFits:
    """Fit one formula to every group of the data, or to many responses.

    Parameters
    ----------
    formula : str
        As in `pymlm.lmer`; with `responses` the left-hand side may be left out.
    data : DataFrame
    by : str or list of str, optional
        Columns whose values make the groups; each group is fitted to its own rows.
    responses : list of str, optional
        Columns that stand for the response, one fit each (for each group, with `by`).
    n_jobs : int
        Processes; −1 for one per core. Each starts an R of its own.
    progress : bool
        Show a progress bar on a terminal, where tqdm is installed.
    ddf : str or None
        Degrees of freedom of the coefficient tables; not used for a generalized model.
    family
        Fit ``pymlm.glmer`` of this family instead of ``pymlm.lmer``.
    **options
        Any other argument of `pymlm.lmer` or `pymlm.glmer`; weights and offset as column names.

    Returns
    -------
    ManyFits
        Models by key; fits that fail are data (``.failures``), not errors.

    Raises
    ------
    ArgumentError
        For unknown arguments; neither `by` nor `responses`; weights that are not a column.
    DataError
        For columns that the data have not.

    Examples
    --------
    >>> import pymlm as mlm
    >>> d = mlm.load_dataset("sleepstudy")
    >>> d["half"] = (d.Subject.cat.codes % 2).map({0: "even", 1: "odd"})
    >>> fits = mlm.fit_many("Reaction ~ Days + (1 | Subject)", d, by="half")
    >>> fits
    <ManyFits by half: 2 fitted, 0 failed, 0 with warnings>
    """
    function = lmer if family is None else glmer
    refuse_unknown("fit_many", options, [*signature(function).parameters])
    for name in ("weights", "offset"):
        if options.get(name) is not None and not isinstance(options[name], str):
            raise ArgumentError(f"{name} must be a column's name here, so that it follows the rows")
    if family is not None:
        options["family"] = family
    frame = as_pandas(data)
    columns = _columns(by, "by", frame)
    answers = _columns(responses, "responses", frame)
    if not columns and not answers:
        raise ArgumentError("give by= (one fit per group) or responses= (one per column), or both")
    method = None if family is not None else check_ddf(ddf)
    groups, n_without = _groups(frame, columns)
    tasks = []
    keys: list[Key] = []
    for key, part in groups:
        for response in answers or [""]:
            whole = ([response] if response else []) + list(key)
            keys.append(whole[0] if len(whole) == 1 else tuple(whole))
            text = formula if not response else _with_response(formula, response)
            tasks.append((family is not None, text, part, options, method))
    fits = run(_fit_one, tasks, check_jobs(n_jobs), flag(progress, "progress"))
    made = dict(zip(keys, fits, strict=True))
    return ManyFits(
        names=tuple((["response"] if answers else []) + columns),
        models={k: f.model for k, f in made.items() if f.failure is None},
        tables={k: f.table for k, f in made.items() if f.table is not None},
        failures={k: f.failure for k, f in made.items() if f.failure is not None},
        warnings={k: f.said for k, f in made.items() if f.said and f.failure is None},
        n_without_group=n_without,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    model: Any = None
    table: FixedEffects | None = None
    failure: Failure | None = None
    said: tuple[str, ...] = ()


def _fit_one(
    generalized: bool, formula: str, data: pd.DataFrame, options: dict[str, Any], ddf: str | None
) -> _Fit:
    """One fit and its table, here or in a worker; what is refused comes back as data."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            model = (glmer if generalized else lmer)(formula, data, **options)
            table = model.summary(ddf=ddf).fixed
        except PymlmError as error:
            return _Fit(failure=Failure(error=type(error).__name__, message=str(error)))
    said = tuple(dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in heard))
    return _Fit(model=model, table=table, said=said)


def _columns(names: str | Sequence[str] | None, argument: str, frame: pd.DataFrame) -> list[str]:
    wanted = text_list(names, argument) or []
    for name in wanted:
        if name not in frame.columns:
            known = [str(c) for c in frame.columns]
            raise DataError(f"{argument}: no column {name!r}." + near_names(str(name), known))
    if len(set(wanted)) != len(wanted):
        raise ArgumentError(f"{argument} must name different columns, not {names!r}")
    return wanted


def _groups(
    frame: pd.DataFrame, columns: list[str]
) -> tuple[list[tuple[tuple[Any, ...], pd.DataFrame]], int]:
    if not columns:
        return [((), frame)], 0
    missing = frame[columns].isna().any(axis=1)
    grouped = frame.groupby(columns, observed=True, sort=True)
    parts = [(key if isinstance(key, tuple) else (key,), part) for key, part in grouped]
    return parts, int(missing.sum())


def _with_response(formula: str, response: str) -> str:
    """Put `response` in the place of the formula's left-hand side."""
    # The first "~" outside backticks and strings.
    found = re.match(r"""(?:[^~`'"]|`[^`]*`|'[^']*'|"[^"]*")*~""", formula)
    if found is None:
        raise FormulaError(f"no '~' in the formula {formula!r}")
    name = response if re.fullmatch(r"[A-Za-z][A-Za-z0-9_.]*", response) else f"`{response}`"
    return f"{name} ~{formula[found.end() :]}"
