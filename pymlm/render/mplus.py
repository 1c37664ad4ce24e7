"""Mplus's MODEL RESULTS of a two-level regression: z tests, maximum likelihood."""

from __future__ import annotations

import math

from pymlm.distributions import upper_tail
from pymlm.errors import NotSupportedError
from pymlm.names import split_names
from pymlm.render import criteria
from pymlm.results.system_tables import Voice

NOTE = (
    "Standard errors are those of ESTIMATOR = ML; Mplus's default, MLR, makes them robust. Its\n"
    "p-values of variances are no valid tests (a variance cannot be negative)."
)


#: Above the columns of results.
HEAD = [
    f"{'Two-Tailed':>62}",
    f"{'Estimate':>28}{'S.E.':>11}{'Est./S.E.':>11}{'P-Value':>11}",
]


def twolevel(v: Voice) -> str:
    """Return the output of TYPE = TWOLEVEL RANDOM.

    Predictors that are constant within groups stand on the between level; a product of a random
    slope's predictor and such a predictor predicts the slope.

    Raises
    ------
    NotSupportedError
        For a REML fit (Mplus has maximum likelihood only), or more than one grouping factor.
    """
    if v.reml:
        raise NotSupportedError(
            "Mplus has no REML; fit the model with reml=False to see it in Mplus's voice"
        )
    terms = [t for ts in v.random_terms.values() for t in ts]
    if len(v.group) != 1 or "(Intercept)" not in terms:
        raise NotSupportedError(
            "Mplus's two-level tables are made for one grouping factor with a random intercept"
        )
    slopes = [t for t in terms if t != "(Intercept)"]
    lines = [*_fit_information(v), "", "MODEL RESULTS", "", *HEAD, "", "Within Level", ""]
    lines += _within(v, slopes)
    lines += ["Between Level", "", *_between(v, slopes), NOTE]
    return "\n".join(lines)


def _fit_information(v: Voice) -> list[str]:
    c = criteria.mplus(v)
    return [
        "MODEL FIT INFORMATION", "", f"{'Number of Free Parameters':<42}{c.parameters:>18}", "",
        "Loglikelihood", "", f"{'          H0 Value':<42}{v.loglik:>18.3f}", "",
        "Information Criteria", "",
        f"{'          Akaike (AIC)':<42}{c.aic:>18.3f}",
        f"{'          Bayesian (BIC)':<42}{c.bic:>18.3f}",
        f"{'          Sample-Size Adjusted BIC':<42}{c.caic:>18.3f}",
        "            (n* = (n + 2) / 24)",
    ]  # fmt: skip


def line(name: str, estimate: float, se: float) -> str:
    """Return a line of MODEL RESULTS: estimate, standard error, z, p."""
    ratio = estimate / se if se and not math.isnan(se) else math.nan
    p = 2 * upper_tail("normal", abs(ratio))
    cells = "".join(f"{x:>11.3f}" if not math.isnan(x) else f"{'*****':>11}"
                    for x in (se, ratio, p))  # fmt: skip
    return f"    {name[:13].upper():<13}{estimate:>11.3f}{cells}"


def _fixed(v: Voice, i: int, name: str) -> str:
    return line(name, float(v.estimate[i]), float(v.std_error[i]))


def _within(v: Voice, slopes: list[str]) -> list[str]:
    out = []
    on = [i for i, t in enumerate(v.term) if not v.between[i] and t not in slopes
          and _slope_of(v, i, slopes) is None]  # fmt: skip
    if on:
        out += [f" {v.response.upper():<10} ON", *(_fixed(v, i, v.term[i]) for i in on), ""]
    last = len(v.grp) - 1
    title = " Residual Variances" if on or slopes else " Variances"
    row = line(v.response, float(v.component[last]), float(v.component_se[last]))
    return [*out, title, row, ""]


def _slope_of(v: Voice, i: int, slopes: list[str]) -> tuple[str, str] | None:
    """(random slope, level-2 predictor) where the column is their product."""
    parts = split_names(v.term[i])
    if len(parts) != 2:
        return None
    level2 = {t for t, b in zip(v.term, v.between, strict=True) if b}
    for slope, z in (parts, reversed(parts)):
        if slope in slopes and z in level2:
            return slope, z
    return None


def _between(v: Voice, slopes: list[str]) -> list[str]:
    out = []
    name = {s: f"S{k + 1 if len(slopes) > 1 else ''}" for k, s in enumerate(slopes)}
    predicted = {}
    for s in slopes:
        found = ((i, _slope_of(v, i, slopes)) for i in range(len(v.term)))
        rows = [(i, pair[1]) for i, pair in found if pair and pair[0] == s]
        predicted[s] = bool(rows)
        if rows:
            out += [f" {name[s]:<10} ON", *(_fixed(v, i, z) for i, z in rows), ""]
    on = [i for i, t in enumerate(v.term) if v.between[i] and t != "(Intercept)"]
    if on:
        out += [f" {v.response.upper():<10} ON", *(_fixed(v, i, v.term[i]) for i in on), ""]
    out += _covariances(v, name)
    out += _means(v, slopes, name, predicted, bool(on))
    return out + _variances(v, name, predicted, bool(on))


def _label(v: Voice, name: dict[str, str], term: object) -> str:
    return v.response if term == "(Intercept)" else name[str(term)]


def _covariances(v: Voice, name: dict[str, str]) -> list[str]:
    out = []
    for i, b in enumerate(v.var2):
        if b is not None:
            first, second = _label(v, name, v.var1[i]), _label(v, name, b)
            if first == v.response:
                first, second = second, first
            row = line(second, float(v.component[i]), float(v.component_se[i]))
            out += [f" {first.upper():<10} WITH", row, ""]
    return out


def _means(
    v: Voice, slopes: list[str], name: dict[str, str], predicted: dict[str, bool], on: bool
) -> list[str]:
    means: list[str] = []
    intercepts: list[str] = []
    for i, t in enumerate(v.term):
        if t == "(Intercept)":
            (intercepts if on else means).append(_fixed(v, i, v.response))
        elif t in slopes:
            (intercepts if predicted[t] else means).append(_fixed(v, i, name[t]))
    out = [" Means", *means, ""] if means else []
    return [*out, " Intercepts", *intercepts, ""] if intercepts else out


def _variances(v: Voice, name: dict[str, str], predicted: dict[str, bool], on: bool) -> list[str]:
    plain: list[str] = []
    residual: list[str] = []
    for i in range(len(v.grp) - 1):
        if v.var2[i] is None:
            term = str(v.var1[i])
            row = line(_label(v, name, term), float(v.component[i]), float(v.component_se[i]))
            explained = on if term == "(Intercept)" else predicted[term]
            (residual if explained else plain).append(row)
    out = [" Variances", *plain, ""] if plain else []
    return [*out, " Residual Variances", *residual, ""] if residual else out
