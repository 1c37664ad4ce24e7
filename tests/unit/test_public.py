"""Every public name is real, documented as house style asks, and sorted."""

from __future__ import annotations

import dataclasses
import inspect

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


#: Fewer found means that the walk is broken.
MANY = 100


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


def lacking_in_docstring(name, item):
    """What the docstring of a public function leaves out."""
    doc = inspect.getdoc(item)
    if not doc:
        return ["a docstring"]
    parameters = [
        p.name
        for p in inspect.signature(item).parameters.values()
        if p.name not in ("self", "cls") and p.kind is not p.VAR_KEYWORD
    ]
    headed = "Parameters\n---" in doc
    needed = ["Parameters"] if "." not in name and parameters and not headed else []
    return needed + [p for p in parameters if headed and p not in doc]


def test_public_functions_are_documented():
    functions = dict(public_functions())
    assert len(functions) > MANY
    lacking = {name: lacking_in_docstring(name, item) for name, item in functions.items()}
    assert {name: what for name, what in lacking.items() if what} == {}


def takes_a_fixed_number(item):
    signature = inspect.signature(item)
    kinds = {p.kind for n, p in signature.parameters.items() if n != "self"}
    any_number = {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}
    return bool(kinds) and not kinds & any_number


def test_unknown_arguments_are_refused_with_near_names():
    """`strict` does that; what takes any number of arguments looks at them itself."""
    checked = [(name, item) for name, item in public_functions() if takes_a_fixed_number(item)]
    assert len(checked) > MANY
    assert [name for name, item in checked if not hasattr(item, "__wrapped__")] == []


def faults_of_a_result(cls):
    doc = inspect.getdoc(cls) or ""
    faults = [] if "Attributes\n---" in doc else ["no Attributes"]
    faults += [f"{f.name} undocumented" for f in dataclasses.fields(cls) if f.name not in doc]
    return faults + ([] if cls.__dataclass_params__.frozen else ["not frozen"])


def test_public_results_document_their_fields():
    public = (getattr(pymlm, name) for name in pymlm.__all__)
    found = [c for c in public if inspect.isclass(c) and dataclasses.is_dataclass(c)]
    assert found
    faults = {cls.__name__: faults_of_a_result(cls) for cls in found}
    assert {name: what for name, what in faults.items() if what} == {}
