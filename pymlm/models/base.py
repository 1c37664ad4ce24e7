"""A fitted model: a handle to R's object, the data's index, and what was already asked."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import pandas as pd

from pymlm.arguments import file_path, strict
from pymlm.engine import RObject, call
from pymlm.errors import DataError
from pymlm.results.base import Floats, Printed

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a model was fitted to, on the Python side.

    Attributes
    ----------
    index : Index
        Of the data frame that the user gave; results by row come back on it.
    data : DataFrame or None
        That frame itself (not a copy); None for a model loaded from a file.
    sent : tuple of str
        Columns that crossed to R.
    arguments : dict
        Arguments of the fit, for `update`.
    """

    index: pd.Index
    data: pd.DataFrame | None
    sent: tuple[str, ...]
    arguments: dict[str, Any]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that a changed formula may name."""
        return self.sent if self.data is None else tuple(map(str, self.data.columns))


class Fitted:
    """Base of all fitted models; knows R's object and nothing of statistics."""

    def __init__(self, handle: RObject, source: Source) -> None:
        self._handle = handle
        self._source = source
        self._answers: dict[Any, Any] = {}

    def _call(self, function: str, into: Any = Any, /, **kwargs: Any) -> Any:
        """Call a bridge function with this model as its first argument."""
        return call(function, self._handle, into=into, **kwargs)

    def _ask(
        self, what: str, into: type[T], /, keep: bool = True, timeout: float | None = None,
        engine: str | None = None, fields: Mapping[str, Any] | None = None, **args: Any,
    ) -> T:  # fmt: skip
        """Ask the bridge for the result `what` of this model.

        The answer, and R's native object behind it, are kept unless `keep` is False. A result with
        a `printed` field prints what R prints for that native object. `engine` makes the degrees
        of freedom; `fields` are set on the answer where it has them.
        """
        key = (what, into, engine, repr(args)) if keep else None
        if key is not None and key in self._answers:
            answer: T = self._answers[key]
            return answer
        answer = call("ask", self._handle, what, args, keep, engine, into=into, timeout=timeout)
        known = {k: v for k, v in (fields or {}).items() if hasattr(answer, k)}
        if hasattr(answer, "printed") and answer.printed is None and keep:
            known["printed"] = self._printed(what, args, engine)
        if known:
            answer = replace(answer, **known)  # type: ignore[type-var]  # T is a dataclass
        if key is not None:
            self._answers[key] = answer
        return answer

    def _printed(self, what: str, args: dict[str, Any], engine: str | None) -> Printed:
        handle = self._handle

        def render() -> str:
            text: str = call("show_native", handle, what, args, engine, into=str)
            return text

        return Printed(render=render)

    # --- rows -----------------------------------------------------------------------------------

    @functools.cached_property
    def _used_rows(self) -> Any:
        """Positions, in the user's frame, of the rows that R used; None when it used them all."""
        dropped = self._dropped_rows()
        if len(dropped) == 0:
            return None
        return np.delete(np.arange(len(self._source.index)), dropped)

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
            The folder must exist; ".rds" is appended where there is no suffix.

        Returns
        -------
        Path
            Of the file written.

        Raises
        ------
        DataError
            When the folder does not exist, or cannot be written to.
        """
        target = file_path(path)
        if not target.suffix:
            target = target.with_suffix(".rds")
        if not target.parent.is_dir():
            raise DataError(f"cannot save to {str(target)!r}: no such folder")
        # Written beside and moved, so that a full disk leaves no half file under the name; in a
        # folder that is ours alone, so that nobody can put a link in the file's place.
        try:
            with tempfile.TemporaryDirectory(prefix=".pymlm-", dir=target.parent) as folder:
                part = Path(folder).resolve() / "model.rds"
                call("save_model", self._handle, str(part))
                part.replace(target)
        except OSError as error:
            raise DataError(f"cannot save to {str(target)!r}: {error.strerror}") from None
        return target

    def __getstate__(self) -> dict[str, Any]:
        source = self._source
        if source.data is not None:  # the columns that the model uses are enough to travel
            columns = [c for c in source.data.columns if str(c) in source.sent]
            source = replace(source, data=source.data[columns])
        return {"bytes": call("model_to_bytes", self._handle, into=bytes), "source": source}

    def __setstate__(self, state: dict[str, Any]) -> None:
        handle = call("bytes_to_model", state["bytes"])
        Fitted.__init__(self, handle, state["source"])

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self  # a fitted model never changes
