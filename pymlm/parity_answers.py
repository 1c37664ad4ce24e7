"""Numbers of a model beside those of native R, asked once or, where they differ, again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pymlm.results.base import Floats

#: Same R, same data, same arithmetic: mostly every digit is the same. But sums in lme4 depend, in
#: the last bit, on where in memory the vectors lie, which two processes need not share, and the
#: optimizer turns that into 1e-10 of theta on some models (lme4's Penicillin is one).
TOLERANCE = 1e-8
#: Degrees of freedom come from numerical second derivatives, and a small p-value moves by t² times
#: what t moves: so much more may these differ.
AMPLIFIED = 1e3
#: Native processes at most that show by how much native R differs from itself.
RUNS = 5
#: Two log-likelihoods closer than this, relatively, are one: optimizers stop at such differences.
SAME_LOGLIK = 1e-7
#: So much more may numbers at the very same estimates differ: a GLMM's modes come by iterations (to
#: 1e-7), and its standard errors are second differences of the deviance (3e-7 on lme4's cbpp).
EVALUATED = 1e2

#: Table -> name -> number.
Tables = Mapping[str, Any]


class Answers:
    """Our numbers, and native R's, matched by name; a number that only one side has is NaN."""

    def __init__(self, ours: Tables, first: Tables, tolerance: float) -> None:
        self._tables, theirs = ours, _tables(first)
        names = {t: list({**ours.get(t, {}), **theirs.get(t, {})}) for t in {**ours, **theirs}}
        self._names = [(t, n) for t, of in names.items() for n in of]
        self.what = tuple(f"{t} {n}" for t, n in self._names)
        self.ours = self._numbers(ours)
        self.native = [self._numbers(theirs)]
        self.scale = np.concatenate(
            [np.full(len(of), _largest(theirs.get(t, {}))) for t, of in names.items()]
        )
        self.allowed = np.array([_allowed(name, tolerance) for name in self.what])
        self.difference = self._differences(self.ours, self.native[0])
        self.agreed: NDArray[np.bool_] = self.difference <= self.allowed
        self.logliks = [_loglik(first)]

    @property
    def runs(self) -> int:
        """How many native processes fitted the model."""
        return len(self.native)

    @property
    def varies(self) -> Floats:
        """By how much native R differs from itself."""
        low, high = self._range()
        return self._differences(high, low)

    def add(self, again: Tables) -> None:
        """One more native fit: ours agrees where it lies among native R's answers."""
        self.native.append(self._numbers(_tables(again)))
        self.logliks.append(_loglik(again))
        low, high = self._range()
        among = self._differences(self.ours, np.clip(self.ours, low, high)) <= self.allowed
        # Inestimable in one native fit, a number in another: ours may be either.
        missing = np.isnan(self.ours) & np.isnan(self.native).any(axis=0)
        self.agreed = self.agreed | (among & ~np.isnan(low)) | missing

    def add_at_estimates(self, there: Tables | None) -> bool:
        """Native R at our estimates, None where it cannot go there.

        Ours agrees with that where both are optima of one likelihood; return whether they are.
        """
        best = max(self.logliks)
        if there is None or max(
            _apart(_loglik(tables), best) for tables in (self._tables, there)
        ) > SAME_LOGLIK:  # fmt: skip
            return False
        numbers = self._numbers(_tables(there))
        self.agreed = self.agreed | (
            self._differences(self.ours, numbers) <= EVALUATED * self.allowed
        )
        return True

    def _numbers(self, tables: Tables) -> Floats:
        found = (tables.get(t, {}).get(n) for t, n in self._names)
        return np.array([np.nan if x is None else float(x) for x in found])

    def _range(self) -> tuple[Floats, Floats]:
        answers = np.stack(self.native)
        return np.fmin.reduce(answers), np.fmax.reduce(answers)

    def _differences(self, x: Floats, y: Floats) -> Floats:
        with np.errstate(invalid="ignore"):  # inf − inf, where both are one and the same
            size = np.abs(x - y) / np.maximum(np.maximum(np.abs(y), self.scale * 1e-8), 1e-300)
        size[np.isnan(x) | np.isnan(y)] = np.inf
        size[(x == y) | (np.isnan(x) & np.isnan(y))] = 0.0
        return size


def _tables(answer: Tables) -> dict[str, dict[str, Any]]:
    """Native R's tables; its empty list is an empty table."""
    return {t: dict(of or {}) for t, of in answer.items() if t != "r_version"}


def _largest(table: Mapping[str, Any]) -> float:
    values = [abs(float(v)) for v in table.values() if v is not None]
    return float(np.nanmax(values, initial=0.0)) if values else 0.0


def _loglik(answer: Tables) -> float:
    value = answer["criteria"]["logLik"]  # a quasi-family has none
    return float("nan") if value is None else float(value)


def _apart(a: float, b: float) -> float:
    return abs(a - b) / max(abs(b), 1.0)


def _allowed(name: str, tolerance: float) -> float:
    return tolerance * (AMPLIFIED if name.endswith((" df", " p_value")) else 1.0)
