"""A regression table as text, Markdown, LaTeX and HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from pymlm import escape
from pymlm.tables import Html, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A table before it is text: every cell is a string.

    Attributes
    ----------
    responses : tuple of str
        One a model.
    kinds : tuple of str
        One a model; empty when all are the same.
    terms : tuple of (name, estimates, standard errors)
        A cell a model, empty where the model has not the term.
    lines : tuple of (name, cells)
    levels : tuple of float
        Significance levels of the stars, from one star on.
    title : str
    single_row : bool
        Standard errors beside the estimates, not below.
    """

    responses: tuple[str, ...]
    kinds: tuple[str, ...]
    terms: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]
    lines: tuple[tuple[str, tuple[str, ...]], ...]
    levels: tuple[float, ...]
    title: str
    single_row: bool


def _rows(t: Layout) -> list[tuple[str, tuple[str, ...]]]:
    """Rows of the coefficients: estimates with their errors beside, or below and a blank row."""
    rows = []
    for name, estimates, errors in t.terms:
        if t.single_row:
            cells = tuple(f"{e} {s}".strip() for e, s in zip(estimates, errors, strict=True))
            rows.append((name, cells))
        else:
            rows += [(name, estimates), ("", errors), ("", ("",) * len(estimates))]
    return rows


def _spans(cells: tuple[str, ...]) -> list[tuple[str, int]]:
    """Neighbours that are equal stand as one cell over several columns."""
    return [(text, len(list(same))) for text, same in groupby(cells)]


def _numbers(t: Layout) -> tuple[str, ...]:
    n = len(t.responses)
    return tuple(f"({i + 1})" for i in range(n)) if n > 1 else ()


def _note(t: Layout) -> str:
    return "; ".join(f"{'*' * (i + 1)}p<{level:g}" for i, level in enumerate(t.levels))


# --- text ---------------------------------------------------------------------------------------


def text(t: Layout) -> Text:
    """Stargazer's ASCII table."""
    t = _in_plain(t)
    rows, note, numbers = _rows(t), _note(t), _numbers(t)
    left = max(len(name) for name, _ in [*rows, *t.lines, ("Note:", ())]) + 1
    wide = _widths(t, rows, max(len(note) - left + 6, len("Dependent variable:") + 8))
    inner = sum(wide)

    def line(cells: Sequence[str]) -> str:
        return "".join(c.center(w) for c, w in zip(cells, wide, strict=True))

    out = [t.title] if t.title else []
    out += ["=" * (left + inner), " " * left + "Dependent variable:".center(inner)]
    out += [" " * left + "-" * inner]
    out.append(" " * left + "".join(x.center(w) for x, w in _span_widths(t.responses, wide)))
    out += [" " * left + line(kinds) for kinds in _kind_lines(t.kinds, wide)]
    out += [" " * left + line(numbers)] if numbers else []
    out.append("-" * (left + inner))
    out += [name.ljust(left) + line(cells) for name, cells in rows]
    out.append("-" * (left + inner))
    out += [name.ljust(left) + line(cells) for name, cells in t.lines]
    out.append("=" * (left + inner))
    if note:
        out.append("Note:" + note.rjust(left + inner - len("Note:")))
    return Text("\n".join(out))


def _in_plain(t: Layout) -> Layout:
    """The same table, the user's texts plain before widths are counted."""
    return replace(
        t,
        responses=tuple(map(escape.plain, t.responses)),
        terms=tuple((escape.plain(name), b, se) for name, b, se in t.terms),
        title=escape.plain(t.title),
    )


def _widths(t: Layout, rows: list[tuple[str, tuple[str, ...]]], least: int) -> list[int]:
    """Width of each model's column; together at least `least`, and room for the responses."""
    n = len(t.responses)
    wide = [5] * n
    for i in range(n):
        cells = [cells[i] for _, cells in [*rows, *t.lines]]
        words = t.kinds[i].split() if t.kinds else []
        wide[i] = max(len(x) + 2 for x in [*cells, *words, "(1)"])
    at = 0
    for label, span in _spans(t.responses):
        _widen(wide, range(at, at + span), len(label) + 2)
        at += span
    _widen(wide, range(n), least)
    return wide


def _widen(wide: list[int], columns: range, needed: int) -> None:
    lacking = needed - sum(wide[i] for i in columns)
    for k in range(max(lacking, 0)):
        wide[columns[k % len(columns)]] += 1


def _span_widths(cells: tuple[str, ...], wide: list[int]) -> list[tuple[str, int]]:
    out, at = [], 0
    for label, span in _spans(cells):
        out.append((label, sum(wide[at : at + span])))
        at += span
    return out


def _kind_lines(kinds: tuple[str, ...], wide: list[int]) -> list[list[str]]:
    """Names of kinds of models, broken over lines."""
    broken: list[list[str]] = []
    for kind, width in zip(kinds, wide, strict=False):
        lines = [""]
        for word in kind.split():
            joined = f"{lines[-1]} {word}".strip()
            if lines[-1] and len(joined) > width - 2:
                lines.append(word)
            else:
                lines[-1] = joined
        broken.append(lines)
    height = max(map(len, broken), default=0)
    return [[b[i] if i < len(b) else "" for b in broken] for i in range(height)]


# --- Markdown -----------------------------------------------------------------------------------


