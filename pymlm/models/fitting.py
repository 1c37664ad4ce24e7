"""The steps of every fit: vet the formula, prepare the frame, fit, say what converged."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from pymlm.arguments import flag, seconds
from pymlm.engine import Frame, RObject, call
from pymlm.errors import (
    ArgumentError,
    ConvergenceWarning,
    DataError,
    FormulaError,
    PymlmWarning,
    SingularFitWarning,
    near_names,
    warn,
)
from pymlm.formula import Formula, vet
from pymlm.frame_keys import check_names_in_r
from pymlm.frames import (
    any_complete,
    as_pandas,
    check_some_complete,
    per_row,
    prepare,
    row_label,
    used_columns,
)
from pymlm.models.advice import about_data, about_double_bars, about_formula, advise
from pymlm.models.base import Source
from pymlm.models.coding import factor_contrasts
from pymlm.models.own import own_frame, own_value
from pymlm.results.summary import Convergence

#: Columns under which weights and offset travel when they are given as arrays; a number follows
#: where the data have a column of that name.
WEIGHTS, OFFSET = ".weights", ".offset"
#: Starting values of every row, for generalized models.
ROW_STARTS = ("mustart", "etastart")
#: What R's call may name beside the data.
BOUND = (".contrasts", "nonlinear")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A fit made ready: what goes to R, and what stays."""

    formula: Formula
    frame: Frame
    data_name: str
    weights: str | None
    offset: str | None
    contrasts: dict[str, Any] | None
    source: Source
    timeout: float | None
    row_starts: dict[str, str] = field(default_factory=dict)

    def fitted_by(self, fit: Callable[..., Any]) -> Source:
        """The source of the model that `fit` made, which can make another of it."""
        return replace(self.source, fit=fit)

    @property
    def data(self) -> pd.DataFrame:
        """The model's own copy of the frame that the user gave."""
        assert self.source.data is not None  # only models from files have none
        return self.source.data


def make_task(
    formula: str,
    data: Any,
    arguments: dict[str, Any],
    timeout: float | None,
    parameters: Sequence[str] = (),
    mixed: bool = False,
) -> Task:
    """Vet the formula and prepare the columns that the model uses.

    `arguments` are those of the fit, as the user gave them: here weights, offset, contrasts,
    data_name and trusted are read; all are kept for `update`. `parameters` are names in the formula
    that are no columns (of a nonlinear model); `mixed` says that a bar makes random effects.

    Raises
    ------
    FormulaError, DataError, ArgumentError
        Before R has fitted anything.

    Warns
    -----
    AdviceWarning
        For a formula or a column that R takes for something else than the user does.
    """
    frame = as_pandas(data)
    trusted = flag(arguments.get("trusted", False), "trusted")
    limit = seconds(timeout)
    vetted = vet(formula, trusted=trusted, columns=frame.columns, timeout=limit, rows=len(frame))
    names = [n for n in vetted.names if n not in parameters]
    if trusted:  # a trusted formula may name what is no column
        have = {str(c) for c in frame.columns}
        names = [n for n in names if n in have]
    if vetted.dot:
        names = list(dict.fromkeys([*(str(c) for c in frame.columns), *names]))
    used = used_columns(frame, names)  # a frame of its own, to which columns may be added
    taken = {str(c) for c in frame.columns} | set(vetted.names) | set(parameters)
    ours = {name: _free(name, taken) for name in (WEIGHTS, OFFSET, *(f".{n}" for n in ROW_STARTS))}
    _refuse_coding_of_numbers(vetted.text, used)
    weights_name = _add_per_row(used, frame, arguments.get("weights"), "weights", ours[WEIGHTS])
    offset_name = _add_per_row(used, frame, arguments.get("offset"), "offset", ours[OFFSET])
    starts = {n: _add_per_row(used, frame, arguments.get(n), n, ours[f".{n}"]) for n in ROW_STARTS}
    named = {weights_name, offset_name, *starts.values()}
    hidden = tuple(n for n in named if n and n in ours.values())
    keys = [k for k in vetted.keys if k not in named]
    check_names_in_r(used, {*vetted.keys_and_values, *(k for k in vetted.keys if k in named)})
    ready = prepare(used, row_names=True, hidden=hidden, keys=keys)
    advise(
        *about_formula(vetted, mixed),
        *about_data(vetted, ready),
        *about_double_bars(vetted, ready),
    )
    if not any_complete(ready):
        check_some_complete(used)  # which says why
    return Task(
        formula=vetted,
        frame=ready,
        data_name=_data_name(arguments.get("data_name"), frame),
        weights=weights_name,
        offset=offset_name,
        contrasts=factor_contrasts(arguments.get("contrasts"), used),
        source=_own_source(frame, tuple(map(str, used.columns)), arguments),
        timeout=limit,
        row_starts={n: name for n, name in starts.items() if name is not None},
    )


