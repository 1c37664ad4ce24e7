"""RLRsim's tests: one variance against zero by its simulated null distribution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from pymlm.argument_types import Count, Seed
from pymlm.arguments import strict
from pymlm.engine import call
from pymlm.errors import ComparisonError
from pymlm.models.alignment import check_models, larger_first, row_orders
from pymlm.models.parallel import check_seed
from pymlm.results.base import Printed, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactTest(Result):
    """An exact (simulated) likelihood-ratio test of one variance.

    Attributes
    ----------
    test : str
        "RLRT", of restricted likelihoods, or "LRT", of full ones.
    statistic : float
        Twice the difference of the (restricted) log-likelihoods.
    p_value : float
        Share of `nsim` simulated null statistics above it.
    nsim : int
    seed : int or None
    notes : tuple of str
        R's remarks, and that a p-value of 0 only says p < 1/nsim.
    printed : Printed or None
        R's own print; the notes stand below it.

    Notes
    -----
    Mirrors ``RLRsim::exactRLRT`` and ``exactLRT``; Crainiceanu & Ruppert 2004,
    doi:10.1111/j.1467-9868.2004.00438.x; Greven et al. 2008, doi:10.1198/106186008X386599.
    """

    test: str
    statistic: float
    p_value: float
    nsim: int
    seed: int | None = None
    printed: Printed | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return one row: statistic, p_value, nsim."""
        return pd.DataFrame(
            {"statistic": [self.statistic], "p_value": [self.p_value], "nsim": [self.nsim]},
            index=[self.test],
        )


@strict
def exact_rlrt(
    m: Any, m_full: Any = None, m_null: Any = None, nsim: Count = 10_000, seed: Seed | None = None
) -> ExactTest:
    """Test one variance against zero by its exact (simulated) null distribution.

    Parameters
    ----------
    m : LinearMixedModel
        A REML fit with one random effect; where there are more, the model with the tested one
        alone.
    m_full, m_null : LinearMixedModel, optional
        With more random effects: the whole model, and the model without the tested one, in either
        order.
    nsim : int
    seed : int, optional
        As ``set.seed(seed)`` before R's call.

    Raises
    ------
    NotSupportedError
        For ML fits, which have another null distribution (`exact_lrt`), and prior weights, which
        RLRsim does not know.
    ArgumentError
        For several variances without `m_full` and `m_null`.
    ComparisonError
        For models that do not differ by one random effect, or have different rows.
    RPackageError
        When RLRsim is missing.

    Notes
    -----
    Mirrors ``RLRsim::exactRLRT(m, mA, m0, nsim)``; Crainiceanu & Ruppert 2004,
    doi:10.1111/j.1467-9868.2004.00438.x.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Yield ~ 1 + (1 | Batch)", mlm.load_dataset("Dyestuff"))
    >>> test = mlm.exact_rlrt(m, seed=1)
    >>> round(test.statistic, 3), test.p_value < 0.05
    (6.369, True)
    """
    others = ((m_full, "m_full"), (m_null, "m_null"))
    given = [(m, "m"), *((x, n) for x, n in others if x is not None)]
    models, names = zip(*given, strict=True)
    check_models("exact_rlrt", *models)
    if m_full is not None and m_null is not None:
        pair = larger_first(m_full, m_null, ("m_full", "m_null"))
        m_full, m_null = pair.large, pair.small
    _check_order(models, names)
    found: ExactTest = call(
        "exact_rlrt",
        m._handle,
        full=None if m_full is None else m_full._handle,
        null=None if m_null is None else m_null._handle,
        nsim=nsim,
        seed=check_seed(seed),
        into=ExactTest,
    )
    return found


@strict
def exact_lrt(m: Any, m0: Any, nsim: Count = 10_000, seed: Seed | None = None) -> ExactTest:
    """Test one variance, with or without fixed effects, by the exact distribution of the LRT.

    Parameters
    ----------
    m : LinearMixedModel
        An ML fit with one random effect.
    m0 : LinearModel
        The model without it, by `pymlm.lm`; it may have fewer fixed effects, too. The two may come
        in either order.
    nsim : int
    seed : int, optional
        As ``set.seed(seed)`` before R's call.

    Returns
    -------
    ExactTest

    Raises
    ------
    NotSupportedError
        For a REML fit (`exact_rlrt`), several variance parameters, prior weights, which RLRsim does
        not know, and models of other classes.
    ComparisonError
        For models that are not nested, or have different rows.
    RPackageError
        When RLRsim is missing.

    Notes
    -----
    Mirrors ``RLRsim::exactLRT(m, m0, nsim)``, which stops where the variance is estimated as 0;
    here that has an answer, too. Crainiceanu & Ruppert 2004, doi:10.1111/j.1467-9868.2004.00438.x.
    Where the fixed effects are the same, `exact_rlrt` has more power.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("Dyestuff")
    >>> m = mlm.lmer("Yield ~ 1 + (1 | Batch)", data, reml=False)
    >>> test = mlm.exact_lrt(m, mlm.lm("Yield ~ 1", data), seed=1)
    >>> round(test.statistic, 3), test.p_value < 0.05
    (5.403, True)
    """
    check_models("exact_lrt", m, m0)
    pair = larger_first(m, m0, ("m", "m0"))
    _check_order((pair.large, pair.small), pair.names)
    found: ExactTest = call(
        "exact_lrt",
        pair.large._handle,
        pair.small._handle,
        nsim=nsim,
        seed=check_seed(seed),
        names=list(pair.names),
        into=ExactTest,
    )
    return replace(found, notes=(*found.notes, *pair.note))


def _check_order(models: Sequence[Any], names: Sequence[str]) -> None:
    if any(order is not None for order in row_orders(models, names)):
        raise ComparisonError(
            "the models were fitted to the same rows in another order, and RLRsim compares row by "
            "row. Fit all to the same data frame"
        )
