"""A fitted model: a handle to R's object, the data's index, and what was already asked."""

from __future__ import annotations

import builtins
import functools
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
import pandas as pd

from pymlm.arguments import file_to_write, strict
from pymlm.engine import RObject, call
from pymlm.errors import DataError, UnknownNameError
from pymlm.frames import used_columns
from pymlm.frames_back import own_library
from pymlm.hints import missing_in_model
from pymlm.models.kept import exact_key
from pymlm.options import options
from pymlm.results.base import Floats

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a model was fitted to, on the Python side.

    Attributes
    ----------
    index : Index
        Of the data frame that the user gave; results by row come back on it.
    data : DataFrame or None
        What the model was fitted to, the model's own (see `own_frame`), after `refit` with the new
        response; None for a model loaded from a file.
    sent : tuple of str
        Columns that crossed to R.
    arguments : dict
        Arguments of the fit, for `update`; the model's own, too.
    given : DataFrame or None
        The columns as the user gave them, where `refit` changed `data`: the names that its next
        call may give stand for these.
    fit : callable or None
        What fitted the model, for `update`; None for a model from a file.
    crossed_as_keys, group_names : tuple of str or None
        Of a model of nlme: columns that crossed as names, and those that its random part names.
    """

    index: pd.Index
    data: pd.DataFrame | None
    sent: tuple[str, ...]
    arguments: dict[str, Any]
    given: pd.DataFrame | None = None
    fit: Callable[..., Any] | None = None
    crossed_as_keys: tuple[str, ...] | None = None
    group_names: tuple[str, ...] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that a changed formula may name."""
        return self.sent if self.data is None else tuple(map(str, self.data.columns))

    @property
    def users(self) -> pd.DataFrame | None:
        """The user's columns, whatever response the model was refitted to."""
        return self.data if self.given is None else self.given

    def with_columns(self, columns: Mapping[str, Any]) -> Source:
        """The source of a model whose response `columns` holds, whole columns by their name."""
        sent = tuple(dict.fromkeys([*self.sent, *columns]))
        if self.data is None:
            return replace(self, sent=sent)
        data = self.data.copy(deep=False)
        labels = {str(label): label for label in data.columns}
        for name, values in columns.items():
            data[labels.get(name, name)] = values
        return replace(self, data=data, sent=sent, given=self.users)

    def to_travel(self) -> Source:
        """The same with the columns that the model uses alone."""

        def used(frame: pd.DataFrame | None) -> pd.DataFrame | None:
            if frame is None:
                return None
            return frame[[c for c in frame.columns if str(c) in self.sent]]

        return replace(self, data=used(self.data), given=used(self.given))