def _refuse_coding_of_numbers(formula: str, used: pd.DataFrame) -> None:
    """Refuse Python's C(x) of a number: R's C() sets the contrasts of what is a factor already."""
    for name in re.findall(r"\bC\(\s*`?([^`,()]+?)`?\s*[,)]", formula):
        if name in used.columns and pd.api.types.is_numeric_dtype(used[name].dtype):
            raise FormulaError(
                f"the formula has C({name}), and {name!r} is a column of numbers: R's C() sets "
                f"the contrasts of a factor. To make it a factor write factor({name})"
            )


def _free(name: str, taken: Collection[str]) -> str:
    """`name`, or the first of name1, name2 ... that neither the data nor the formula has."""
    return next(n for n in (name, *(f"{name}{i}" for i in range(1, len(taken) + 2)))
                if n not in taken)  # fmt: skip


def _own_source(frame: pd.DataFrame, sent: tuple[str, ...], arguments: dict[str, Any]) -> Source:
    own = own_frame(frame, sent)
    kept = {name: own_value(value) for name, value in arguments.items()}
    return Source(index=own.index, data=own, sent=sent, arguments=kept)


def _add_per_row(
    used: pd.DataFrame, data: pd.DataFrame, value: Any, name: str, hidden: str
) -> str | None:
    if value is None:
        return None
    numbers = per_row(value, name, data)
    if name == "weights" and (numbers <= 0).any():
        first = int(np.argmax(numbers.to_numpy() <= 0))
        raise DataError(
            f"weights must be above 0; row {row_label(numbers.index, first)} has "
            f"{numbers.iloc[first]}. Leave rows out of the data instead of giving them no weight"
        )
    if isinstance(value, str):
        if value not in used.columns:
            used[value] = used_columns(data, [value]).iloc[:, 0]
        return value
    used[hidden] = numbers.to_numpy()
    return hidden


def _data_name(given: str | None, data: pd.DataFrame) -> str:
    name = given if given is not None else data.attrs.get("name", "data")
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise ArgumentError(f"data_name must be a name for R's call, not {name!r}")
    if name in BOUND:
        raise ArgumentError(f"data_name={name!r}: R's call may name something of pymlm's so")
    return name


def check_response(formula: Formula, data: pd.DataFrame) -> None:
    """Refuse a linear model's response that is text, a category or a date.

    Raises
    ------
    FormulaError, DataError
    """
    if formula.response is None or formula.response not in map(str, data.columns):
        return
    at = [i for i, c in enumerate(data.columns) if str(c) == formula.response]
    dtype = data.iloc[:, at[0]].dtype
    if not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)):
        raise DataError(
            f"the response {formula.response!r} is not numeric (dtype {dtype}). Convert it, e.g. "
            "with pd.to_numeric(...), or use glmer for a two-valued response"
        )


def check_mixed(formula: Formula, instead: str) -> None:
    """Refuse a formula without a response, or without random effects.

    Raises
    ------
    FormulaError
        Naming `instead`, the function for models without random effects.
    """
    if not formula.two_sided:
        raise FormulaError("the formula has no response; write e.g. 'y ~ x + (1 | g)'")
    if not formula.n_bars:
        raise FormulaError(
            f"the formula has no random effects; write e.g. '(1 | g)', or use {instead}"
        )


