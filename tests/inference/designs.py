"""Random designs: every structure of random effects that lme4 can make, as `ModelParts`."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from hypothesis import strategies as st

from pymlm.inference import ModelParts
from pymlm.inference.parts import Floats, Ints

#: Grouping factors of each structure, as (factor, number of coefficients) per term, in lme4's order
#: (decreasing number of levels). "in" are levels of b nested in a; a, b, c cross.
STRUCTURES: dict[str, list[tuple[str, int]]] = {
    "intercept": [("a", 1)],
    "slope": [("a", 2)],
    "three coefficients": [("a", 3)],
    "double bar": [("a", 1), ("a", 1)],
    "nested": [("in a", 1), ("a", 1)],
    "nested with slopes": [("in a", 2), ("a", 2)],
    "three levels": [("in in a", 1), ("in a", 1), ("a", 2)],
    "crossed": [("a", 1), ("b", 1)],
    "crossed with slopes": [("a", 2), ("b", 2)],
    "crossed three": [("a", 1), ("b", 1), ("c", 1)],
    "nested and crossed": [("in a", 2), ("a", 1), ("b", 1)],
}


def design(
    structure: str,
    seed: int,
    *,
    n: int = 48,
    p: int = 3,
    weighted: bool = False,
    reml: bool = True,
    boundary: bool = False,
) -> ModelParts:
    """Make a model with unbalanced groups; θ is arbitrary, not an optimum."""
    rng = np.random.default_rng(seed)
    factors = _factors(rng, n)
    terms = []
    for name, k in STRUCTURES[structure]:
        first = np.ones(n) if not (structure == "double bar" and terms) else rng.normal(size=n)
        terms.append((factors[name], np.column_stack([first, *rng.normal(size=(k - 1, n))])))
    theta_size = sum(v.shape[1] * (v.shape[1] + 1) // 2 for _, v in terms)
    theta = rng.normal(size=theta_size) * 0.8
    if boundary:
        theta[rng.random(theta_size) < 0.5] = 0.0
    X = np.column_stack([np.ones(n), *rng.normal(size=(p - 1, n))])
    # Some predictors vary only between groups.
    X[:, -1] = rng.normal(size=n)[factors["a"]]
    return assemble(
        terms,
        theta,
        X=X,
        y=2.0 * rng.normal(size=n),
        offset=rng.normal(size=n),
        weights=rng.uniform(0.3, 3.0, n) if weighted else np.ones(n),
        sigma=float(rng.uniform(0.5, 2.0)),
        reml=reml,
    )


def _factors(rng: np.random.Generator, n: int) -> dict[str, Ints]:
    def dense(codes: Ints) -> Ints:
        return np.unique(codes, return_inverse=True)[1]

    a, b, c = (dense(rng.integers(0, k, n)) for k in (7, 5, 4))
    inner = dense(a * 3 + rng.integers(0, 3, n))
    return {
        "a": a,
        "b": b,
        "c": c,
        "in a": inner,
        "in in a": dense(inner * 2 + rng.integers(0, 2, n)),
    }


def assemble(
    terms: list[tuple[Ints, Floats]],
    theta: Floats,
    *,
    X: Floats,
    y: Floats,
    offset: Floats,
    weights: Floats,
    sigma: float,
    reml: bool,
) -> ModelParts:
    """Lay the terms (levels of every row, values of every coefficient) out as lme4 does."""
    n = len(y)
    gp, rows, values = [0], [], []
    lam_row, lam_col, index = [], [], []
    used = 0
    for levels, value in terms:
        k, count = value.shape[1], int(levels.max()) + 1
        first = gp[-1] + k * np.arange(count)
        for coef in range(k):
            rows.append(gp[-1] + k * levels + coef)
            values.append(value[:, coef])
        for col in range(k):
            for row in range(col, k):
                used += 1
                lam_row.append(first + row)
                lam_col.append(first + col)
                index.append(np.full(count, used))
        gp.append(gp[-1] + k * count)
    q = gp[-1]
    columns = np.tile(np.arange(n), len(rows))
    numbered = sp.csc_matrix(
        (np.concatenate(index), (np.concatenate(lam_col), np.concatenate(lam_row))), shape=(q, q)
    )
    lind = numbered.data
    return ModelParts(
        X=X,
        zt=sp.csc_matrix((np.concatenate(values), (np.concatenate(rows), columns)), shape=(q, n)),
        lambdat=sp.csc_matrix((theta[lind - 1], numbered.indices, numbered.indptr), shape=(q, q)),
        lind=lind,
        theta=theta,
        gp=np.array(gp),
        n_coef=np.array([value.shape[1] for _, value in terms]),
        y=y,
        offset=offset,
        weights=weights,
        beta=np.zeros(X.shape[1]),
        sigma=sigma,
        reml=reml,
    )


#: Models of every structure, weighted or not, with some parameters on the boundary or none.
designs = st.builds(
    design,
    structure=st.sampled_from(sorted(STRUCTURES)),
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(30, 60),
    p=st.integers(1, 4),
    weighted=st.booleans(),
    reml=st.booleans(),
    boundary=st.booleans(),
)
