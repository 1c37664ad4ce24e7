"""Degrees of freedom of many fits to one design: the closed forms, their matrices made once."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pymlm.results.base import Floats

SATTERTHWAITE, KENWARD_ROGER = "Satterthwaite", "Kenward-Roger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Degrees:
    """Degrees of freedom of the coefficients of k fits.

    Attributes
    ----------
    df : ndarray, shape (p, k), or None
        None where the tests have none.
    std_error : ndarray, shape (p, k)
        Kenward-Roger's are the adjusted ones.
    engine : str or None
        "exact", or "rule" where nothing is estimated.
    said : dict of int to tuple of str
        lmerTest's warnings about the Hessian, by fit.
    derivatives : list of pairs of ndarray
        Gradient and Hessian of each fit, where they were asked for.
    """

    df: Floats | None
    std_error: Floats
    engine: str | None
    said: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    derivatives: Sequence[tuple[Floats, Floats]] = ()


def is_exact(ddf: str | None) -> bool:
    """Whether a method's degrees of freedom are the closed forms' affair."""
    return ddf in (SATTERTHWAITE, KENWARD_ROGER)


def degrees_of_freedom(
    ddf: str | None, block: Mapping[str, Any], derivatives: bool = False
) -> Degrees:
    """Find the degrees of freedom of a block of fits, as `many_fit` of the bridge describes it.

    With `derivatives` also those that lme4's check of convergence needs.

    Raises
    ------
    NotSupportedError
        Where the closed forms do not reach.
    """
    exact = is_exact(ddf)
    closed = _closed_forms(ddf, block, derivatives) if exact or derivatives else None
    if closed is not None and exact:
        return closed
    std_error: Floats = block["std_error"]
    df = {"asymptotic": np.full(std_error.shape, np.inf), "between-within": block["df"]}
    return Degrees(
        df=None if ddf is None else df[ddf], std_error=std_error,
        engine=None if ddf is None else "rule",
        derivatives=() if closed is None else closed.derivatives,
    )  # fmt: skip


def _closed_forms(ddf: str | None, block: Mapping[str, Any], derivatives: bool) -> Degrees:
    # scipy is imported when it is needed: it would double the time of a first small fit.
    from pymlm.inference import (
        Design,
        ModelParts,
        kenward_roger,
        kenward_roger_df,
        moments,
        profiled_derivatives,
        satterthwaite,
        satterthwaite_df,
    )

    estimate, theta, sigma = block["estimate"], block["theta"], block["sigma"]
    p, k = estimate.shape

    def of_fits(facts: Mapping[str, Any], first: int, last: int) -> Iterator[tuple[Any, Any]]:
        """Parts of fits that share a design, and that design."""
        y = np.asarray(facts["y"]).reshape((-1, last - first), order="F")
        # With lme4's own pair of theta and factor, which shows whether the one makes the other.
        one = ModelParts.from_mapping(
            {**facts, "y": y[:, 0], "beta": estimate[:, first], "sigma": sigma[first : first + 1]}
        )
        shared = Design.of(one)
        for j in range(first, last):
            yield dataclasses.replace(
                one, theta=theta[:, j], y=y[:, j - first], beta=estimate[:, j],
                sigma=float(sigma[j]),
            ), shared  # fmt: skip

    facts = block["exact"]
    fits = itertools.chain.from_iterable(
        [of_fits(facts, 0, k)] if isinstance(facts, Mapping)
        else (of_fits(own, j, j + 1) for j, own in enumerate(facts))
    )  # fmt: skip
    unit, df = np.eye(p), np.empty((p, k))
    std_error, said = block["std_error"].copy(), {}
    found: list[tuple[Floats, Floats]] = []
    for j, (parts, shared) in enumerate(fits):
        # A perfect fit has no variance to speak of: 0/0 is NaN, as it is in R.
        with np.errstate(divide="ignore", invalid="ignore"):
            one = moments(parts, design=shared)
            if derivatives:
                found.append(profiled_derivatives(one))
            if not is_exact(ddf):
                continue
            s = satterthwaite(parts, one)
            if s.messages:
                said[j] = s.messages
            if ddf == SATTERTHWAITE:
                df[:, j] = satterthwaite_df(s, unit)
            else:
                kr = kenward_roger(parts, one)
                df[:, j], std_error[:, j] = (
                    kenward_roger_df(kr, unit), np.sqrt(np.diag(kr.phi_adj)),
                )  # fmt: skip
    return Degrees(df=df, std_error=std_error, engine="exact", said=said, derivatives=found)
