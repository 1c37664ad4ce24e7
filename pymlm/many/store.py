"""Tables of many fits on disk: a folder of Parquet files a table, written as the fits come."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import pandas as pd

from pymlm.arguments import file_path
from pymlm.errors import ArgumentError, DataError
from pymlm.many.tables import COLUMNS, Failure, TableName, Tables, keyed

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Beside the tables: failed fits, and what was said of the others.
FAILURES, SAID = "failures", "said"
#: An empty file for each part of which every table is there.
FINISHED = "finished"


class Store:
    """A folder ``path/table/part-….parquet`` for each table; every file is whole or not there.

    Parameters
    ----------
    path : path
    names : sequence of str
        The keys' columns.
    keys : sequence of tuple
        Each fit's key.
    """

    def __init__(self, path: Any, names: Sequence[str], keys: Sequence[tuple[Any, ...]]) -> None:
        need_pyarrow()
        self.path = file_path(path)
        if self.path.exists() and not self.path.is_dir():
            raise DataError(f"to={str(self.path)!r} is a file; give the name of a folder")
        if not self.path.parent.is_dir():
            raise DataError(f"cannot write to {str(self.path)!r}: no such folder as its parent")
        self._names, self._keys = list(names), list(keys)
        self._written = len(self._finished())

    def write(self, tables: Tables) -> None:
        """Write the rows of some fits.

        Raises
        ------
        DataError
            When the disk is full, or the folder cannot be written to.
        """
        frames: dict[str, pd.DataFrame] = {
            name: keyed(tables.frame(name), self._names, self._keys) for name in tables.rows
        }
        frames[FAILURES] = self._texts(
            ("error", "message"), {k: (f.error, f.message) for k, f in tables.failures.items()}
        )
        frames[SAID] = self._texts(
            ("text",), {k: ("\n".join(words),) for k, words in tables.said.items()}
        )
        self._written += 1
        try:
            for left in self.path.glob(f"*/{self._part}"):  # of a part that was never finished
                left.unlink()
            for name, frame in frames.items():
                self._write_one(name, frame)
            folder = self.path / FINISHED
            folder.mkdir(parents=True, exist_ok=True)
            (folder / self._part).with_suffix("").touch()
        except OSError as error:
            raise DataError(f"cannot write to {str(self.path)!r}: {error}") from None

    @property
    def _part(self) -> str:
        return f"part-{self._written:06d}.parquet"

    def _finished(self) -> set[str]:
        """Names of the parts that were written whole."""
        return {f"{mark.name}.parquet" for mark in (self.path / FINISHED).glob("part-*")}

    def _write_one(self, name: str, frame: pd.DataFrame) -> None:
        if not len(frame):
            return
        folder = self.path / name
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / self._part
        part = target.with_suffix(f".{os.getpid()}.part")
        try:
            frame.to_parquet(part, index=False)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    def _texts(self, columns: tuple[str, ...], found: dict[int, tuple[str, ...]]) -> pd.DataFrame:
        rows = [(*self._keys[k], *texts) for k, texts in sorted(found.items())]
        return pd.DataFrame(rows, columns=[*self._names, *columns])

    def read(self) -> Tables:
        """Read what a run wrote, numbered as this run's keys are.

        Raises
        ------
        DataError
            When the folder holds what is not of such fits.
        """
        out = Tables()
        number = {_plain(k): i for i, k in enumerate(self._keys)}
        for name in get_args(TableName):
            frame = self._read_one(name, COLUMNS[cast("TableName", name)])
            if frame is None:
                continue
            fit = self._numbers(frame, number)
            known = fit >= 0
            columns = {c: frame[c].to_numpy()[known] for c in COLUMNS[cast("TableName", name)]}
            out.add(cast("TableName", name), fit[known], **columns)
        failures = self._read_one(FAILURES, ("error", "message"))
        if failures is not None:
            for i, error, message in zip(
                self._numbers(failures, number), failures["error"], failures["message"], strict=True
            ):
                if i >= 0:
                    out.failures[int(i)] = Failure(error=error, message=message)
        said = self._read_one(SAID, ("text",))
        if said is not None:
            for i, text in zip(self._numbers(said, number), said["text"], strict=True):
                if i >= 0:
                    out.said[int(i)] = tuple(text.split("\n"))
        return out

    def _read_one(self, name: str, columns: tuple[str, ...]) -> pd.DataFrame | None:
        done = self._finished()
        files = sorted(f for f in (self.path / name).glob("part-*.parquet") if f.name in done)
        if not files:
            return None
        frame = pd.concat([pd.read_parquet(f) for f in files], ignore_index=True)
        lost = [c for c in (*self._names, *columns) if c not in frame.columns]
        if lost:
            raise DataError(
                f"{str(self.path)!r} holds the fits of another call: no column {lost[0]!r} in its "
                f"table {name!r}. Give another folder"
            )
        return frame

    def _numbers(self, frame: pd.DataFrame, number: dict[Any, int]) -> Any:
        keys = zip(*(frame[n] for n in self._names), strict=True)
        return pd.Series([number.get(_plain(k), -1) for k in keys], dtype="int64").to_numpy()


def _plain(key: tuple[Any, ...]) -> tuple[str, ...]:
    """A key as text, for a file may give a number another type."""
    return tuple(str(x) for x in key)


def need_pyarrow() -> None:
    """Refuse files where pyarrow is not installed."""
    try:
        import pyarrow  # type: ignore[import-untyped]  # noqa: F401  # it is only looked for
    except ImportError:
        raise ArgumentError(
            "to= and resume= write Parquet files, for which pyarrow is needed: "
            "pip install 'pymlm[parquet]'"
        ) from None


def folder_of(path: Any) -> Path:
    """The folder of a resumed run, which must be there."""
    folder = file_path(path)
    if not folder.is_dir():
        raise DataError(f"resume={str(folder)!r}: there is no such folder")
    return folder
