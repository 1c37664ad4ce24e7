"""How closely two numbers must agree, by what may lie between them.

`ROUND_TRIP` of `tests.native` is the rule: the same R, the same data. These are for numbers that
two ways of computing have made. A test with a reason of its own names a constant of its own.
"""

#: The same formula, its terms summed in another order.
ARITHMETIC = 1e-10
#: The same quantity by another formula or algorithm, in which differences cancel some digits.
BY_HAND = 1e-9
#: Made from an optimum that two processes found on the same path; or p-values and quantiles, which
#: magnify the last digits of their arguments.
SAME_PATH = 1e-7
#: Two optimizations of one criterion: each stops within about this.
REOPTIMIZED = 1e-6
#: Numeric derivatives at an optimum, or estimates where another optimizer stopped.
OTHER_OPTIMIZER = 1e-5
#: ... of a flat criterion: several variances, few groups.
FLAT_CRITERION = 1e-4
#: ... and what magnifies that: degrees of freedom, p-values in the tail.
FLAT_TAIL = 1e-3
#: Published with seven digits, from an optimum of another program or platform.
SEVEN_DIGITS = 2e-6
#: ... whose optimizer stopped elsewhere in the fifth or sixth.
FIVE_DIGITS = 2e-5
#: Printed by lme4 before 2.1, whose Laplace approximation of glmer differs: estimates by 1e-4 to
#: 3e-4, standard errors and variances of random effects by up to 5e-3.
LAPLACE_SINCE_2 = 6e-3


def half_unit(decimals: int) -> float:
    """Half a unit of the last decimal printed, which is what rounding hides; absolute."""
    return 0.5000001 * 10.0**-decimals
