"""Arguments: unknown names and values are refused with near names; nothing is ignored."""

from __future__ import annotations

import functools
import inspect
import math
import os
import stat
import sys
import threading
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Real
from pathlib import Path
from typing import Annotated, Any, Literal, ParamSpec, TypeVar, Union, cast, get_args, get_origin

import numpy as np
from numpy.typing import NDArray

from pymlm.errors import ArgumentError, DataError, PymlmError, near_names
from pymlm.plain_types import call_remedy, plain_check
from pymlm.synonyms import argument_elsewhere, elsewhere, plain_word, synonyms
from pymlm.tracebacks import is_ours, shortened

P = ParamSpec("P")
T = TypeVar("T")

#: Checks a value of the argument that is named, and returns what to go on with.
Check = Callable[[Any, str], Any]

#: Methods for degrees of freedom: those of linear mixed models, and of any class; the words of
#: `pymlm.argument_types.Ddf` that stand for themselves.
DDF_METHODS = (
    "Satterthwaite", "Kenward-Roger", "between-within", "asymptotic", "containment",
)  # fmt: skip
ALL_DDF = (*DDF_METHODS, "residual", "default")


def _as_it_is(value: Any, given: Iterable[Any], caller: Any) -> Any:
    return value


#: What is done to the answer of a public function, called with these arguments from that frame:
#: `pymlm.frames_back` gives frames back in the caller's library.
answered: Callable[[Any, Iterable[Any], Any], Any] = _as_it_is

_TESTS = {"1": "I", "2": "II", "3": "III", "i": "I", "ii": "II", "iii": "III"}


def strict(function: Callable[P, T]) -> Callable[P, T]:
    """Make `function` refuse what its annotations do not allow, with an ArgumentError.

    Unknown arguments are refused with near names. The annotations `bool`, ``Literal[...]`` and
    ``Annotated[type, check]``, alone or with ``| None``, are checked, and `function` is given the
    value in its proper form: the Literal's own word for another case or a synonym. See
    `pymlm.argument_types`. Other annotations say what a type checker needs, and are looked at
    where `function` ends in an error of Python's own (`pymlm.plain_types`): it refuses the rest.
    """
    signature = inspect.signature(function)
    known = [name for name in signature.parameters if name != "self"]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    # At the first call: annotations may name what is defined later.
    checks = functools.cache(lambda: argument_checks(function))

    @functools.wraps(function)
    def strictly(*args: P.args, **kwargs: P.kwargs) -> T:
        __tracebackhide__ = True  # for pytest
        try:
            if not takes_any:
                refuse_unknown(function.__name__, kwargs, known)
            try:
                bound = signature.bind(*args, **kwargs)
            except TypeError as error:
                remedy = call_remedy(function.__name__, args, str(error))
                raise ArgumentError(f"{function.__name__}(): {error}{remedy}") from None
            checked(bound.arguments, checks())
            try:
                value = function(*bound.args, **bound.kwargs)
            except (TypeError, ValueError, AttributeError, LookupError) as error:
                if not isinstance(error, PymlmError):
                    checked(bound.arguments, argument_checks(function, plain=True))
                raise
        except PymlmError as error:
            if is_ours(sys._getframe(1).f_globals.get("__name__", "")):
                raise
            raise shortened(error) from error.__cause__
        given = bound.arguments.values()
        return cast("T", answered(value, given, sys._getframe(1)))

    return strictly


def checked(given: dict[str, Any], checks: Mapping[str, Check]) -> None:
    """Put the arguments `given` into their proper form, or refuse them."""
    for name, value in given.items():
        if name in checks:
            given[name] = checks[name](value, name)


def argument_checks(function: Callable[..., Any], plain: bool = False) -> dict[str, Check]:
    """Return the checks that the annotations of a function say, by argument; or of plain ones."""
    names: dict[str, Any] = getattr(function, "__globals__", {})
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        hint = parameter.annotation
        if isinstance(hint, str):
            try:  # what `from __future__ import annotations` made a text
                hint = eval(hint, names)
            except NameError:  # matplotlib's Axes, which are there for type checkers alone
                continue
        check = plain_check(hint) if plain else _check_of(hint, name)
        if check is not None and parameter.kind is not parameter.VAR_POSITIONAL:
            found[name] = check
    return found


