"""Two answers, compared by the names in them: one of them under other names."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from pymlm.names import quoted, written
from tests.state.hostile import PLAIN, ROLES, Names
from tests.tolerances import BY_HAND

#: A sum that is zero, but for rounding.
NOTHING = 1e-12
_DECIMAL = re.compile(r"\d+\.\d+")


def pattern(text: str, n: Names) -> re.Pattern[str]:
    """What a text about plain names is with those of `n`: as they are, or as R quotes them."""
    to: dict[str, set[str]] = {}
    for role, size in (("f", 3), ("g", 12), ("h", 3)):
        here, there = (a.factor(role, range(size), size).categories for a in (PLAIN, n))
        to |= {level: {hostile} for level, hostile in zip(here, there, strict=True)}
    for role in ROLES:
        name = getattr(n, role)
        to[getattr(PLAIN, role)] = {name, written(name), quoted(name), _of_varcorr(name)}
    tokens = "|".join(sorted(map(re.escape, to), key=len, reverse=True))
    out, end = "", 0
    for found in re.finditer(tokens, text):
        choices = "|".join(re.escape(_bare(t)) for t in to[found[0]])
        out += re.escape(_bare(text[end : found.start()])) + f"(?:{choices})"
        end = found.end()
    return re.compile(out + re.escape(_bare(text[end:])))


def _bare(text: str) -> str:
    """Without the marks by which R quotes a name; "`a b`_within" is one, too."""
    return text.replace("`", "")


def _of_varcorr(name: str) -> str:
    """lme4 makes such names of factors that have two terms, and so do what uses them."""
    made = re.sub(r"[^\w.]", ".", name)
    reserved = ("if", "function", "TRUE", "NA", "NULL")
    starts = re.match(r"[^\W\d_]|\.(?!\d)", name)
    return "X" * (not starts) + made + "." * (name in reserved)


def difference(ours: Any, theirs: Any, n: Names, path: str = "") -> str | None:
    """Where an answer is not that under plain names, `theirs`, renamed; None where it is."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        bare = {_bare(k): k for k in ours}
        found = {k: bare.get(next(filter(pattern(k, n).fullmatch, bare), "")) for k in theirs}
        if len(ours) != len(theirs) or set(found.values()) != set(ours):
            return f"{path}: {list(ours)[:8]} for {list(theirs)[:8]}"
        each = (difference(ours[o], theirs[k], n, f"{path}.{k}") for k, o in found.items())
        return next(filter(None, each), None)
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return next((d for i, (a, b) in pairs if (d := difference(a, b, n, f"{path}[{i}]"))), None)
    if isinstance(ours, str) and isinstance(theirs, str):
        return _texts(ours, theirs, n, path)
    numbers = (bool, int, float, np.number, np.ndarray)
    if isinstance(ours, numbers) and isinstance(theirs, numbers):
        a, b = np.ravel(np.asarray(ours, float)), np.ravel(np.asarray(theirs, float))
        same = a.shape == b.shape and np.allclose(a, b, rtol=BY_HAND, atol=NOTHING, equal_nan=True)
        return None if same else f"{path}: {a[:3]} for {b[:3]}"
    return None if type(ours) is type(theirs) else f"{path}: {ours!r:.90} for {theirs!r:.90}"


def _texts(ours: str, theirs: str, n: Names, path: str) -> str | None:
    """Labels are the same names; pages of text, in other widths then, have the same numbers."""
    if "\n" in theirs:
        a, b = sorted(_DECIMAL.findall(ours)), sorted(_DECIMAL.findall(theirs))
        return None if a == b else f"{path}: {a[:6]} for {b[:6]} in text"
    if pattern(theirs, n).fullmatch(_bare(ours)):
        return None
    return f"{path}: {ours!r:.120} for {theirs!r:.120}"
