"""Text of a user made inert: one function a format, for whatever a table or an equation says.

Names of columns, levels, labels and titles are data. Each function returns text that shows them,
and that the format cannot take for its own language.
"""

from __future__ import annotations

import html as _html
import re
import unicodedata
from collections.abc import Iterable

import pandas as pd

#: What ends a line somewhere (str.splitlines), and the tabulator: a space, as TeX and HTML have it.
_SPACES = dict.fromkeys(map(ord, "\t\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029"), " ")
#: Marks that turn the direction of what follows them, the neighbouring cells included.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: object) -> str:
    r"""Return text for a line of plain text: line breaks as spaces, control characters visible.

    Examples
    --------
    >>> plain("one\ntwo \x1b[31mred")
    'one two \\x1b[31mred'
    """
    line = str(text).translate(_SPACES)
    if line.isprintable():
        return line
    return "".join(_visible(c) for c in line)


def _visible(c: str) -> str:
    if c in _TURNING or unicodedata.category(c) in ("Cc", "Cs"):
        return f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}"
    return c


def distinct(names: Iterable[str]) -> dict[str, str]:
    r"""Return names -> plain text, different for different names.

    Two that differ in the kind of space alone are written as Python writes them.

    Examples
    --------
    >>> distinct(["a\nb", "c"]), distinct(["a\nb", "a b"])
    ({'a\nb': 'a b', 'c': 'c'}, {'a\nb': 'a\\nb', 'a b': 'a b'})
    """
    shown = {name: plain(name) for name in names}
    said = list(shown.values())
    return {n: n if n == s else s if said.count(s) == 1 else plain(repr(n)[1:-1])
            for n, s in shown.items()}  # fmt: skip


# --- LaTeX --------------------------------------------------------------------------------------

#: Greek letters that LaTeX has commands for; those that look Latin (omicron) are not among them.
_GREEK = {
    chr(code): "\\" + name
    for start, names in (
        (0x3B1, "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi - pi "
                "rho varsigma sigma tau upsilon varphi chi psi omega"),
        (0x393, "Gamma Delta - - - Theta - - Lambda - - Xi - Pi - - Sigma - Upsilon Phi - Psi "
                "Omega"),
    )
    for code, name in enumerate(names.split(), start)
    if name != "-"
}  # fmt: skip
#: Signs that a label of a table of statistics has, and that pdflatex does not know in text.
_SIGNS = _GREEK | {
    "µ": r"\mu", "²": "^{2}", "³": "^{3}", "¹": "^{1}", "−": "-", "×": r"\times", "±": r"\pm",
    "·": r"\cdot", "≤": r"\leq", "≥": r"\geq", "≠": r"\neq", "≈": r"\approx", "∞": r"\infty",
    "→": r"\rightarrow",
}  # fmt: skip
#: Braces end a ligature (--, ?`), and keep [ and * from being read as options of \\.
_TEXT = str.maketrans(
    {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
     "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''"}
    | {c: "\\" + c for c in "_%&#${}"}
    | {c: "{" + c + "}" for c in "`[]*"}
    | {c: rf"\ensuremath{{{tex}}}" for c, tex in _SIGNS.items()}
)  # fmt: skip


def latex(text: object) -> str:
    r"""Return text for LaTeX outside of mathematics; needs no package.

    Letters beyond Latin and Greek stand as they are: XeLaTeX and LuaLaTeX set them.

    Examples
    --------
    >>> print(latex(r"50 % of $x_1$ \input{a}"))
    50 \% of \$x\_1\$ \textbackslash{}input\{a\}
    """
    return plain(text).translate(_TEXT).replace("--", "-{}-").replace("--", "-{}-")


#: \^ and \~ are accents, which mathematics does not have. Where the equation stands in a notebook
#: it is HTML, too: braces keep <, > and & from beginning a tag or an entity.
_MATH = str.maketrans(
    {"\\": r"\backslash ", "^": r"{\wedge}", "~": r"{\sim}", " ": r"\ ", "&": r"{\&}"}
    | {c: "\\" + c for c in "_%#${}"}
    | {c: "{" + c + "}" for c in "<>'\"`[]*|"}
    | {c: f"{{{tex}}}" for c, tex in _SIGNS.items()}
)


#: Fonts of mathematics have no accented letters.
_FOREIGN = re.compile(r"[^\x00-\x7f]+")


