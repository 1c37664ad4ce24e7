"""What many fits are: their keys in order, and the task that makes each."""

from __future__ import annotations

import re
import secrets
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from pymlm.errors import DataError, FormulaError, PymlmError
from pymlm.formula import Formula
from pymlm.many.tables import Failure, Tables
from pymlm.many.work import Design, Job, check_task, fit_groups, fit_responses
from pymlm.models.fitting import make_task


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Keys in order, and how each fit is made.

    Attributes
    ----------
    names : tuple of str
    keys : list of tuple
    job : Job
    frame : DataFrame
    formula : str
    rows : dict
        Group -> positions of its rows; one group of all rows without `by`.
    answers : list of str
        Responses, or one empty text.
    design : Design or None
        Of all rows, where `responses` share it.
    alone : set of int
        Positions of responses that the formula uses on its right side, too.
    n_without_group : int
    """

    names: tuple[str, ...]
    keys: list[tuple[Any, ...]]
    job: Job
    frame: pd.DataFrame
    formula: str
    rows: dict[tuple[Any, ...], Any]
    answers: list[str]
    design: Design | None
    alone: frozenset[int]
    n_without_group: int

    @classmethod
    def of(
        cls, formula: str, frame: pd.DataFrame, columns: list[str], answers: list[str], job: Job
    ) -> Plan:
        rows, lost = _groups(frame, columns)
        keys = [
            (*([answer] if answer else []), *group)
            for group in rows for answer in answers or [""]
        ]  # fmt: skip
        design, alone = None, frozenset[int]()
        if answers:
            right = _right_side(formula)
            if not columns and not job.one_by_one:
                design, alone = _shared_design(right, frame, answers, job)
        return cls(
            names=tuple((["response"] if answers else []) + columns), keys=keys, job=job,
            frame=frame, formula=formula, rows=rows, answers=answers or [""], design=design,
            alone=alone, n_without_group=lost,
        )  # fmt: skip

    def text_and_rows(self, number: int) -> tuple[str, pd.DataFrame]:
        """The formula and the data of one fit."""
        key = self.keys[number]
        answer = self.answers[number % len(self.answers)]
        text = _with_response(self.formula, answer) if answer else self.formula
        positions = self.rows[key[1:] if answer else key]
        return text, self.frame if positions is None else self.frame.iloc[positions]

    def refit(self, key: tuple[Any, ...]) -> Any:
        """The model of one fit, made again."""
        return self.job.model(*self.text_and_rows(self.keys.index(key)))


def _shared_design(
    right: str, frame: pd.DataFrame, answers: list[str], job: Job
) -> tuple[Design | None, frozenset[int]]:
    with warnings.catch_warnings():  # each fit says it, as data
        warnings.simplefilter("ignore")
        task = make_task(right, frame, dict(job.options), None)
    check_task(job, replace(task.formula, two_sided=True), frame.iloc[:0])
    if task.formula.dot:
        return None, frozenset()
    used = set(task.formula.names) | {
        str(job.options[n]) for n in ("weights", "offset") if job.options.get(n)
    }
    return Design.of(task), frozenset(i for i, a in enumerate(answers) if a in used)


Part = tuple[list[int], Callable[[int, int], tuple[Callable[..., Tables], tuple[Any, ...]]]]


def parts_of(plan: Plan, numbers: list[int]) -> tuple[Part, Part]:
    """Fits that share the design, and those that stand alone, each with what makes their task."""
    shared = plan.design is not None
    together = [i for i in numbers if shared and i not in plan.alone]
    apart = [i for i in numbers if not shared or i in plan.alone]
    token = secrets.token_hex(8)

    def responses(first: int, last: int) -> tuple[Callable[..., Tables], tuple[Any, ...]]:
        wanted = [plan.answers[i] for i in together[first:last]]
        values, refused = _values(plan, wanted)
        return _some_refused, (token, plan.job, plan.design, values, refused)

    def groups(first: int, last: int) -> tuple[Callable[..., Tables], tuple[Any, ...]]:
        return fit_groups, (plan.job, [_thin(plan, i) for i in apart[first:last]])

    return (together, responses), (apart, groups)


def _thin(plan: Plan, number: int) -> tuple[str, pd.DataFrame]:
    """A fit's formula and data, without the responses of other fits."""
    text, data = plan.text_and_rows(number)
    others = set(plan.answers) - {plan.answers[number % len(plan.answers)]}
    if len(others) < 2:
        return text, data
    words = set(re.findall(r"[^\s~+*:|()/`,^-]+", text)) | {text}
    droppable = [c for c in data.columns if str(c) in others and str(c) not in words]
    # A name that the formula may use in any way stays.
    droppable = [c for c in droppable if "." not in words and str(c) not in text]
    return text, data.drop(columns=droppable)


