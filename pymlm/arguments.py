"""Arguments: unknown names and values are refused with near names; nothing is ignored."""

from __future__ import annotations

import functools
import inspect
import math
import os
import stat
import threading
from collections.abc import Callable, Iterable, Sequence
from numbers import Real
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from pymlm.errors import ArgumentError, DataError, near_names
from pymlm.synonyms import plain_word, synonyms

P = ParamSpec("P")
T = TypeVar("T")

#: Methods for denominator degrees of freedom; None is lme4's own output, without any.
#: "default" is R's own for the class of the model: "residual" that of lm, glm and gls,
#: "containment" that of lme.
Ddf = Literal[
    "Satterthwaite", "Kenward-Roger", "between-within", "asymptotic", "residual", "containment",
    "default",
]  # fmt: skip
DDF_METHODS: tuple[Ddf, ...] = ("Satterthwaite", "Kenward-Roger", "between-within", "asymptotic")
#: Those that some class of models has.
ALL_DDF: tuple[Ddf, ...] = (*DDF_METHODS, "residual", "containment", "default")


def strict(function: Callable[P, T]) -> Callable[P, T]:
    """Make `function` refuse unknown arguments with an ArgumentError that lists near names."""
    signature = inspect.signature(function)
    known = [name for name in signature.parameters if name != "self"]
    if any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()):
        raise TypeError(f"{function.__name__} takes any argument; check its names in its body")

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        refuse_unknown(function.__name__, kwargs, known)
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            raise ArgumentError(f"{function.__name__}(): {error}") from None
        return function(*args, **kwargs)

    return checked


def refuse_unknown(function: str, given: Iterable[str], known: Sequence[str]) -> None:
    """Raise ArgumentError for the first name in `given` that is not `known`; near names listed."""
    for name in given:
        if name not in known:
            raise ArgumentError(
                f"{function}() has no argument {name!r}."
                + (near_names(name, known) or f" It takes: {', '.join(known)}.")
            )


def choice(value: object, allowed: Iterable[T], name: str) -> T:
    """Return the member of `allowed` that `value` names, whatever its case, or its synonym.

    Raises
    ------
    ArgumentError
        When there is none; near names and synonyms are listed.
    """
    options = list(allowed)
    for option in options:
        if value is option or value == option:
            return option
        both_text = isinstance(value, str) and isinstance(option, str)
        if both_text and str(value).casefold() == str(option).casefold():
            return option
    others = {w: c for w, c in synonyms(name).items() if c in options}
    if isinstance(value, str):
        meant = {plain_word(str(o)): o for o in options if isinstance(o, str)}
        meant |= {plain_word(w): o for w, c in others.items() for o in options if o == c}
        if plain_word(value) in meant:
            return meant[plain_word(value)]
    texts = [str(o) for o in options if o is not None]
    also = ", ".join(f"{w!r} for {c!r}" for w, c in others.items())
    raise ArgumentError(
        f"{name}={value!r} is not one of: {', '.join(repr(o) for o in options)}."
        + (f" Other words are {also}." if also else "")
        + (near_names(value, [*texts, *others]) if isinstance(value, str) else "")
    )


def text_list(value: object, name: str) -> list[str] | None:
    """Return a name, or several, as a list; None stays None. What is no text is refused."""
    if value is None:
        return None
    given = [value] if isinstance(value, str) else value
    texts = list(given) if isinstance(given, Iterable) else []
    if not texts or not all(isinstance(t, str) for t in texts):
        raise ArgumentError(f"{name} takes a name or a list of names, not {value!r}")
    return texts


def file_path(value: object) -> Path:
    """Return the path of a file, ``~`` written out; what names no file is refused."""
    try:
        path = Path(value).expanduser()  # type: ignore[arg-type]  # refused below
        os.fsencode(path)
    except (TypeError, RuntimeError, UnicodeEncodeError) as error:
        raise ArgumentError(f"{value!r} is no path of a file: {error}") from None
    if not path.name or "\0" in str(path):
        raise ArgumentError(f"{value!r} is no path of a file")
    return path


