"""What is asked of every model, and answers as plain numbers and text."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from pymlm.errors import NotSupportedError, RPackageError
from pymlm.models.membership import MultipleMembershipModel
from pymlm.models.nlme import NlmeModel
from pymlm.results.base import Printed, Result

Question = Callable[[Any], Any]


def is_lme(model: Any) -> bool:
    """Whether intervals are nlme's, which have one method."""
    return isinstance(model, NlmeModel)


def is_member(model: Any) -> bool:
    """Whether rows belong to several units."""
    return isinstance(model, MultipleMembershipModel)


def _with(**args: Any) -> Callable[[str], Question]:
    return lambda name: lambda m: getattr(m, name)(**args)


#: Method -> how it is called; all others are asked without arguments.
CALLED: dict[str, Callable[[str], Question]] = {
    "bootstrap": _with(nsim=2, seed=1),
    "contest": lambda name: lambda m: getattr(m, name)(np.eye(len(m.fixef()))),
    "confint": lambda name: lambda m: m.confint() if is_lme(m) else m.confint(method="Wald"),
    "emmeans": lambda name: lambda m: getattr(m, name)("x"),
    "eff_size": lambda name: lambda m: m.eff_size("f", sigma=1.0, edf=10),
    "deviance_at": lambda name: lambda m: m.deviance_at(m.theta),
    "cld": lambda name: lambda m: getattr(m, name)("f"),
    "emtrends": lambda name: lambda m: getattr(m, name)("1", var="x"),
    "influence": lambda name: lambda m: getattr(m, name)(groups=next(iter(m.ngroups), None)),
    "simulate": _with(nsim=2, seed=1),
    **dict.fromkeys(
        (
            "predictions",
            "avg_predictions",
            "comparisons",
            "avg_comparisons",
            "slopes",
            "avg_slopes",
        ),
        lambda name: lambda m: getattr(m, name)(**(FIXED_PART if is_member(m) else {})),
    ),
    "residual_covariance": lambda name: lambda m: getattr(m, name)("g03"),
    "check": lambda name: (
        lambda m: m.check("overdispersion" if hasattr(m, "family") else "normality")
    ),
}
#: What averages of a multiple-membership model are of.
FIXED_PART = {"re_form": "NA"}
#: What is no question, or is a state of the table itself, with the reason.
APART = {
    "save": "a state of the table", "refit": "a state of the table",
    "update": "a state of the table", "plot": "draws what other questions answer",
    "print": "prints what str() says",
    "profile": "a state of the table; profiles are compared there by their intervals",
    "compare": "asks other models, too", "memberships": "what the user gave",
    "all_fit": "seven optimizers, each its own path: compared in test_all_fit",
}  # fmt: skip


def questions(model: Any) -> dict[str, Question]:
    """Every public method and attribute of the model's class."""
    out: dict[str, Question] = {}
    for name in dir(type(model)):
        if name.startswith("_") or name in APART:
            continue
        if callable(getattr(type(model), name)):
            out[name] = CALLED.get(name, _with())(name)
        else:
            out[name] = lambda m, name=name: getattr(m, name)
    return out


def answer(model: Any, question: Question) -> Any:
    """The answer in plain values; what a class cannot answer is the refusal's words."""
    try:
        return plain(question(model))
    # Any other error is a question asked wrongly; R packages are missing on other systems only.
    except (NotSupportedError, RPackageError) as error:
        return f"{type(error).__name__}: {error}"


def _rows(index: pd.Index) -> dict[str, list[str]]:
    """Labels of rows, where they are names and no positions."""
    named = isinstance(index, pd.MultiIndex) or not pd.api.types.is_numeric_dtype(index)
    return {"rows": list(map(str, index))} if named else {}


def _bare(column: pd.Series) -> pd.Series:
    return column.reset_index(drop=True)


def plain(value: Any) -> Any:
    """Frames, results and mappings as nested dicts of arrays and text."""
    if isinstance(value, Printed):
        return None  # the numbers in it are fields, too
    if isinstance(value, pd.DataFrame):
        columns = {str(c): plain(_bare(value.iloc[:, i])) for i, c in enumerate(value.columns)}
        return _rows(value.index) | columns
    if isinstance(value, pd.Series) and _rows(value.index):
        return _rows(value.index) | {"values": plain(_bare(value))}
    if isinstance(value, (pd.Series, pd.Index)):
        kind = value.dtype
        numeric = pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind)
        return value.to_numpy(dtype=float, na_value=np.nan) if numeric else list(map(str, value))
    if isinstance(value, Result) or dataclasses.is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return value.astype(float)
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if hasattr(value, "fixef"):  # a model, as step() ends with one
        return plain(value.fixef())
    return value