def _some_refused(
    token: str, job: Job, design: Design, values: Any, refused: dict[int, Failure]
) -> Tables:
    """Fit the responses that can be; the others are failures already."""
    good = [j for j in range(values.shape[1]) if j not in refused]
    out = Tables(failures=dict(refused))
    if not good:
        return out
    try:
        found = fit_responses(token, job, design, values[:, good])
    except PymlmError as error:
        # Of the whole design: each fit on its own says why.
        failure = Failure(error=type(error).__name__, message=str(error))
        out.failures.update(dict.fromkeys(good, failure))
        return out
    out.take(found.renumbered(good))
    return out


def _values(plan: Plan, wanted: list[str]) -> tuple[Any, dict[int, Failure]]:
    """Responses as one matrix, NaN where they miss; what cannot be a response is a failure."""
    assert plan.design is not None
    values = np.full((len(plan.frame), len(wanted)), np.nan, order="F")
    refused = {}
    where = {str(c): i for i, c in enumerate(plan.frame.columns)}
    for j, name in enumerate(wanted):
        series = plan.frame.iloc[:, where[name]]
        formula = replace(
            plan.design.formula, response=name, response_names=(name,), two_sided=True
        )
        try:
            values[:, j] = _numbers(name, series, formula, plan)
        except PymlmError as error:
            refused[j] = Failure(error=type(error).__name__, message=str(error))
    return values, refused


def _numbers(name: str, series: pd.Series, formula: Formula, plan: Plan) -> Any:
    check_task(plan.job, formula, plan.frame)
    if not (
        pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype)
    ):
        raise DataError(
            f"the response {name!r} is not numeric (dtype {series.dtype}). Convert it, or fit it "
            "by glmer itself, which takes a two-valued response"
        )
    numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(numbers).any():
        raise DataError(f"the response {name!r} has {int(np.isinf(numbers).sum())} infinite values")
    if np.isnan(numbers).all():
        raise DataError(f"every one of the {len(numbers)} rows misses the response {name!r}")
    return numbers


def _groups(frame: pd.DataFrame, columns: list[str]) -> tuple[dict[tuple[Any, ...], Any], int]:
    if not columns:
        return {(): None}, 0
    missing = frame[columns].isna().any(axis=1)
    grouped = frame.groupby(columns, observed=True, sort=True)
    rows = {k if isinstance(k, tuple) else (k,): v for k, v in grouped.indices.items()}
    order = [k if isinstance(k, tuple) else (k,) for k, _ in grouped[columns[:1]]]
    return {k: rows[k] for k in order}, int(missing.sum())


def _right_side(formula: str) -> str:
    """The formula without its response."""
    return "~" + formula[_tilde(formula) :]


def _with_response(formula: str, response: str) -> str:
    """Put `response` in the place of the formula's left-hand side."""
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_.]*", response)
    name = response if plain else "`" + response.replace("\\", "\\\\").replace("`", "\\`") + "`"
    return f"{name} ~{formula[_tilde(formula) :]}"


def _tilde(formula: str) -> int:
    """Where the right side begins: after the first "~" outside backticks and strings."""
    found = re.match(r"""(?:[^~`'"]|`[^`]*`|'[^']*'|"[^"]*")*~""", str(formula))
    if found is None:
        raise FormulaError(f"no '~' in the formula {formula!r}")
    return found.end()