def as_start(start: Any, names: Sequence[str] = ("theta",)) -> Any:
    """Return starting values as R takes them: numbers, or a list of the parts in `names`.

    Raises
    ------
    ArgumentError
        For a part that there is not, or values that are no finite numbers.
    """
    if start is None:
        return None
    if isinstance(start, Mapping):
        for name in start:
            if name not in names:
                raise ArgumentError(
                    f"start has no part {name!r}." + near_names(str(name), names)
                    + f" It takes: {', '.join(names)}."
                )  # fmt: skip
        if {"fixef", "beta"} <= set(start):
            raise ArgumentError("start: 'beta' and 'fixef' are one; give one of them")
        # lme4 before 2.0 knows the first name alone.
        return {
            "fixef" if k == "beta" else str(k): _finite_numbers(v, f"start[{k!r}]")
            for k, v in start.items()
        }
    return _finite_numbers(start, "start")


def _finite_numbers(values: Any, name: str) -> list[float]:
    try:
        numbers = [float(x) for x in np.ravel(np.asarray(values, dtype=float))]
    except (TypeError, ValueError):
        raise ArgumentError(f"{name} must be numbers, not {values!r}") from None
    if not numbers or not np.isfinite(numbers).all():
        raise ArgumentError(f"{name} must be finite numbers, not {values!r}")
    return numbers


def fit(function: str, task: Task, /, **kwargs: Any) -> RObject:
    """Run the fit in R; a typed error carries R's message whole."""
    if function not in _WITHOUT_CONTRASTS:
        kwargs["contrasts"] = task.contrasts
    if task.row_starts:
        kwargs["row_starts"] = task.row_starts
    handle: RObject = call(
        function,
        task.formula.text,
        task.frame,
        task.data_name,
        weights=task.weights,
        offset=task.offset,
        fitting=True,
        timeout=task.timeout,
        **kwargs,
    )
    return handle


_WITHOUT_CONTRASTS = ("fit_nlmer", "fit_lm_list")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    fit: Any
    convergence: Convergence


def fit_checked(function: str, task: Task, /, **kwargs: Any) -> tuple[RObject, Convergence]:
    """Run the fit in R as `fit` does, and bring along what lme4's checks found."""
    args = {
        "formula": task.formula.text, "data": task.frame, "data_name": task.data_name,
        "weights": task.weights, "offset": task.offset, "contrasts": task.contrasts, **kwargs,
    }  # fmt: skip
    found: _Checked = call(
        "fit_checked", function, args, into=_Checked, fitting=True, timeout=task.timeout
    )
    return found.fit, found.convergence


def convergence_words(convergence: Convergence) -> list[tuple[str, type[PymlmWarning]]]:
    """What lme4's checks found, in words, each with the warning that it is."""
    out: list[tuple[str, type[PymlmWarning]]] = []
    if convergence.singular:
        where = "; ".join(convergence.singular_terms)
        out.append((
            f"the fit is singular: no variance of its own in {where}. See m.convergence and lme4's "
            "help('isSingular')",
            SingularFitWarning,
        ))  # fmt: skip
    if not convergence.ok and convergence.optimizer != ("none",):  # which was asked for
        code = [w for w in convergence.optimizer_warnings if w.startswith("convergence code")]
        said = (*convergence.failures, *code)
        out.append(not_converged(said or (f"optimizer code {convergence.optimizer_code}",)))
    return out


def not_converged(said: Sequence[str]) -> tuple[str, type[PymlmWarning]]:
    """What failed checks say, in words, with the warning that it is."""
    return f"the fit may not have converged: {'; '.join(said)}", ConvergenceWarning


def warn_about(convergence: Convergence) -> None:
    """Say once, as Python warnings, what lme4's checks found."""
    for text, category in convergence_words(convergence):
        warn(text, category)
