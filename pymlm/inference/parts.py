"""What lme4 knows about a fitted linear mixed model, as the closed forms need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from pymlm.errors import DataError

__all__ = ["ModelParts"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ModelParts:
    """Matrices and estimates of a fitted linear mixed model (``lme4::getME``).

    n rows, p fixed effects, q random-effect coefficients, T random-effects terms, m covariance
    parameters.

    Attributes
    ----------
    X : ndarray, shape (n, p)
        Fixed-effects model matrix, of full column rank (lme4 has dropped the other columns),
        without prior weights.
    zt : scipy.sparse.csc_matrix, shape (q, n)
        Transposed random-effects model matrix, without prior weights.
    lambdat : scipy.sparse.csc_matrix, shape (q, q)
        Transposed relative covariance factor; zeros that lme4 stores stay stored.
    lind : ndarray of int, one per stored entry of `lambdat`
        Which element of `theta` (counted from 1, as R does) the entry is.
    theta : ndarray, shape (m,)
        Covariance parameters, relative to the residual standard deviation.
    gp : ndarray of int, shape (T + 1,)
        Offsets of the terms among the q coefficients.
    n_coef : ndarray of int, shape (T,)
        Coefficients per level and term (``lengths(cnms)``).
    y, offset, weights : ndarray, shape (n,)
        Response, offset and prior weights.
    beta : ndarray, shape (p,)
        Fixed-effects estimates.
    sigma : float
        Residual standard deviation (of an observation of weight one).
    reml : bool
        Whether the model was fitted by REML.
    """

    X: Floats
    zt: Any
    lambdat: Any
    lind: Ints
    theta: Floats
    gp: Ints
    n_coef: Ints
    y: Floats
    offset: Floats
    weights: Floats
    beta: Floats
    sigma: float
    reml: bool

    def __post_init__(self) -> None:
        n, p = self.X.shape
        q = self.lambdat.shape[0]
        wrong = [
            name
            for name, right in {
                "zt": self.zt.shape == (q, n),
                "lind": len(self.lind) == self.lambdat.nnz,
                "gp": len(self.gp) == len(self.n_coef) + 1 and self.gp[-1] == q,
                "n_coef": not np.any(np.diff(self.gp) % self.n_coef),
                "y": len(self.y) == n,
                "offset": len(self.offset) == n,
                "weights": len(self.weights) == n,
                "beta": len(self.beta) == p,
            }.items()
            if not right
        ]
        if wrong:
            raise DataError(
                f"model parts {wrong} do not fit X of shape {(n, p)} and {q} random-effect "
                "coefficients. Take all parts from the same fitted model."
            )

    @property
    def n_levels(self) -> Ints:
        """Number of grouping-factor levels of each random-effects term."""
        levels: Ints = np.diff(self.gp) // self.n_coef
        return levels

    @classmethod
    def from_mapping(cls, parts: Mapping[str, Any]) -> ModelParts:
        """Build the parts from plain arrays, as the R function ``exact_parts`` names them.

        Parameters
        ----------
        parts : mapping
            ``X``, ``lind``, ``theta``, ``gp``, ``n_coef``, ``y``, ``offset``, ``weights``,
            ``beta``, ``sigma``, ``reml``; ``zt`` and ``lambdat`` each as a mapping of R's
            column-compressed slots ``i``, ``p``, ``x``, ``dim``.

        Raises
        ------
        DataError
            If the sizes do not belong together.
        """
        return cls(
            X=np.asarray(parts["X"], dtype=np.float64),
            zt=_csc(parts["zt"]),
            lambdat=_csc(parts["lambdat"]),
            lind=_ints(parts["lind"]),
            theta=_floats(parts["theta"]),
            gp=_ints(parts["gp"]),
            n_coef=_ints(parts["n_coef"]),
            y=_floats(parts["y"]),
            offset=_floats(parts["offset"]),
            weights=_floats(parts["weights"]),
            beta=_floats(parts["beta"]),
            sigma=float(_floats(parts["sigma"])[0]),
            reml=bool(np.ravel(parts["reml"])[0]),
        )


def _floats(value: Any) -> Floats:
    return np.asarray(value, dtype=np.float64).ravel()


def _ints(value: Any) -> Ints:
    return np.asarray(value, dtype=np.intp).ravel()


def _csc(slots: Mapping[str, Any]) -> Any:
    rows, cols = (int(d) for d in slots["dim"])
    indices = np.asarray(slots["i"], dtype=np.int32)
    indptr = np.asarray(slots["p"], dtype=np.int32)
    return sp.csc_matrix((_floats(slots["x"]), indices, indptr), shape=(rows, cols))
