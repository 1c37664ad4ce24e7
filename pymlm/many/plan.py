"""What many fits are: their keys in order, and the task that makes each."""

from __future__ import annotations

import itertools
import re
import secrets
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from pymlm.errors import DataError, PymlmError
from pymlm.formula import quoted, right_side, sides, vet
from pymlm.frames import prepare
from pymlm.many.tables import Failure, Tables
from pymlm.many.work import (
    Design,
    Job,
    Piece,
    check_task,
    fit_each,
    fit_groups,
    fit_pieces,
    in_words,
)
from pymlm.models.advice import about_bar, advise
from pymlm.models.fitting import make_task

Task = tuple[Callable[..., Tables], tuple[Any, ...]]
#: Numbers of some fits, and what makes the task of those from one position to before another.
Part = tuple[list[int], Callable[[int, int], Task]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Keys in order, and how each fit is made.

    Attributes
    ----------
    names : tuple of str
    keys : list of tuple
        Group by group, in each the responses in their order.
    job : Job
    frame : DataFrame
    formula : str
    groups : list of tuple
        Key of each group and the positions of its rows; one group of all (None) without `by`.
    answers : list of str
        Responses, or one empty text.
    design : Design or None
        Of all rows; without the response where there are `answers`.
    alone : set of int
        Positions of responses that the formula uses on its right side, too.
    n_without_group : int
    """

    names: tuple[str, ...]
    keys: list[tuple[Any, ...]]
    job: Job
    frame: pd.DataFrame
    formula: str
    groups: list[tuple[tuple[Any, ...], Any]]
    answers: list[str]
    design: Design | None
    alone: frozenset[int]
    n_without_group: int

    @classmethod
    def of(
        cls, formula: str, frame: pd.DataFrame, columns: list[str], answers: list[str], job: Job
    ) -> Plan:
        """Plan the fits of `formula` to every group and response.

        Raises
        ------
        FormulaError, DataError
            For what no fit could be made of.
        """
        groups, lost = _groups(frame, columns)
        keys = [
            (*([answer] if answer else []), *group)
            for group, _ in groups for answer in answers or [""]
        ]  # fmt: skip
        text = right_side(formula) if answers else formula
        design, alone = (None, frozenset[int]()) if job.one_by_one else _shared(
            text, frame, answers, job
        )  # fmt: skip
        return cls(
            names=tuple((["response"] if answers else []) + columns), keys=keys, job=job,
            frame=frame, formula=formula, groups=groups, answers=answers or [""], design=design,
            alone=alone, n_without_group=lost,
        )  # fmt: skip

    def group_of(self, number: int) -> int:
        """Which group a fit belongs to."""
        return number // len(self.answers)

    def answer_of(self, number: int) -> int:
        """Which response a fit has."""
        return number % len(self.answers)

    def text_and_rows(self, number: int) -> tuple[str, pd.DataFrame]:
        """The formula and the data of one fit."""
        answer = self.answers[self.answer_of(number)]
        text = _with_response(self.formula, answer) if answer else self.formula
        rows = self.groups[self.group_of(number)][1]
        return text, self.frame if rows is None else self.frame.iloc[rows]

    def refit(self, number: int) -> Any:
        """The model of one fit, made again."""
        return self.job.model(*self.text_and_rows(number))


def _shared(
    text: str, frame: pd.DataFrame, answers: list[str], job: Job
) -> tuple[Design | None, frozenset[int]]:
    """The design of all rows, None where each fit must be made alone; and responses that must."""
    try:
        with warnings.catch_warnings(record=True) as heard:  # data of every fit
            warnings.simplefilter("always")
            task = make_task(text, frame, dict(job.options), None, mixed=True)
            if answers:  # of a right side alone it is not said
                advise(*about_bar(vet(f"y {text}", trusted=True)))
        formula = replace(task.formula, two_sided=True) if answers else task.formula
        check_task(job, formula, frame.iloc[:0] if answers else frame)
    except DataError:  # in some rows: the other groups' fits go on
        return None, frozenset()
    contrasts = job.options.get("contrasts") or {}
    whole = all(isinstance(c, str) for c in contrasts.values())
    if task.formula.dot or not whole:  # matrices are checked against each fit's levels
        return None, frozenset()
    used = set(task.formula.names) | {
        str(job.options[n]) for n in ("weights", "offset") if job.options.get(n)
    }
    return Design.of(task, in_words(heard)), frozenset(
        i for i, a in enumerate(answers) if a in used
    )


def parts_of(plan: Plan, numbers: list[int]) -> tuple[Part, Part]:
    """Fits that share the design, and those that stand alone, each with what makes their task."""
    shared = plan.design is not None
    together = [i for i in numbers if shared and plan.answer_of(i) not in plan.alone]
    apart = [i for i in numbers if not shared or plan.answer_of(i) in plan.alone]
    token = secrets.token_hex(8)

    def of_design(first: int, last: int) -> Task:
        assert plan.design is not None
        wanted = together[first:last]
        if plan.answers != [""]:
            return fit_pieces, (token, plan.job, plan.design, _pieces(plan, wanted))
        rows = [plan.groups[plan.group_of(i)][1] for i in wanted]
        frame = plan.design.frame.cut(np.concatenate(rows))  # a worker gets its own rows only
        ends = np.cumsum([0, *map(len, rows)])
        places = [np.arange(a, b) for a, b in itertools.pairwise(ends)]
        return fit_groups, (plan.job, replace(plan.design, frame=frame), places)

    def one_by_one(first: int, last: int) -> Task:
        return fit_each, (plan.job, [_thin(plan, i) for i in apart[first:last]])

    return (together, of_design), (apart, one_by_one)


def _thin(plan: Plan, number: int) -> tuple[str, pd.DataFrame]:
    """A fit's formula and data, without the responses that its formula cannot mean."""
    text, data = plan.text_and_rows(number)
    others = set(plan.answers) - {plan.answers[plan.answer_of(number)]}
    away = [c for c in data.columns if str(c) in others and str(c) not in text]
    return (text, data) if "." in text else (text, data.drop(columns=away))


def _pieces(plan: Plan, wanted: list[int]) -> list[Piece]:
    """The responses of `wanted`, group by group."""
    out = []
    for g, numbers in itertools.groupby(wanted, plan.group_of):
        rows = plan.groups[g][1]
        names = [plan.answers[plan.answer_of(i)] for i in numbers]
        values, refused = _values(plan, names, rows)
        out.append(Piece(group=g, rows=rows, values=values, refused=refused))
    return out


def _values(plan: Plan, wanted: list[str], rows: Any) -> tuple[Any, dict[int, Failure]]:
    """Responses as one matrix, NaN where they miss; what cannot be a response is a failure."""
    assert plan.design is not None
    frame = plan.frame if rows is None else plan.frame.iloc[rows]
    values = np.full((len(frame), len(wanted)), np.nan, order="F")
    refused = {}
    where = {str(c): i for i, c in enumerate(frame.columns)}
    # A response's range is that of the rows that are used. Not all columns: looking through them
    # for each response grows with the square of their number.
    names = plan.design.formula.names if plan.job.generalized else ()
    beside = [where[n] for n in names if n in where]
    for j, name in enumerate(wanted):
        at = where[name]
        column = frame.iloc[:, at : at + 1]
        formula = replace(
            plan.design.formula, response=name, response_names=(name,), two_sided=True
        )
        try:
            check_task(plan.job, formula, frame.iloc[:, [at, *beside]] if beside else column)
            values[:, j] = _numbers(name, column)
        except PymlmError as error:
            refused[j] = Failure(error=type(error).__name__, message=str(error))
    return values, refused


def _numbers(name: str, column: pd.DataFrame) -> Any:
    series = column.iloc[:, 0]
    if not (
        pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype)
    ):
        raise DataError(
            f"the response {name!r} is not numeric (dtype {series.dtype}). Convert it, or fit it "
            "by glmer itself, which takes a two-valued response"
        )
    prepare(column)  # which refuses what a single fit would not take
    numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isnan(numbers).all():
        raise DataError(f"every one of the {len(numbers)} rows misses the response {name!r}")
    return numbers


def _groups(frame: pd.DataFrame, columns: list[str]) -> tuple[list[tuple[Any, Any]], int]:
    if not columns:
        return [((), None)], 0
    missing = frame[columns].isna().any(axis=1)
    grouped = frame.groupby(columns, observed=True, sort=True)
    places = grouped.indices
    found = [(k if isinstance(k, tuple) else (k,), k) for k, _ in grouped[columns[0]]]
    single = len(columns) == 1
    return [(key, places[key[0] if single else key]) for key, _ in found], int(missing.sum())


def _with_response(formula: str, response: str) -> str:
    """Put `response` in the place of the formula's left-hand side."""
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_.]*", response)
    return f"{response if plain else quoted(response)} ~{sides(formula)[1]}"
