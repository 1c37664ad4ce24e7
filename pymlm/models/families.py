"""Families and links of generalized models, and what their responses may be."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from pymlm.errors import ArgumentError, DataError, NotSupportedError, near_names
from pymlm.formula import Formula
from pymlm.frames import complete_rows, level_name, row_label, used_columns

#: R's families with the links that each takes; the first is R's default.
LINKS: dict[str, tuple[str, ...]] = {
    "binomial": ("logit", "probit", "cauchit", "cloglog", "log"),
    "poisson": ("log", "identity", "sqrt"),
    "Gamma": ("inverse", "identity", "log"),
    "inverse.gaussian": ("1/mu^2", "inverse", "identity", "log"),
    "gaussian": ("identity", "log", "inverse"),
    "negative.binomial": ("log", "sqrt", "identity"),
    "quasibinomial": ("logit", "probit", "cauchit", "cloglog", "log"),
    "quasipoisson": ("log", "identity", "sqrt"),
}
#: Links that R takes beyond the documented ones when they are given as text, where they make sense.
_MORE_LINKS: dict[str, tuple[str, ...]] = {
    "binomial": ("identity",),
    "quasibinomial": ("identity",),
    "Gamma": ("sqrt", "1/mu^2"),
    "inverse.gaussian": ("sqrt",),
    "gaussian": ("sqrt", "1/mu^2", "logit", "probit", "cauchit", "cloglog"),
}
_BERNOULLI = ("binomial", "quasibinomial")
_COUNTS = ("poisson", "quasipoisson", "negative.binomial")
_POSITIVE = ("Gamma", "inverse.gaussian")

_TEXT = re.compile(r"\s*([\w.]+)\s*(?:\((.*)\))?\s*", re.DOTALL)
_ARGUMENT = re.compile(r"""\s*(?:(link|theta)\s*=)?\s*(["']?)(.*?)\2\s*""", re.DOTALL)
_NUMBER = r"\d+(?:\.\d*)?(?:[eE][+-]?\d+)?"
_POWER = re.compile(rf"power\(\s*({_NUMBER}(?:\s*/\s*{_NUMBER})?)\s*\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A family as R knows it.

    Attributes
    ----------
    name : str
        R's function: "binomial", "poisson", "Gamma" ...
    link : str or None
        None is R's default for the family.
    theta : float or None
        Dispersion of "negative.binomial".
    """

    name: str
    link: str | None = None
    theta: float | None = None


def as_family(family: Any, link: Any = None) -> Family:
    """Return the family that `family` and `link` name.

    Parameters
    ----------
    family : str or Family
        R's name, or R's call: ``"binomial"``, ``"Gamma(link = 'log')"``,
        ``"negative.binomial(2.5)"``.
    link : str, optional
        The link, where `family` does not say it; for the power family of links
        ``"power(1/3)"``.

    Raises
    ------
    ArgumentError
        For an unknown family, or a link that it does not take; near names are listed.
    """
    if isinstance(family, Family):
        return family if link is None else replace(family, link=_link(family.name, link))
    if not isinstance(family, str):
        raise ArgumentError(
            f"family is a name such as 'binomial', 'poisson' or \"Gamma(link = 'log')\", "
            f"not {family!r}"
        )
    found = _TEXT.fullmatch(family)
    name = _family_name(found[1] if found else family)
    inner = _inner(found[2]) if found and found[2] and found[2].strip() else {}
    if "link" in inner and link is not None and inner["link"] != link:
        raise ArgumentError(f"family={family!r} and link={link!r} name two links; give one")
    theta = _theta(name, inner.get("theta"))
    return Family(name=name, link=_link(name, inner.get("link", link)), theta=theta)


def _family_name(given: str) -> str:
    wanted = given.strip().replace("_", ".").casefold()
    for name in LINKS:
        if name.casefold() == wanted:
            return name
    if wanted in ("bernoulli", "logistic", "logit"):
        hint = " Did you mean 'binomial'?"
    elif wanted == "normal":
        hint = " Did you mean 'gaussian'?"
    else:
        hint = near_names(wanted, LINKS)
    raise ArgumentError(f"no family {given!r}.{hint} There are: {', '.join(LINKS)}.")


def _inner(text: str) -> dict[str, str]:
    """Read ``link = "log"``, ``'log'``, ``log`` or ``theta = 2.5, link = "sqrt"``."""
    out: dict[str, str] = {}
    for part in text.split(","):
        found = _ARGUMENT.fullmatch(part)
        if not found or not found[3]:
            raise ArgumentError(f"cannot read {part!r} in the family; write e.g. link = 'log'")
        number = re.fullmatch(_NUMBER, found[3]) is not None
        out[found[1] or ("theta" if number else "link")] = found[3]
    return out


def _theta(name: str, given: str | None) -> float | None:
    if name != "negative.binomial":
        if given is not None:
            raise ArgumentError(f"the family {name!r} has no theta")
        return None
    if given is None:
        raise ArgumentError(
            "the family negative.binomial needs its dispersion, e.g. 'negative.binomial(2.5)'; "
            "glmer_nb estimates it"
        )
    return float(given)


def _link(name: str, link: Any) -> str | None:
    if link is None:
        return None
    if not isinstance(link, str):
        raise ArgumentError(f"link is a name such as 'log', not {link!r}")
    links = LINKS[name] + _MORE_LINKS.get(name, ())
    wanted = link.strip()
    if _POWER.fullmatch(wanted):
        return wanted
    for known in links:
        if known.casefold() == wanted.casefold():
            return None if known == links[0] else known
    raise ArgumentError(
        f"the family {name!r} has no link {link!r}." + near_names(wanted, links)
        + f" It takes: {', '.join(links)}, or power(...)."
    )  # fmt: skip


def glmer_family(family: Any, link: Any = None) -> Family:
    """Return a family that glmer can fit.

    Raises
    ------
    NotSupportedError
        For quasi families, which have no likelihood, and for the gaussian family with its identity
        link, which is lmer's.
    """
    chosen = as_family(family, link)
    if chosen.name.startswith("quasi"):
        raise NotSupportedError(
            f"{chosen.name} has no likelihood, which glmer needs. For overdispersion add a random "
            "effect of each row, '(1 | row)', or use glmer_nb for counts"
        )
    if chosen.name == "gaussian" and chosen.link is None:
        raise NotSupportedError(
            "a gaussian family with the identity link is a linear mixed model: use pymlm.lmer"
        )
    return chosen


def check_no_weights(family: Family, weights: Any) -> None:
    """Refuse prior weights of a negative binomial mixed model, which lme4 does not count rightly.

    A row of weight 2 is not two rows: other estimates, and a log-likelihood far off.

    Raises
    ------
    NotSupportedError
    """
    if family.name == "negative.binomial" and weights is not None:
        raise NotSupportedError(
            "weights of a negative binomial mixed model: lme4 does not count them as it counts "
            "other families' (a weight of 2 is not the row twice), and the estimates and "
            "log-likelihood are wrong. Repeat the rows instead, or fit glm() or a poisson model "
            "with a random effect of each row"
        )


def check_family_response(family: Family, formula: Formula, data: pd.DataFrame) -> None:
    """Refuse a response outside the family's range, where the response is a plain column.

    R's rule for a categorical binomial response: the first level is failure, the second success.
    A response that is an expression (``cbind(s, f)``) is left to R.

    Raises
    ------
    DataError
        Naming the first row that does not fit, and what to do.
    """
    column = formula.response
    if column is None or column not in map(str, data.columns):
        return
    used = used_columns(data, [n for n in formula.names if n in set(map(str, data.columns))])
    series = used_columns(data, [column]).iloc[:, 0][complete_rows(used)]
    if family.name in _BERNOULLI and not _is_number(series):
        check_two_levels(column, series)
        return
    if not (_is_number(series) or pd.api.types.is_bool_dtype(series.dtype)):
        raise DataError(
            f"the response {column!r} is not numeric (dtype {series.dtype}), as the family "
            f"{family.name} needs it. Convert it, e.g. with pd.to_numeric(...)"
        )
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    bad, rule = _outside(family, values)
    if bad.any():
        first = int(np.argmax(bad))
        raise DataError(
            f"the response {column!r} is {series.iloc[first]} in row "
            f"{row_label(series.index, first)} ({int(bad.sum())} such rows): {rule}"
        )


def _is_number(series: pd.Series) -> bool:
    dtype = series.dtype
    return bool(pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype))


def _outside(family: Family, values: Any) -> tuple[Any, str]:
    if family.name in _BERNOULLI:
        return (values < 0) | (values > 1), (
            "the binomial family needs 0 and 1, two categories, proportions with weights= the "
            "number of trials, or cbind(successes, failures)"
        )
    if family.name in _COUNTS:
        return values < 0, f"the {family.name} family needs counts, 0 or more"
    if family.name in _POSITIVE:
        return values <= 0, f"the {family.name} family needs numbers above 0"
    return np.zeros(len(values), dtype=bool), ""


def check_two_levels(column: str, series: pd.Series) -> None:
    """Raise DataError where a categorical binomial response has more than two levels in use."""
    if pd.api.types.is_bool_dtype(series.dtype):
        return
    if isinstance(series.dtype, pd.CategoricalDtype):
        present = set(series.cat.codes)
        levels = [level_name(c) for i, c in enumerate(series.cat.categories) if i in present]
    else:
        levels = sorted({str(x) for x in series.dropna().unique()})
    if len(levels) > 2:
        raise DataError(
            f"the response {column!r} has {len(levels)} categories ({', '.join(levels[:5])}"
            f"{' ...' if len(levels) > 5 else ''}); the binomial family needs two. R would take "
            f"the first as failure and all others as success: if that is meant, make it a "
            f"column of its own, data[{column!r}] != {levels[0]!r}"
        )
