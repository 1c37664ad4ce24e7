"""Numbers as other systems write them."""

from __future__ import annotations

import math


def stata_g(x: float, digits: int = 7) -> str:
    """Write a number as Stata's %9.0g (7 digits) or %10.0g (8 digits) does.

    No zero before the point, no zeros at the end, "." for a missing value.

    Examples
    --------
    >>> [stata_g(x) for x in (0.04330397, -0.0350527, 14.817512, 0.0, 5.23e-7, math.nan)]
    ['.043304', '-.0350527', '14.81751', '0', '5.23e-07', '.']
    """
    if math.isnan(x):
        return "."
    if x == 0:
        return "0"
    if abs(x) < 1e-5 or abs(x) >= 10**digits:
        return f"{x:.2e}"
    for whole in (_whole_digits(x), _whole_digits(x) + 1):  # rounding may add a digit
        text = f"{x:.{max(digits - whole, 0)}f}"
        if len(text.lstrip("-").replace(".", "").lstrip("0")) <= digits:
            break
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    sign, size = ("-", text[1:]) if text.startswith("-") else ("", text)
    return sign + (size[1:] if size.startswith("0.") else size)


def _whole_digits(x: float) -> int:
    return len(str(int(abs(x)))) if abs(x) >= 1 else 0


def fixed(x: float, decimals: int, missing: str = ".") -> str:
    """Write a number with `decimals`; `missing` for NaN."""
    return missing if math.isnan(x) else f"{x:.{decimals}f}"


def sas_best(x: float) -> str:
    """Write an estimate as SAS's D8. does: four decimals, or four digits where it is below 1.

    Examples
    --------
    >>> [sas_best(x) for x in (39.14832, 0.0427, -0.035053, 251.405, 0.007342)]
    ['39.1483', '0.04270', '-0.03505', '251.41', '0.007342']
    """
    if math.isnan(x):
        return "."
    if x == 0:
        return "0"
    size = abs(x)
    if size >= 1:
        return f"{x:.{4 if size < 100 else 2}f}"
    leading = -math.floor(math.log10(size)) - 1
    return f"{x:.{4 + leading}f}" if leading < 5 else f"{x:.2E}"


def sas_p(p: float) -> str:
    """Write a p-value as SAS does."""
    if math.isnan(p):
        return "."
    return "<.0001" if p < 0.0001 else f"{p:.4f}"


def spss(x: float, decimals: int = 6) -> str:
    """Write a number as SPSS does: no zero before the point."""
    if math.isnan(x):
        return "."
    text = f"{x:.{decimals}f}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def grouped(x: float, decimals: int = 3) -> str:
    """Write a number as stargazer does.

    Thousands are grouped; more than seven digits are rounded to seven, the zeros kept; a number
    that would show as zero gets up to five more decimals.

    Examples
    --------
    >>> [grouped(x) for x in (-15677.6066, 31363.2132, 0.168, 0.00042, 0.0, math.nan)]
    ['-15,677.610', '31,363.210', '0.168', '0.0004', '0.000', '']
    """
    if math.isnan(x):
        return ""
    places = decimals
    while x != 0 and round(abs(x), places) == 0 and places < decimals + 5:
        places += 1
    rounded = round(x, places)
    if rounded != 0:
        rounded = round(rounded, 6 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{places}f}"


def abbreviate(name: str, width: int) -> str:
    """Shorten a name to `width` as Stata does, with a tilde before its last letter."""
    return name if len(name) <= width else f"{name[: width - 2]}~{name[-1]}"
