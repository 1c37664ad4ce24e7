"""Names of columns as R writes them: in backticks, escaped, and joined by colons.

A name is data, whatever stands in it. Text of R's is split outside of names, here alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from pymlm.errors import FormulaError

#: A name in backticks, within which a backslash takes the next character along.
_TICKED = r"`(?:\\.|[^`\\])*`"
_STRINGS = r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\""""
_LEFT = re.compile(rf"""((?:[^~`'"]|{_TICKED}|{_STRINGS})*)~""", re.DOTALL)
_PIECE = re.compile(rf"{_TICKED}|:|[^:`]+|`", re.DOTALL)
#: One that begins a name, and does not close another: not the one within the level of "fa`b".
_NAME = re.compile(rf"(?<![\w.]){_TICKED}", re.DOTALL)
_ESCAPED = re.compile(r"\\(x[0-9a-fA-F]{1,2}|u\{?[0-9a-fA-F]{1,4}\}?|[0-7]{1,3}|.)", re.DOTALL)
#: How R writes what a line of text cannot show.
_LETTERS = {"\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r"}
_READ = {letter: c for c, letter in _LETTERS.items()}
#: A name that R takes without backticks, where it is none of its own words.
_PLAIN = re.compile(r"(?:[^\W\d_]|\.(?!\d))[\w.]*")
_WORDS = {
    "if", "else", "repeat", "while", "function", "for", "in", "next", "break", "TRUE", "FALSE",
    "NULL", "Inf", "NaN", "NA", "NA_integer_", "NA_real_", "NA_character_", "NA_complex_",
}  # fmt: skip


def quoted(name: str) -> str:
    """Write a column's name as a formula takes it, in backticks, whatever stands in it."""
    return "`" + str(name).replace("\\", "\\\\").replace("`", "\\`") + "`"


def written(name: str) -> str:
    r"""Write a column's name as R does in names of coefficients and groups.

    Examples
    --------
    >>> written("Days"), written("my days"), written("if"), written("a\tb")
    ('Days', '`my days`', '`if`', '`a\\tb`')
    """
    if _PLAIN.fullmatch(name) and name not in _WORDS:
        return name
    return "".join("\\" + _LETTERS[c] if c in _LETTERS else c for c in quoted(name))


def spelled(name: str, terms: Collection[str]) -> str:
    """Return a column's name as it stands among R's names, in backticks or not."""
    return name if name in terms or written(name) not in terms else written(name)


def unquoted(text: str) -> str:
    """Return R's text with its names in backticks as they are: "my days:f" of "`my days`:f"."""
    return _NAME.sub(lambda m: _ESCAPED.sub(_meant, m[0][1:-1]), text)


def _meant(escape: re.Match[str]) -> str:
    what = escape[1]
    if what[0] in "xu":
        return chr(int(what[1:].strip("{}"), 16)) if len(what) > 1 else what
    return chr(int(what, 8)) if what[0] in "01234567" else _READ.get(what, what)


def split_names(text: str) -> list[str]:
    """Split R's text at the colons outside of names: `a:b` and f of "`a:b`:f", as R writes them."""
    parts = [""]
    for piece in _PIECE.findall(text):
        if piece == ":":
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def group_columns(group: str, columns: Collection[str]) -> list[str]:
    """Return the columns of a grouping factor as lme4 names it: two for "cask:batch"."""
    return [group] if group in columns else [unquoted(p) for p in split_names(group)]


def response_of(formula: str) -> str:
    """Return the left side of a formula on one line, a column's name without its backticks."""
    return unquoted(" ".join(sides(formula)[0].split(" ")))


def right_side(formula: str) -> str:
    """Return a formula's text without its response: "~ x + (1 | g)"; errors of `sides`."""
    return "~" + sides(formula)[1]


def sides(formula: str) -> tuple[str, str]:
    """Split a formula's text at its first "~" outside backticks and strings.

    Raises
    ------
    FormulaError
        When there is none.
    """
    found = _LEFT.match(str(formula))
    if found is None:
        raise FormulaError(f"no '~' in the formula {formula!r}")
    return found[1].strip(), formula[found.end() :]