def file_to_write(value: object, suffix: str = "", beside: str | None = None) -> Path:
    """Return the path of a file to write: a regular file, or a link to one, or nothing yet.

    Parameters
    ----------
    value : path
    suffix : str
        Appended where the path has none.
    beside : str, optional
        The end of the name of a second file, which is written beside the first and looked at, too.

    Raises
    ------
    ArgumentError
        For what names no file.
    DataError
        Where there is no such folder, or where a folder, a device, a pipe or a link to nowhere
        stands in the file's place: these are neither written to nor replaced.
    """
    given = file_path(value)
    target = given.with_suffix(suffix) if suffix and not given.suffix else given
    second = [] if beside is None else [target.with_name(target.stem + beside)]
    for path in (given, target, *second):
        _check_place(path)
    return target


def _check_place(path: Path) -> None:
    try:
        link = path.is_symlink()
        there = path.resolve(strict=True) if link else path
        kind = there.stat().st_mode
    except FileNotFoundError:
        if link:
            raise DataError(f"cannot write {str(path)!r}: it is a link to nowhere") from None
        if not path.parent.is_dir():
            raise DataError(f"cannot write {str(path)!r}: no such folder as its parent") from None
        return
    except (OSError, RuntimeError) as error:  # a loop of links, a name too long
        why = getattr(error, "strerror", None) or error
        raise DataError(f"cannot write {str(path)!r}: {why}") from None
    if not stat.S_ISREG(kind):
        what = "a folder" if stat.S_ISDIR(kind) else "a device, a pipe or a socket"
        raise DataError(
            f"cannot write {str(path)!r}: {'a link to ' if link else ''}{what} stands there; give "
            "the name of a file"
        )


def check_ddf(ddf: str | None) -> Ddf | None:
    """Return the method of degrees of freedom in its proper spelling."""
    return choice(ddf, (*ALL_DDF, None), "ddf")


def flag(value: object, name: str) -> bool:
    """Return a boolean argument; text and numbers are refused."""
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return bool(value)
    raise ArgumentError(f"{name} must be True or False, not {value!r}")


def fraction(value: object, name: str) -> float:
    """Return a number strictly between 0 and 1 (a confidence level)."""
    number = _number(value)
    if not 0 < number < 1:
        raise ArgumentError(f"{name} must lie between 0 and 1, e.g. 0.95, not {value!r}")
    return number


def significance(value: object, name: str = "level") -> float:
    """Return a significance level, a number above 0 and at most 0.5."""
    number = _number(value)
    if not 0 < number <= 0.5:
        raise ArgumentError(
            f"{name} is the share of tests that reject where there is nothing, e.g. 0.05 (not the "
            f"0.95 of an interval), not {value!r}"
        )
    return number


def finite(value: object, name: str) -> float:
    """Return a finite number as float; ArgumentError otherwise."""
    number = _number(value)
    if not math.isfinite(number):
        raise ArgumentError(f"{name} must be a finite number, not {value!r}")
    return number


def finite_numbers(values: object, name: str) -> NDArray[np.float64]:
    """Return one number or several, all finite, as an array; texts and truth values are none."""
    try:
        given = np.atleast_1d(np.asarray(values))
    except (TypeError, ValueError):  # lists of different lengths
        given = np.array([])
    if given.ndim != 1 or not len(given) or given.dtype.kind not in "iuf":
        raise ArgumentError(f"{name} must be a number or a list of numbers, not {values!r}")
    found = given.astype(np.float64)
    if not np.isfinite(found).all():
        raise ArgumentError(f"{name} must be finite, not {values!r}")
    return found


def seconds(value: object) -> float | None:
    """Return a time limit in seconds, or None."""
    if value is None:
        return None
    number = _number(value)
    if not number > 0:
        raise ArgumentError(f"timeout must be a positive number of seconds, not {value!r}")
    return None if number > threading.TIMEOUT_MAX else number


def _number(value: object) -> float:
    """`value` as a float, NumPy's numbers, too; NaN for what is no number."""
    return float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
