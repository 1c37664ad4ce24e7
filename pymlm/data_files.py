"""Files of data, for the command line: what kind one is, how its columns and decimals are marked.

What can be read in two ways is refused with the option that decides; no number becomes a text, and
no text a number, on a guess.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
import zlib
from pathlib import Path
from typing import Any

import pandas as pd

from pymlm.errors import ArgumentError, DataError

#: Endings of files that hold text in columns, and those that pandas' readers take whole.
TEXT = (".csv", ".tsv", ".tab", ".txt", ".dat", ".gz")
BINARY = (".parquet", ".pq", ".feather", ".arrow")
SEPARATORS = (",", ";", "\t", "|")
#: Lines that are looked at to find out what stands between columns.
LOOKED_AT = 50
#: What pandas takes as missing, but for words that may be levels of a factor: "None", "null" ...
MISSING = ("", "NA", "<NA>", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL")
#: As R reads a number: the nearest double, which pandas before 3.1 misses by one bit unless asked.
_EXACT: dict[str, Any] = (
    {"float_precision": "round_trip"}
    if tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1)
    else {}
)

_WITH_COMMA = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?")
_WHOLE = re.compile(r"[-+]?\d+(?:[eE][-+]?\d+)?")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+")
_BOTH_MARKS = re.compile(r"[-+]?\d{1,3}(?:\.\d{3})+,\d+|[-+]?\d{1,3}(?:,\d{3})+\.\d+")


def read_data(
    source: Path | str, separator: str | None = None, decimal: str | None = None
) -> pd.DataFrame:
    """Read a file of data; ``-`` is standard input.

    Parameters
    ----------
    source : path or "-"
        CSV, TSV or Parquet, text also compressed by gzip; standard input is told by its content.
    separator : str, optional
        What stands between columns; by default whichever of comma, semicolon, tab and ``|`` makes
        columns of the first lines.
    decimal : {".", ","}, optional
        By default a comma where a column cannot be read in another way.

    Raises
    ------
    DataError
        When it is not there, cannot be read, is of another kind, or can be read in two ways.
    ArgumentError
        For another separator or decimal mark.
    """
    if decimal not in (None, ".", ","):
        raise ArgumentError(f"--decimal is . or , and not {decimal!r}")
    if separator is not None:
        separator = {"tab": "\t", "\\t": "\t"}.get(separator, separator)
        if len(separator) != 1:
            raise ArgumentError(f"--sep is one character, or tab, and not {separator!r}")
    name = "standard input" if str(source) == "-" else repr(str(source))
    content = _content(source, name)
    try:
        return _read(content, name, separator, decimal)
    except ImportError as error:
        raise DataError(
            f"reading Parquet needs pyarrow ({error}); run: pip install 'pymlm[parquet]'"
        ) from None
    except DataError:
        raise
    except Exception as error:  # pandas and pyarrow have dozens of kinds
        raise DataError(f"{name} cannot be read: {' '.join(str(error).split())}") from None


def _content(source: Path | str, name: str) -> bytes:
    if str(source) == "-":
        if sys.stdin is None:
            raise DataError("standard input is closed; '-' reads the data from it")
        content = sys.stdin.buffer.read()
    else:
        file = Path(source).expanduser()
        if file.is_dir():
            raise DataError(f"{name} is a folder; give the name of a file")
        if not file.exists():
            raise DataError(f"no such file: {name}")
        if file.suffix.lower() not in TEXT + BINARY:
            raise DataError(f"{name} is neither .csv, .tsv nor .parquet")
        try:
            content = file.read_bytes()
        except OSError as error:
            raise DataError(f"{name} cannot be read: {error.strerror}") from None
    if not content.strip():
        raise DataError(f"{name} is empty")
    return content


def _read(content: bytes, name: str, separator: str | None, decimal: str | None) -> pd.DataFrame:
    if content.startswith(b"PAR1"):
        return pd.read_parquet(io.BytesIO(content))
    if content.startswith(b"ARROW1"):
        return pd.read_feather(io.BytesIO(content))
    if content.startswith(b"\x1f\x8b"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{name} is no whole gzip file: {error}") from None
    text = _as_text(content, name)
    data = pd.read_csv(
        io.StringIO(text),
        sep=separator or found_separator(text),
        keep_default_na=False,
        na_values=list(MISSING),
        skipinitialspace=True,
        **_EXACT,
    )
    return _with_decimals(data, decimal, name)


def _as_text(content: bytes, name: str) -> str:
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))  # what Excel calls Unicode text
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name} is no text in UTF-8 (byte {error.start}); save it as UTF-8, or convert it: "
            "iconv -f latin1 -t utf-8"
        ) from None
    if "\0" in text:
        raise DataError(f"{name} is neither text nor Parquet: it holds NUL characters")
    return text


def found_separator(text: str) -> str:
    """Return what stands between the columns: it makes as many of each line, and the most."""
    lines = text.splitlines()
    # The last line may stop within a quoted text.
    looked_at = [line for line in lines[:LOOKED_AT] if line.strip()]

    def columns(separator: str) -> tuple[bool, int]:
        widths = [len(row) for row in csv.reader(looked_at, delimiter=separator) if row]
        return min(widths) == max(widths), widths[0]

    def suits(separator: str) -> tuple[bool, int]:
        even, width = columns(separator)
        return even and width > 1, width

    return max(SEPARATORS, key=suits)  # the first of equals: a comma


def _with_decimals(data: pd.DataFrame, decimal: str | None, name: str) -> pd.DataFrame:
    """Make numbers of columns that are written with a decimal comma."""
    if decimal == ".":
        return data
    points = [c for c in data.columns if pd.api.types.is_float_dtype(data[c].dtype)]
    fractions = next((c for c in points if (data[c].dropna() % 1 != 0).any()), None)
    for column in data.columns:
        if not pd.api.types.is_string_dtype(data[column].dtype):
            continue
        values = data[column].dropna().astype(str).str.strip()
        if len(values) and values.map(lambda v: bool(_BOTH_MARKS.fullmatch(v))).any():
            raise DataError(
                f"{name}: column {column!r} writes {_first(values, _BOTH_MARKS)!r}, with a mark "
                "for thousands; write numbers without it"
            )
        commas = values[values.map(lambda v: bool(_WITH_COMMA.fullmatch(v)))]
        rest = values.drop(commas.index)
        if commas.empty or not rest.map(lambda v: bool(_WHOLE.fullmatch(v))).all():
            continue
        if decimal is None:
            _refuse_two_readings(commas, column, fractions, name)
        data[column] = data[column].map(_number, na_action="ignore").astype(float)
    return data


def _refuse_two_readings(commas: pd.Series, column: str, fractions: str | None, name: str) -> None:
    both = "write --decimal , where it is a decimal comma, and --decimal . where it is a text"
    if commas.map(lambda v: bool(_THOUSANDS.fullmatch(v))).all():
        raise DataError(
            f"{name}: column {column!r} writes {commas.iloc[0]!r}, whose comma may mark decimals "
            f"or thousands; {both}"
        )
    if fractions is not None:
        raise DataError(
            f"{name}: column {column!r} writes {commas.iloc[0]!r}, and column {fractions!r} has "
            f"decimal points; {both}"
        )


def _first(values: pd.Series, pattern: re.Pattern[str]) -> str:
    return next(str(v) for v in values if pattern.fullmatch(v))


def _number(value: object) -> float:
    return float(str(value).strip().replace(",", "."))
