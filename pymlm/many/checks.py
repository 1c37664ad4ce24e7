"""What R and lme4's checks say of the fits of one design, by fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from pymlm.engine import call
from pymlm.engine.from_r import build
from pymlm.many.degrees import Degrees
from pymlm.many.tables import Tables
from pymlm.models.fitting import convergence_words, not_converged
from pymlm.results.summary import Convergence


def whole(numbers: Any) -> list[int]:
    """R's numbers of columns, counted from 0; an empty vector of R may be of any type."""
    return [int(x) - 1 for x in np.ravel(numbers)] if numbers is not None else []


def checked_exactly(
    handle: Any, block: Mapping[str, Any], degrees: Degrees
) -> tuple[dict[int, tuple[str, ...]], Any]:
    """What lme4's checks say by derivatives of ours, by fit, and the largest gradients."""
    if not degrees.derivatives:
        return {}, block["max_gradient"]
    gradient = np.column_stack([g for g, _ in degrees.derivatives])
    said = call(
        "many_checks", handle, block["lower"], block["theta"], gradient,
        [h for _, h in degrees.derivatives],
    )  # fmt: skip
    return {j: tuple(s) for j, s in enumerate(said) if len(s)}, np.abs(gradient).max(axis=0)


def add_said_by_r(
    out: Tables, fits: Any, block: Mapping[str, Any], said: Mapping[int, tuple[str, ...]],
    checked: dict[int, tuple[str, ...]],
) -> Any:  # fmt: skip
    """Keep what R and lme4's checks said; return which fits converged."""
    converged = np.ones(len(fits), dtype=bool)
    words = {at: [f"RWarning: {text}" for text in heard] for at, heard in enumerate(block["said"])}
    for at, found in zip(whole(block["flagged"]), block["convergence"], strict=True):
        about: Convergence = build(Convergence, found)
        about = dataclasses.replace(about, failures=(*about.failures, *checked.pop(at, ())))
        converged[at] = about.ok
        words[at] += [f"{c.__name__}: {text}" for text, c in convergence_words(about)]
    for at, failures in checked.items():
        converged[at] = False
        text, category = not_converged(failures)
        words[at].append(f"{category.__name__}: {text}")
    for at, texts in said.items():
        words[at] += [f"RWarning: {text}" for text in texts]
    out.said.update({int(fits[at]): tuple(texts) for at, texts in words.items() if texts})
    return converged