def _check_of(hint: Any, name: str) -> Check | None:
    """The check of one annotation, None where it says nothing to check."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return next((check for check in hint.__metadata__ if callable(check)), None)
    if hint is bool:
        return flag
    if origin is Literal:
        return _one_of(hint, name)
    if origin not in (Union, types.UnionType):
        return None
    some = [part for part in parts if part is not type(None)]
    words = tuple(w for part in some if get_origin(part) is Literal for w in get_args(part))
    others = [part for part in some if get_origin(part) is not Literal]
    optional = (None,) if len(some) < len(parts) else ()
    if words and not others:
        return _one_of(Literal[(*words, *optional)], name)
    if str not in others and any(isinstance(w, str) for w in words):
        # A text is one of the words; the function looks at what is no text.
        look_up = _one_of(Literal[words], name)
        return lambda value, name: look_up(value, name) if isinstance(value, str) else value
    check = _check_of(others[0], name) if len(others) == 1 else None
    if check is None or not optional:
        return check
    return lambda value, name: None if value is None else check(value, name)


def own_words(literal: Any, name: str) -> tuple[Any, ...]:
    """Return the words of a Literal that stand for themselves, as values of the argument `name`."""
    others = synonyms(name, words := get_args(literal))
    return tuple(w for w in words if w not in others)


def _one_of(literal: Any, name: str) -> Check:
    """Look a value up among the words of a Literal that stand for themselves; a text once."""
    own = own_words(literal, name)
    of_text = functools.cache(lambda text: choice(text, own, name))
    return lambda value, name: of_text(value) if type(value) is str else choice(value, own, name)


def refuse_unknown(function: str, given: Iterable[str], known: Sequence[str]) -> None:
    """Raise ArgumentError for the first name in `given` that is not `known`; near names listed."""
    for name in given:
        if name not in known:
            raise ArgumentError(
                f"{function}() has no argument {name!r}."
                + (
                    (elsewhere(name, function) if {"formula", "data"} <= set(known) else "")
                    or argument_elsewhere(name, known)
                    or near_names(name, known)
                    or f" It takes: {', '.join(known)}."
                )
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
        if value is option or _equal(value, option):
            return option
        both_text = isinstance(value, str) and isinstance(option, str)
        if both_text and str(value).casefold() == str(option).casefold():
            return option
    others = synonyms(name, options)
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
        + (" Give several models as a list: [m1, m2]." if hasattr(value, "fixef") else "")
    )


def _equal(value: object, option: object) -> bool:
    """Whether they are equal; frames, arrays and pandas' NA have no answer, and so are not."""
    try:
        return bool(value == option)
    except (TypeError, ValueError):
        return False


def text_list(value: object, name: str) -> list[str] | None:
    """Return a name, or several, as a list; None stays None. What is no text is refused."""
    if value is None:
        return None
    given = [value] if isinstance(value, str) else value
    if isinstance(given, Mapping) or hasattr(given, "columns"):  # their values would be lost
        given = []
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


def check_ddf(ddf: object) -> str | None:
    """Return the method of degrees of freedom in its proper spelling."""
    return choice(ddf, (*ALL_DDF, None), "ddf")


def ddf_of_a_test(ddf: object, name: str = "ddf") -> str:
    """Return the method of degrees of freedom of a test, which needs one."""
    if ddf is None:
        raise ArgumentError("a test needs degrees of freedom: ddf='asymptotic' gives z tests")
    return choice(ddf, ALL_DDF, name)


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
    if not 0 < (number := _number(value)) <= 0.5:
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
        raise ArgumentError(f"{name} must be a list of numbers, or one, not {values!r}")
    if not np.isfinite(given).all():
        raise ArgumentError(f"{name} must be finite, not {values!r}")
    return given.astype(np.float64)


def at_least(least: int) -> Check:
    """Return the check of a whole number of at least `least`."""
    return lambda value, name: whole_number(value, name, least)


def whole_number(value: object, name: str, least: int) -> int:
    """Return a whole number of at least `least`; booleans, text and fractions are refused."""
    whole = isinstance(value, int) or type(value).__name__.startswith(("int", "uint"))
    if isinstance(value, bool) or not whole or int(value) < least:  # type: ignore[call-overload]  # whole
        raise ArgumentError(f"{name} must be a whole number of at least {least}, not {value!r}")
    return int(value)  # type: ignore[call-overload, no-any-return]  # a NumPy integer, too


def check_jobs(n_jobs: object, name: str = "n_jobs") -> int:
    """Return a number of processes: at least 1, or −1 for one per core."""
    if type(n_jobs) is int and n_jobs > 4096:  # more than any machine has cores for
        raise ArgumentError(f"{name}={n_jobs} processes are too many; -1 is one a core")
    return -1 if _equal(n_jobs, -1) else whole_number(n_jobs, name, 1)


def seed_at_least_0(seed: object, name: str = "seed") -> int:
    """Return a seed of random numbers, as R and NumPy take it."""
    number = whole_number(seed, name, 0)
    if number >= 2**31:
        raise ArgumentError(f"seed must be below 2^31, as R's seeds are, not {number}")
    return number


def r_seed(seed: object, name: str = "seed") -> int:
    """Return a seed of R's random numbers."""
    whole = isinstance(seed, int) or type(seed).__name__.startswith(("int", "uint"))
    if isinstance(seed, bool) or not whole or not -(2**31) < int(seed) < 2**31:  # type: ignore[call-overload]  # whole
        raise ArgumentError(f"{name} must be a whole number that R's set.seed takes, not {seed!r}")
    return int(seed)  # type: ignore[call-overload, no-any-return]  # a NumPy integer, too


def type_of_tests(type: object, name: str = "type") -> str:
    """Return "I", "II" or "III"."""
    kind = _TESTS.get(str(type).casefold())
    if kind is None:
        raise ArgumentError(f"{name}={type!r} is not one of 1, 2, 3 (or 'I', 'II', 'III')")
    return kind


def seconds(value: object, name: str = "timeout") -> float | None:
    """Return a time limit in seconds; None where there is none, or one that is no limit."""
    if value is None:
        return None
    number = _number(value)
    if not number > 0:
        raise ArgumentError(f"{name} must be a positive number of seconds, not {value!r}")
    return None if number > threading.TIMEOUT_MAX else number


def _number(value: object) -> float:
    """`value` as a float, NumPy's numbers, too; NaN for what is no number."""
    return float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
