"""Every public name is real, documented as house style asks, and sorted."""

from __future__ import annotations

import dataclasses
import inspect

import pytest

import pymlm
from pymlm import errors


def test_all_is_true_and_sorted():
    assert list(pymlm.__all__) == sorted(pymlm.__all__)
    assert all(hasattr(pymlm, name) for name in pymlm.__all__)
    assert list(errors.__all__) == sorted(errors.__all__)
    assert all(hasattr(errors, name) for name in errors.__all__)


def test_every_error_hangs_under_the_root():
    for name in errors.__all__:
        item = getattr(errors, name)
        if inspect.isclass(item) and issubclass(item, Exception):
            root = errors.PymlmWarning if issubclass(item, Warning) else errors.PymlmError
            assert issubclass(item, root), name
            assert name in errors.__doc__ or name.endswith("Warning")


def public_functions():
    for name in pymlm.__all__:
        item = getattr(pymlm, name)
        if inspect.isfunction(item):
            yield name, item
        elif inspect.isclass(item):
            for method, value in inspect.getmembers(item):
                if method.startswith("_"):
                    continue
                if inspect.isfunction(value):
                    yield f"{name}.{method}", value
                elif isinstance(value, property):
                    yield f"{name}.{method}", value.fget


@pytest.mark.parametrize(("name", "item"), list(public_functions()))
def test_public_functions_are_documented(name, item):
    doc = inspect.getdoc(item)
    assert doc, f"{name} has no docstring"
    parameters = [
        p
        for p in inspect.signature(item).parameters.values()
        if p.name not in ("self", "cls") and p.kind is not p.VAR_KEYWORD
    ]
    if "." not in name and parameters:
        assert "Parameters\n---" in doc, name
    if "Parameters\n---" in doc:
        for p in parameters:
            assert p.name in doc, f"{name} does not document {p.name!r}"


@pytest.mark.parametrize(("name", "item"), list(public_functions()))
def test_unknown_arguments_are_refused_with_near_names(name, item):
    """`strict` does that; what takes any number of arguments looks at them itself."""
    signature = inspect.signature(item)
    kinds = {p.kind for n, p in signature.parameters.items() if n != "self"}
    any_number = {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}
    if kinds and not kinds & any_number:
        assert hasattr(item, "__wrapped__"), f"{name} is not @strict"


@pytest.mark.parametrize(
    "cls",
    [
        c
        for c in (getattr(pymlm, name) for name in pymlm.__all__)
        if inspect.isclass(c) and dataclasses.is_dataclass(c)
    ],
    ids=lambda c: c.__name__,
)
def test_public_results_document_their_fields(cls):
    doc = inspect.getdoc(cls) or ""
    assert "Attributes\n---" in doc
    for field in dataclasses.fields(cls):
        assert field.name in doc, f"{cls.__name__}.{field.name} is not documented"
    assert cls.__dataclass_params__.frozen
