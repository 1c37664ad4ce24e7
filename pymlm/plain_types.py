"""What a plain annotation allows: a text, texts, a mapping, a number, or one of several of these.

`pymlm.arguments.strict` asks here where a function ended in an error of Python's own: a value of
another kind than its annotation is then the reason, and is named.
Where an annotation says more than this (`Any`, a class, an array), nothing is checked.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from numbers import Real
from typing import Any, Literal, Union, get_args, get_origin

from pymlm.errors import ArgumentError

Allows = Callable[[Any], bool]


def call_remedy(function: str, args: tuple[Any, ...], said: str) -> str:
    """Return what to write where the arguments of a call are missing, "" where it is not known."""
    if any(isinstance(a, (list, tuple)) and a and hasattr(a[0], "fixef") for a in args):
        return f". Give the models one by one: {function}(*models)"
    if "'data'" in said and "missing" in said:
        return f": {function}(formula, data). The columns that a formula names are looked up there"
    return ""


def plain_check(hint: Any) -> Callable[[Any, str], Any] | None:
    """Return the check of an annotation that names no words, None where there is nothing to say."""
    test = _allowed(hint)
    if test is None:
        return None
    allows, words = test

    def check(value: Any, name: str) -> Any:
        if not allows(value):
            raise ArgumentError(f"{name} takes {words}, not {shown(value)}")
        return value

    return check


def _allowed(hint: Any) -> tuple[Allows, str] | None:
    """Return whether a value is of an annotation, and the annotation in words, None for others."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint is str:
        return _is_text, "a text"
    if hint is float or hint is int:
        return _is_number, "a number"
    if origin is Literal:
        return (lambda value: type(value) in {type(p) for p in parts}), "a word"
    if hint is Mapping or origin is Mapping or hint is dict or origin is dict:
        return (lambda value: isinstance(value, Mapping)), "a mapping {name: value}"
    if origin in (Sequence, Collection, Iterable, list, tuple) and parts[0] in (str, Any):
        return (_are_texts, "a list of texts") if parts[0] is str else (_is_list, "a list")
    if origin in (Union, types.UnionType):
        return _one_of(parts)
    return None


def _one_of(parts: tuple[Any, ...]) -> tuple[Allows, str] | None:
    some = [_allowed(part) for part in parts if part is not type(None)]
    if any(one is None for one in some):
        return None
    tests = [one for one in some if one is not None]
    empty = len(some) < len(parts)
    words = " or ".join(dict.fromkeys(text for _, text in tests)) + (" or None" if empty else "")
    return (lambda v: (empty and v is None) or any(test(v) for test, _ in tests)), words


def shown(value: object) -> str:
    """A value in a message: on one line, and not a whole frame."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else f"{text[:60]} ... ({type(value).__name__})"


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_list(value: Any) -> bool:
    """Whether it holds several things in an order, and can be gone through twice."""
    not_one = not isinstance(value, (bytes, Mapping, Iterator)) and not hasattr(value, "columns")
    return not_one and isinstance(value, Iterable) and hasattr(value, "__len__")


def _are_texts(value: Any) -> bool:
    """A single text is one of them: the function says what it makes of it."""
    return _is_text(value) or (_is_list(value) and all(isinstance(v, str) for v in value))