class Fitted:
    """Base of all fitted models; knows R's object and nothing of statistics."""

    def __init__(self, handle: RObject, source: Source) -> None:
        self._handle = handle
        self._source = source
        self._answers: dict[Any, Any] = {}

    @property
    def _library(self) -> str | None:
        """The library that the data came in, where it is not pandas."""
        return own_library(self._source.data)

    if not TYPE_CHECKING:  # else every name would be known to mypy and editors

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_") or hasattr(type(self), name):  # a property failed
                return object.__getattribute__(self, name)
            raise UnknownNameError(missing_in_model(name, type(self)), name)

    def _call(self, function: str, into: Any = Any, /, **kwargs: Any) -> Any:
        """Call a bridge function with this model as its first argument."""
        return call(function, self._handle, into=into, **kwargs)

    def _ask(
        self, what: str, into: type[T], /, keep: bool = True, timeout: float | None = None,
        engine: str | None = None, fields: Mapping[str, Any] | None = None, **args: Any,
    ) -> T:  # fmt: skip
        """Ask the bridge for the result `what` of this model.

        The answer, and R's native object behind it, are kept unless `keep` is False, and found
        again by the exact value of `args`. A result with a `printed` field prints what R prints for
        that native object. `engine` makes the degrees of freedom; `fields` are set on the answer
        where it has them.
        """
        question = exact_key(what, args) if keep else None
        key = (question, into, engine, options.digits)
        if question is not None and key in self._answers:
            answer: T = self._answers[key]
            return answer
        prints = hasattr(into, "printed")
        answer = call(
            "ask", self._handle, what, args, question, engine, prints, options.digits, into=into,
            timeout=timeout,
        )  # fmt: skip
        known = {k: v for k, v in (fields or {}).items() if hasattr(answer, k)}
        if known:
            answer = replace(answer, **known)  # type: ignore[type-var]  # T is a dataclass
        if question is not None:
            self._answers[key] = answer
        return answer

    # --- print ----------------------------------------------------------------------------------

    def __str__(self) -> str:
        text: str = self._call("print_model", str, digits=options.digits)
        return text

    @strict
    def print(self, digits: int | None = None) -> None:
        """Print the model, as R does under ``options(digits = digits)``.

        Parameters
        ----------
        digits : int, optional
            1 to 22; default is `pymlm.options.digits`, or R's 7.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.print(digits=3)  # doctest: +ELLIPSIS
        Linear mixed model fit by REML ['lmerMod']
        Formula: Reaction ~ Days + (Days | Subject)
        ...
        """
        with options(digits=digits):
            builtins.print(self)  # noqa: T201  # it prints, as R's print()

    # --- rows -----------------------------------------------------------------------------------

    @functools.cached_property
    def _used_rows(self) -> Any:
        """Positions, in the user's frame, of the rows that R used; None when it used them all."""
        dropped = self._dropped_rows()
        if len(dropped) == 0:
            return None
        return np.delete(np.arange(len(self._source.index)), dropped)

    def _clusters(self, by: str) -> Any:
        """Codes, from 1 on, of the clusters of the used rows.

        Raises
        ------
        DataError
            Where the column is not there, has no value for a used row, or one value alone.
        """
        data = self._source.data
        if data is None:
            raise DataError("this model came from a file, without the data that hold the clusters")
        series = used_columns(data, [by], "argument by").iloc[:, 0]
        if self._used_rows is not None:
            series = series.iloc[self._used_rows]
        try:
            codes, labels = pd.factorize(series)
        except TypeError as error:
            raise DataError(
                f"column {by!r} holds what identifies no cluster ({error}). Give one number or one "
                "text a cell"
            ) from None
        if (codes < 0).any():
            row = series.index[int(np.argmax(codes < 0))]
            raise DataError(
                f"{int((codes < 0).sum())} rows that the model used have no {by!r}, the first is "
                f"{row!r}. Fit the model to data without these rows"
            )
        if len(labels) < 2:
            raise DataError(f"all rows are in one {by!r}: there is nothing to cluster by")
        return codes.astype(np.int32) + np.int32(1)

    def _dropped_rows(self) -> Any:
        raise NotImplementedError  # every model class answers from its own description

    def _by_row(self, values: Floats, name: str) -> pd.Series:
        """Values of the used rows on the data's own index, NaN where R dropped the row."""
        index = self._source.index
        if self._used_rows is None:
            return pd.Series(values, index=index, name=name)
        out = np.full(len(index), np.nan)
        out[self._used_rows] = values
        return pd.Series(out, index=index, name=name)

    @property
    def _used_index(self) -> pd.Index:
        index = self._source.index
        return index if self._used_rows is None else index[self._used_rows]

    # --- beyond this process --------------------------------------------------------------------

    @strict
    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the model to an .rds file, which R reads with ``readRDS``.

        Parameters
        ----------
        path : path
            The folder must exist; ".rds" is appended where there is no suffix. A link to a file
            stays, and the file is written.

        Returns
        -------
        Path
            Of the file written.

        Raises
        ------
        DataError
            When the folder does not exist, or cannot be written to; when a folder, a device or a
            pipe has that name.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> import tempfile, pathlib
        >>> path = m.save(pathlib.Path(tempfile.mkdtemp()) / "model.rds")
        >>> mlm.load_model(path).fixef().equals(m.fixef())
        True
        """
        target = file_to_write(path, suffix=".rds")
        # Written beside and moved, so that a full disk leaves no half file under the name; in a
        # folder that is ours alone, so that nobody can put a link in the file's place.
        try:
            whole = target.resolve()
            with tempfile.TemporaryDirectory(prefix=".pymlm-", dir=whole.parent) as folder:
                part = Path(folder) / "model.rds"
                call("save_model", self._handle, str(part))
                part.replace(whole)
        except OSError as error:
            raise DataError(f"cannot save to {str(target)!r}: {error.strerror}") from None
        return target

    def __getstate__(self) -> dict[str, Any]:
        source = self._source.to_travel()
        return {"bytes": call("model_to_bytes", self._handle, into=bytes), "source": source}

    def __setstate__(self, state: dict[str, Any]) -> None:
        handle = call("bytes_to_model", state["bytes"])
        Fitted.__init__(self, handle, state["source"])

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self  # a fitted model never changes
