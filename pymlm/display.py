"""How results look where they are not printed: numbers with sensible digits, long texts cut."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pandas as pd

#: Significant digits of the smallest number of a column, where the others leave room: R's default
#: less two, which is what its summaries show.
DIGITS = 5
#: A number this much smaller than the largest of its column does not ask for more decimals.
SMALL = 1e-3
MOST_DECIMALS = 6
#: Decimals of p values; one that has none of them is only said to be below.
P_DECIMALS = 3
#: Lines that a heading of R's has at most.
HEADING = 12


def readable(frame: pd.DataFrame, digits: int | None = None) -> pd.DataFrame:
    """Return a frame as text: sensible digits, "<0.001", blanks for what there is not.

    With `digits`, numbers have as many decimals; p values at least three.
    """
    out = frame.copy()
    for at, name in enumerate(frame.columns):
        out.isetitem(at, _texts(frame.iloc[:, at], str(name), digits))
    return out


def _texts(column: pd.Series, name: str, digits: int | None) -> list[Any]:
    if not pd.api.types.is_float_dtype(column.dtype):
        return ["" if v is None or v is pd.NA or _nan(v) else v for v in column]
    values = column.to_numpy(dtype=float, na_value=np.nan)
    if name.startswith("p_value"):
        return [_p(v, max(P_DECIMALS, digits or 0)) for v in values]
    decimals = _decimals(values) if digits is None or _counts(values) else digits
    return [_number(v, decimals) for v in values]


def _nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _decimals(values: np.ndarray[Any, Any]) -> int:
    size = np.abs(values[np.isfinite(values)])
    size = size[size > 0]
    if len(size) == 0 or np.all(size == np.round(size)):
        return 0
    least = size[size >= SMALL * size.max()].min()
    return int(np.clip(DIGITS - 1 - math.floor(math.log10(least)), 0, MOST_DECIMALS))


def _number(value: float, decimals: int) -> str:
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    text = f"{value:.{decimals}f}"
    # What rounding would make a zero is written out.
    return f"{value:.3g}" if value != 0 and float(text) == 0 else text


def as_r_prints(values: np.ndarray[Any, Any], digits: int) -> list[str]:
    """Return numbers as R prints a column of them under ``options(digits = digits)``.

    So many decimals for all that each shows `digits` significant ones, zeros at their ends left
    out; powers of ten where that is shorter. R's formatReal.

    Examples
    --------
    >>> as_r_prints(np.array([251.405, 10.467]), 3)
    ['251.4', '10.5']
    >>> as_r_prints(np.array([1e-9, 2.5e-7]), 3)
    ['1.0e-09', '2.5e-07']
    """
    finite = values[np.isfinite(values)]
    parts = [f"{x:.{digits - 1}e}".partition("e") for x in finite]
    kept = [max(1, len(m.strip("-").rstrip("0").replace(".", ""))) for m, _, _ in parts]
    powers = [int(e) for _, _, e in parts]
    decimals = max([0, *(k - e - 1 for k, e in zip(kept, powers, strict=True))])
    most = max([1, *kept])
    whole = max([1, *(e + 1 for e in powers)])
    fixed = whole + (decimals + 1 if decimals else 0)
    wide = most + (most > 1) + (5 if max([0, *map(abs, powers)]) >= 100 else 4)
    style = f".{decimals}f" if fixed <= wide else f".{most - 1}e"
    special = {math.inf: "Inf", -math.inf: "-Inf"}
    return [special.get(x, "NaN" if math.isnan(x) else f"{x:{style}}") for x in values.tolist()]


def _counts(values: np.ndarray[Any, Any]) -> bool:
    """Whether there are whole numbers alone."""
    finite = values[np.isfinite(values)]
    return bool(np.all(finite == np.round(finite)))


def _p(value: float, decimals: int) -> str:
    if math.isnan(value):
        return ""
    least = 10.0**-decimals
    return f"<{least:.{decimals}f}" if value < least else f"{value:.{decimals}f}"


def heading(printed: str) -> str:
    """Return the lines of a print above its table, whose line of names begins with blanks."""
    lines = printed.rstrip().split("\n")
    table = next((i for i, line in enumerate(lines) if line.startswith(" ")), len(lines))
    above = "\n".join(line for line in lines[:table] if line.strip())
    return "" if table > HEADING or above.startswith(("$", "[1]")) else above


#: Classes whose names are the field's abbreviations.
_TITLES = {
    "Glance": "The model in one row",
    "Icc": "Intraclass correlation",
    "RePCA": "Principal components of the random effects",
    "Tidy": "Estimates",
    "VarCorr": "Variance components",
}


def words(name: str) -> str:
    """Return the name of a class in words: "Model comparison"."""
    return _TITLES.get(name) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


def shortened(text: str) -> str:
    """Return a text without its middle where it has more lines than pandas would show rows."""
    most = pd.get_option("display.max_rows") or 0
    lines = text.split("\n")
    if not most or len(lines) <= most + HEADING:
        return text
    head, tail = max(1, 2 * most // 3), max(1, most // 6)
    return "\n".join(
        [*lines[:head], "...", *lines[-tail:], f"[{len(lines)} lines; print() has all]"]
    )