def markdown(t: Layout) -> Text:
    """A pipe table; standard errors in the row below, or beside."""

    def row(name: str, cells: tuple[str, ...]) -> str:
        return "| " + " | ".join(map(escape.markdown, (name, *cells))) + " |"

    title = escape.markdown(t.title).strip()
    out = [f"**{title}**", ""] if title else []
    out += [row("", t.responses), "|:---" + "|:---:" * len(t.responses) + "|"]
    out += [row("", t.kinds)] if t.kinds else []
    out += [row("", _numbers(t))] if _numbers(t) else []
    out += [row(name, cells) for name, cells in _rows(t) if name or any(cells)]
    out += [row(name, cells) for name, cells in t.lines]
    note = _note(t).replace("*", "\\*")
    return Text("\n".join([*out, "", f"Note: {note}"] if note else out))


# --- LaTeX --------------------------------------------------------------------------------------


def latex(t: Layout) -> Text:
    """Stargazer's LaTeX table; needs no package."""
    n = len(t.responses)
    wide = f"\\multicolumn{{{n}}}{{c}}"

    def row(name: str, cells: tuple[str, ...]) -> str:
        return f"{name} & " + " & ".join(_tex_number(c) for c in cells) + r" \\"

    out = [
        r"\begin{table}[!htbp] \centering",
        rf"  \caption{{{escape.latex(t.title)}}}",
        r"  \label{}",
    ]
    out += [rf"\begin{{tabular}}{{@{{\extracolsep{{5pt}}}}l{'c' * n}}}"]
    out += [r"\\[-1.8ex]\hline", r"\hline \\[-1.8ex]"]
    out += [rf" & {wide}{{\textit{{Dependent variable:}}}} \\", rf"\cline{{2-{n + 1}}}"]
    names = [rf"\multicolumn{{{k}}}{{c}}{{{escape.latex(x)}}}" for x, k in _spans(t.responses)]
    out.append(r"\\[-1.8ex] & " + " & ".join(names) + r" \\")
    for cells in (t.kinds, _numbers(t)):
        if cells:
            out.append(r"\\[-1.8ex] & " + " & ".join(map(escape.latex, cells)) + r" \\")
    out.append(r"\hline \\[-1.8ex]")
    out += [row(escape.latex(name), cells) for name, cells in _rows(t)]
    out.append(r"\hline \\[-1.8ex]")
    out += [row(name.replace("R2", "R$^{2}$"), cells) for name, cells in t.lines]
    out += [r"\hline", r"\hline \\[-1.8ex]"]
    if t.levels:
        levels = "; ".join(
            f"$^{{{'*' * (i + 1)}}}$p$<${level:g}" for i, level in enumerate(t.levels)
        )
        out.append(rf"\textit{{Note:}} & \multicolumn{{{n}}}{{r}}{{{levels}}} \\")
    return Text("\n".join([*out, r"\end{tabular}", r"\end{table}"]))


def _tex_number(cell: str) -> str:
    """A number with a minus sign in math mode, its stars raised."""
    if not cell or cell.startswith("("):
        return cell
    first, _, rest = cell.partition(" ")
    number = first.rstrip("*")
    stars = first[len(number) :]
    raised = number.replace("-", "$-$", 1) + (f"$^{{{stars}}}$" if stars else "")
    return f"{raised} {rest}".strip()


# --- HTML ---------------------------------------------------------------------------------------

_LINE = '<tr><td colspan="{}" style="border-bottom: 1px solid black"></td></tr>'


def html_table(t: Layout) -> Html:
    """An HTML table."""
    n = len(t.responses)
    line = _LINE.format(n + 1)

    def row(name: str, cells: tuple[str, ...]) -> str:
        inner = "".join(f"<td>{_starred(c)}</td>" for c in cells)
        return f'<tr><td style="text-align:left">{name}</td>{inner}</tr>'

    out = [f'<table class="{escape.NO_MATH}" style="text-align:center">']
    out += [f"<caption><strong>{escape.html(t.title)}</strong></caption>"] if t.title else []
    out += [line, f'<tr><td></td><td colspan="{n}"><em>Dependent variable:</em></td></tr>']
    names = "".join(f'<td colspan="{k}">{escape.html(x)}</td>' for x, k in _spans(t.responses))
    out.append(f"<tr><td></td>{names}</tr>")
    out += [row("", t.kinds)] if t.kinds else []
    out += [row("", _numbers(t))] if _numbers(t) else []
    out += [line, *(row(escape.html(name), cells) for name, cells in _rows(t)), line]
    out += [row(name.replace("R2", "R<sup>2</sup>"), cells) for name, cells in t.lines]
    out.append(line)
    if t.levels:
        note = "; ".join(
            f"<sup>{'*' * (i + 1)}</sup>p&lt;{level:g}" for i, level in enumerate(t.levels)
        )
        out.append(
            f'<tr><td style="text-align:left"><em>Note:</em></td>'
            f'<td colspan="{n}" style="text-align:right">{note}</td></tr>'
        )
    return Html("\n".join([*out, "</table>"]))


def _starred(cell: str) -> str:
    first, space, rest = cell.partition(" ")
    number = first.rstrip("*")
    stars = first[len(number) :]
    raised = f"<sup>{stars}</sup>" if stars else ""
    return escape.html(number) + raised + escape.html(space + rest)


LAYOUTS: dict[str, Callable[[Layout], Text]] = {
    "text": text, "markdown": markdown, "latex": latex, "html": html_table,
}  # fmt: skip
