"""The result of many fits: tables of all, and each model when it is asked for."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import pandas as pd

from pymlm.argument_types import ManyAdjust
from pymlm.arguments import strict
from pymlm.display import readable
from pymlm.errors import ArgumentError, DataError, near_names
from pymlm.escape import few_rows, html_frame, html_paragraph
from pymlm.many.adjust import adjusted
from pymlm.many.tables import (
    Failure,
    TableName,
    Tables,
    fixed_effects,
    keyed,
    missing_rows,
)
from pymlm.models.mixed import MixedModel
from pymlm.results.fixed import FixedEffects
from pymlm.results.rows import Written

Key = Hashable
M = TypeVar("M", bound=MixedModel)


class _ByKey(Mapping[Key, Any]):
    """Values of the fits that came out, each made when it is asked for."""

    def __init__(self, numbers: dict[Key, int], make: Callable[[int], Any]) -> None:
        self._numbers = numbers
        self._make = make

    def __getitem__(self, key: Key) -> Any:
        return self._make(self._numbers[key])

    def __contains__(self, key: object) -> bool:
        return key in self._numbers

    def __iter__(self) -> Iterator[Key]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


class ManyFits(Written, Generic[M]):
    """Fits of one formula; ``fits[key]`` is one model.

    A key is one value, or a tuple where there are several `names`. Tables are held by column; a
    model is made when it is asked for, from the data that the fits were made from, with the same
    numbers (``keep="models"`` has them all). `to_markdown`, `to_latex`, `to_html` and the Arrow
    stream, which Polars reads, are of ``to_frame()``.

    Attributes
    ----------
    names : tuple of str
        What the keys are: the columns of `by`, or "response", or both.
    models : mapping
        Key -> fitted model.
    tables : mapping
        Key -> FixedEffects, the coefficient table.
    failures : dict
        Key -> Failure, for fits that R or pymlm refused.
    warnings : dict
        Key -> tuple of str, what was said of fits that came out.
    n_without_group : int
        Rows left out because `by` is missing in them.
    partial : ManyFits or None
        Of the class: what was done when Ctrl-C or an error last stopped `fit_many`.
    """

    partial: ClassVar[ManyFits[Any] | None] = None

    #: The library that the data came in, where it is not pandas.
    _library: str | None = None

    def __init__(
        self, *, names: tuple[str, ...], keys: Sequence[tuple[Any, ...]], tables: Tables,
        ddf: str | None, statistic_name: str, refit: Callable[[int], Any],
        keep: bool, adjust: ManyAdjust | None = None, n_without_group: int = 0,
    ) -> None:  # fmt: skip
        self.names = names
        self.n_without_group = n_without_group
        self._keys = list(keys)
        self._tables = tables
        self._ddf, self._statistic_name = ddf, statistic_name
        self._refit, self._keep, self._adjust = refit, keep, adjust
        self._kept: dict[int, Any] = dict(tables.models)
        self._frames: dict[TableName, pd.DataFrame] = {}
        self._spans: dict[int, slice] | None = None
        done = tables.done
        plain = [k[0] if len(k) == 1 else k for k in self._keys]
        good = {plain[i]: i for i in sorted(done - set(tables.failures))}
        self.failures: dict[Key, Failure] = {
            plain[i]: tables.failures[i] for i in sorted(tables.failures)
        }
        self.warnings: dict[Key, tuple[str, ...]] = {
            plain[i]: tables.said[i] for i in sorted(tables.said) if i not in tables.failures
        }
        self.models: Mapping[Key, M] = _ByKey(good, self._model)
        self.tables: Mapping[Key, FixedEffects] = _ByKey(good, self._table)

    def _model(self, number: int) -> M:
        model: M | None = self._kept.get(number)
        if model is None:
            with warnings.catch_warnings():  # they are data here: .warnings
                warnings.simplefilter("ignore")
                model = self._refit(number)
            if self._keep:
                self._kept[number] = model
        return model

    def _table(self, number: int) -> FixedEffects:
        frame = self._frame("tidy")
        if self._spans is None:
            numbers, first, size = np.unique(
                frame["fit"].to_numpy(), return_index=True, return_counts=True
            )
            spans = zip(numbers.tolist(), first.tolist(), size.tolist(), strict=True)
            self._spans = {k: slice(a, a + n) for k, a, n in spans}
        rows = frame.iloc[self._spans.get(number, slice(0, 0))]
        return fixed_effects(rows, self._ddf, self._statistic_name)

    def _frame(self, what: TableName) -> pd.DataFrame:
        if what not in self._frames:
            self._frames[what] = self._tables.frame(what)
        return self._frames[what]

    def __getitem__(self, key: Key) -> M:
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

    @strict
    def to_frame(self, what: TableName = "tidy", adjust: ManyAdjust | None = None) -> pd.DataFrame:
        """Return one table of all fits, with the keys as its first columns.

        Failed fits have one row each, with NaN, so that no group goes missing silently.

        Parameters
        ----------
        what : {"tidy", "glance", "varcorr", "theta", "ranef"}
            Coefficients (`term` and FixedEffects' columns), one row a fit, variances and
            correlations, theta, or the conditional modes (``fit_many(ranef=True)``).
        adjust : str, optional
            Add `p_adjusted`: p-values adjusted over the fits, term by term, by a method of R's
            ``p.adjust``: "fdr" (Benjamini & Hochberg), "holm", "hommel", "hochberg",
            "bonferroni", "BY". Default is what `fit_many` was given.

        Raises
        ------
        ArgumentError
            For an unknown table or method, or conditional modes that were not kept.
        """
        if what == "ranef" and "ranef" not in self._tables.rows and len(self):
            raise ArgumentError("the conditional modes were not kept: fit_many(..., ranef=True)")
        frame = self._frame(what)
        how = adjust if adjust is not None else self._adjust
        if what == "tidy" and how is not None:
            frame = frame.assign(p_adjusted=adjusted(frame["p_value"], frame["term"], how))
        lost = missing_rows(self._tables.failures, what)
        if len(lost):
            lost = lost.reindex(columns=frame.columns)
            frame = pd.concat([frame, lost.astype(dict(frame.dtypes))], ignore_index=True)
        else:
            frame = frame.copy()
        return keyed(frame, self.names, self._keys)

    @strict
    def failures_frame(self) -> pd.DataFrame:
        """Return the failures: the keys, error, message."""
        found = self._tables.failures
        rows = [(*self._keys[i], found[i].error, found[i].message) for i in sorted(found)]
        return pd.DataFrame(rows, columns=[*self.names, "error", "message"])

    notes = ()

    def _remarks(self) -> list[str]:
        return [self._said()]

    def __repr__(self) -> str:
        return f"<{self._said()}>"

    def _said(self) -> str:
        said = f", {self.n_without_group} rows without a group" if self.n_without_group else ""
        left = len(self._keys) - len(self.models) - len(self.failures)
        stopped = f", {left} not done" if left else ""
        return (
            f"ManyFits by {', '.join(self.names)}: {len(self.models)} fitted, "
            f"{len(self.failures)} failed, {len(self.warnings)} with warnings{stopped}{said}"
        )

    def _repr_html_(self) -> str:
        head = html_paragraph(self._said())
        return head + html_frame(readable(few_rows(self.to_frame())), index=False)
