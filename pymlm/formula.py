"""Vet an lme4 formula before R evaluates anything.

A formula is code: R evaluates whatever it names. R parses it here without evaluating, and walks the
tree: column names, numbers, strings, the formula operators and a list of pure functions pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pymlm.engine import call
from pymlm.errors import FormulaError, near_names
from pymlm.names import quoted as quoted
from pymlm.names import right_side as right_side
from pymlm.names import sides as sides
from pymlm.synonyms import in_r

#: Longer text than this is no formula that anyone wrote.
MAX_CHARACTERS = 1_000_000
#: Columns that one call may make, or rows if there are more: others fill the memory first.
MOST_COLUMNS = 2000
#: As many formulas' answers are kept.
MAX_KNOWN = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """What a vetted formula says.

    Attributes
    ----------
    text : str
        The formula as the user wrote it.
    names : tuple of str
        Every name that stands for a value: the columns it needs, in order of appearance.
    constants : tuple of str
        Names that R knows (pi, T, letters ...) and that are no columns.
    response : str or None
        The response where it is a plain column, else None.
    response_names : tuple of str
        Columns that the response alone is made of; empty for a one-sided formula.
    two_sided : bool
    nonlinear : bool
        Three parts, as `pymlm.nlmer` takes them: ``y ~ f(x, a, b) ~ a | g``.
    dot : bool
        The formula uses ``.``, so every column.
    n_bars : int
        Number of random-effects terms.
    groups : tuple of str
        Columns in the grouping factors.
    powers, power_bases : tuple of str
        Powers of one variable among the terms, which R crosses with itself: "x^2", and "x".
    bare_slopes : tuple of str
        Columns left of a bar that stands outside parentheses: ``y ~ x + 1 | g``.
    removed : tuple of str
        Columns that the formula takes away: ``y ~ . - x``.
    uncorrelated : tuple of str
        Columns left of ``||`` where this lme4 would keep the correlations of a factor's levels.
    keys : tuple of str
        Columns whose values are names wherever they stand: in grouping factors, in ``factor()``.
    keys_and_values : tuple of str
        Columns that are names in one place and numbers in another.
    """

    text: str
    names: tuple[str, ...]
    constants: tuple[str, ...]
    response: str | None
    response_names: tuple[str, ...]
    two_sided: bool
    nonlinear: bool
    dot: bool
    n_bars: int
    groups: tuple[str, ...]
    keys: tuple[str, ...]
    keys_and_values: tuple[str, ...]
    powers: tuple[str, ...] = ()
    power_bases: tuple[str, ...] = ()
    bare_slopes: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    uncorrelated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vetted:
    names: tuple[str, ...]
    constants: tuple[str, ...]
    response: str | None
    response_names: tuple[str, ...]
    two_sided: bool
    nonlinear: bool
    dot: bool
    n_bars: int
    groups: tuple[str, ...]
    powers: tuple[str, ...]
    power_bases: tuple[str, ...]
    bare_slopes: tuple[str, ...]
    removed: tuple[str, ...]
    keyed: tuple[str, ...]
    uncorrelated: tuple[str, ...]
    valued: tuple[str, ...]
    largest: float
    largest_call: str
    refused: tuple[str, ...]
    allowed: tuple[str, ...]


_known: dict[str, _Vetted] = {}


def vet(
    text: str,
    *,
    trusted: bool = False,
    columns: Iterable[object] = (),
    timeout: float | None = None,
    rows: int = 0,
) -> Formula:
    """Parse `text` in R without evaluating it, and check what it calls.

    Parameters
    ----------
    text : str
        An R formula, e.g. ``"Reaction ~ Days + (Days | Subject)"``.
    trusted : bool
        Allow any call: the caller vouches for the text.
    columns : iterable
        The data's columns. A column called ``T`` or ``pi`` hides R's constant of that name.
    timeout : float, optional
        Seconds to wait for R, which may be busy with another thread's fit.
    rows : int
        Rows of the data: a basis may have as many columns.

    Raises
    ------
    FormulaError
        When R cannot parse it, it is not one formula, it calls a function not on the list, or one
        that would make more columns than there are rows, and thousands.
    """
    if not isinstance(text, str):
        swapped = " It comes first, then the data." if hasattr(text, "columns") else ""
        raise FormulaError(
            f"a formula is a text such as 'y ~ x + (1 | g)', not a {type(text).__name__}.{swapped}"
        )
    if not text.strip():
        raise FormulaError("the formula is empty; write e.g. 'y ~ x + (1 | g)'")
    if len(text) > MAX_CHARACTERS or "\0" in text:
        raise FormulaError("the formula is too long or holds a NUL character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise FormulaError("the formula is not valid Unicode text") from None
    found = _read(text, timeout)
    if found.refused and not trusted:
        name = found.refused[0]
        hint = near_names(name, found.allowed)
        if name in ("$", "[[", "::", ":::", "@"):
            hint = " Name the columns themselves, without 'data$' or 'package::'."
        if (other := in_r(name)) is not None:
            raise FormulaError(f"the formula calls {name!r}, which is Python's; in R: {other}")
        raise FormulaError(
            f"the formula calls {name!r}, which is not among the functions that a formula may "
            f"call.{hint} If you trust this text, pass trusted=True."
        )
    most = max(rows, MOST_COLUMNS)
    if found.largest > most:
        raise FormulaError(
            f"{found.largest_call} in the formula asks for {found.largest:,.0f} columns or values, "
            f"and here are at most {most:,}: write a smaller number"
        )
    constants = set(found.constants) - {str(c) for c in columns}

    def values(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(n for n in names if n not in constants)

    return Formula(
        text=text,
        names=values(found.names),
        constants=tuple(n for n in found.constants if n in constants),
        response=found.response,
        response_names=values(found.response_names),
        two_sided=found.two_sided,
        nonlinear=found.nonlinear,
        dot=found.dot,
        n_bars=found.n_bars,
        groups=values(found.groups),
        powers=found.powers,
        power_bases=found.power_bases,
        bare_slopes=values(found.bare_slopes),
        removed=found.removed,
        uncorrelated=found.uncorrelated,
        # A dot is every column, so the grouping factors are predictors, too.
        keys=() if found.dot else tuple(n for n in found.keyed if n not in found.valued),
        keys_and_values=tuple(n for n in found.keyed if found.dot or n in found.valued),
    )


def _read(text: str, timeout: float | None) -> _Vetted:
    """Let R parse the text; the answer depends on nothing else, and is kept."""
    found = _known.get(text)
    if found is None:
        found = call("vet_formula", text, into=_Vetted, timeout=timeout)
        if len(_known) >= MAX_KNOWN:
            _known.clear()
        _known[text] = found
    return found
