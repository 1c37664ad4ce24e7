"""RLRsim's tests: one variance against zero by its simulated null distribution."""

from __future__ import annotations

from typing import Any

from pymlm.argument_types import Count, Seed
from pymlm.arguments import strict
from pymlm.engine import call
from pymlm.errors import ComparisonError
from pymlm.models.alignment import check_models, larger_first, row_orders
from pymlm.models.parallel import check_seed
from pymlm.results.variance import ExactTest


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
        For ML fits, which have another null distribution.
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
    given = [(x, n) for x, n in ((m, "m"), (m_full, "m_full"), (m_null, "m_null")) if x is not None]
    models, names = zip(*given, strict=True)
    check_models("exact_rlrt", *models)
    if m_full is not None and m_null is not None:
        pair = larger_first(m_full, m_null, ("m_full", "m_null"))
        m_full, m_null = pair.large, pair.small
    if any(order is not None for order in row_orders(models, names)):
        raise ComparisonError(
            "the models were fitted to the same rows in another order, and RLRsim compares row by "
            "row. Fit all to the same data frame"
        )
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