def latex_math(text: object) -> str:
    r"""Return a name, upright, for LaTeX's mathematics; MathJax and KaTeX read it, too.

    Examples
    --------
    >>> print(latex_math("x_1 & 2"))
    \mathrm{x\_1\ {\&}\ 2}
    """
    return rf"\mathrm{{{_FOREIGN.sub(_as_text, plain(text).translate(_MATH))}}}"


def _as_text(letters: re.Match[str]) -> str:
    return rf"\text{{{letters[0]}}}"


# --- Markdown -----------------------------------------------------------------------------------

_MARKDOWN = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;"} | {c: "\\" + c for c in r"\`*_{}[]|~^$"}
)
#: What GitHub makes a link of although nothing marks it.
_LINKS = re.compile(r"(?i)(?<=http)(:)|(?<=https)(:)|(?<=ftp)(:)|(?<=mailto)(:)|(?<=xmpp)(:)"
                    r"|(?<=www)(\.)|(@)")  # fmt: skip


def markdown(text: object) -> str:
    r"""Return text for a cell or a line of Markdown (CommonMark, and GitHub's tables).

    Examples
    --------
    >>> print(markdown("a|b *c* <d>"))
    a\|b \*c\* &lt;d&gt;
    """
    return _LINKS.sub(lambda m: "\\" + m[0], plain(text).translate(_MARKDOWN))


# --- HTML ---------------------------------------------------------------------------------------

#: Notebooks set what stands between dollars as mathematics, but not in elements of these classes
#: (MathJax 2 and 3).
NO_MATH = "tex2jax_ignore mathjax_ignore"


def html(text: object) -> str:
    """Return text for an element of HTML, or an attribute.

    Examples
    --------
    >>> print(html("a < b"))
    a &lt; b
    """
    return _html.escape(plain(text))


def html_paragraph(text: str) -> str:
    """Return text as a paragraph of HTML."""
    return f'<p class="{NO_MATH}">{html(text)}</p>'


#: In `attrs` of the rows that are left of a long frame: how many of them are shown.
_FEW = "pymlm_rows_shown"
#: A theme cannot make R's print proportional, nor break its words.
_BLOCK = "font-family: monospace; white-space: pre-wrap; word-break: normal"


def html_block(text: str) -> str:
    """Return lines of text as a block of HTML that keeps them."""
    lines = "\n".join(html(line) for line in text.split("\n"))
    return f'<pre class="{NO_MATH}" style="{_BLOCK}">{lines}</pre>'


def html_frame(frame: pd.DataFrame, *, index: bool = True, missing: str = "NaN") -> str:
    """Return a frame as pandas's HTML table, its texts inert; long ones without their middle."""
    frame = few_rows(frame)
    few = frame.attrs.get(_FEW)
    shown = frame.copy()
    for k, dtype in enumerate(shown.dtypes):
        if not _is_numbers(dtype):
            shown.isetitem(k, [_inert(x) for x in shown.iloc[:, k]])
    shown.columns, shown.index = _labels(frame.columns), _labels(frame.index)
    return str(
        shown.to_html(
            index=index,
            max_rows=few,
            classes=NO_MATH.split(),
            na_rep=missing,
        )
    )


def few_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a long frame that `html_frame` shows, and one that it leaves out."""
    few = _rows(len(frame))
    if few is None or few >= len(frame):
        return frame
    half = max(1, few // 2)
    out = frame.iloc[[*range(half + 1), *range(len(frame) - half, len(frame))]].copy()
    out.attrs[_FEW] = 2 * half
    return out


def _rows(n: int) -> int | None:
    """How many rows of n are shown, as pandas does it: all of few, few of many; None for all."""
    most = pd.get_option("display.max_rows")
    if not most or n <= most:
        return None
    return int(min(most, pd.get_option("display.min_rows") or most))


def _labels(labels: pd.Index) -> pd.Index:
    """The labels, and their names, with plain text."""
    if isinstance(labels, pd.MultiIndex) and len(labels):
        labels = pd.MultiIndex.from_tuples(
            [tuple(map(_inert, x)) for x in labels], names=labels.names
        )
    elif not isinstance(labels, pd.MultiIndex) and not _is_numbers(labels.dtype):
        labels = pd.Index([_inert(x) for x in labels], name=labels.name)
    return labels.set_names([_inert(n) for n in labels.names])


def _is_numbers(dtype: object) -> bool:
    kind = getattr(dtype, "kind", "O")  # of a category, of text: O
    return isinstance(kind, str) and kind in "biufmM"


def _inert(value: object) -> object:
    return plain(value) if isinstance(value, str) else value
