"""Several models side by side, in the layout of R's stargazer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from pymlm.argument_types import Ddf
from pymlm.arguments import strict, text_list
from pymlm.errors import ArgumentError, near_names
from pymlm.names import response_of
from pymlm.render.layouts import LAYOUTS, Layout
from pymlm.render.numbers import grouped
from pymlm.tables import Text

Format = Literal["text", "markdown", "latex", "html"]
STARS = (0.1, 0.05, 0.01)

#: Names of classes of models -> stargazer's names of them.
KINDS = {
    "LinearModel": "OLS",
    "GeneralizedLinearModel": "generalized linear",
    "LinearMixedModel": "linear mixed-effects",
    "GeneralizedLinearMixedModel": "generalized linear mixed-effects",
    "MultipleMembershipModel": "linear mixed-effects",
    "NlmeModel": "linear mixed-effects",
}
#: Results that bring their coefficients along -> what made them.
RESULTS = {
    "RobustEffects": "OLS with cluster-robust errors",
    "PanelEstimates": "panel linear",
    "GeeEstimates": "generalized estimating equations",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelColumn:
    """What one model contributes: its coefficients by name, and the lines below them."""

    response: str
    kind: str
    terms: Mapping[str, tuple[float, float, float]]
    lines: Mapping[str, Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A number below the coefficients, before it has its digits; whole ones are counts."""

    value: float
    p_value: float = math.nan
    after: str = ""

    def text(self, digits: int, levels: tuple[float, ...]) -> str:
        """The number with stars and what stands behind it."""
        if isinstance(self.value, int):
            return f"{self.value:,}"
        return grouped(self.value, digits) + _stars(self.p_value, levels) + self.after


class RegressionTable(Text):
    """Text of a regression table, which can be had in another format, too; it holds no model."""

    def __new__(cls, text: str, columns: Any = (), arguments: Any = ()) -> RegressionTable:
        """Keep what the table was made of beside its text."""
        made = super().__new__(cls, text)
        made.columns, made.arguments = columns, arguments
        return made

    columns: list[ModelColumn]
    arguments: dict[str, Any]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.columns, self.arguments)

    @strict
    def to_markdown(self, digits: int | None = None, stars: Any = None) -> Text:
        """Return the table in Markdown; None leaves digits and stars as they were."""
        return self._again("markdown", digits, stars)

    @strict
    def to_latex(self, digits: int | None = None, stars: Any = None) -> Text:
        """Return the table in LaTeX; None leaves digits and stars as they were."""
        return self._again("latex", digits, stars)

    @strict
    def to_html(self, digits: int | None = None, stars: Any = None) -> Text:
        """Return the table in HTML; None leaves digits and stars as they were."""
        return self._again("html", digits, stars)

    def _again(self, format: Format, digits: int | None, stars: Any) -> Text:
        new = dict(self.arguments)
        if digits is not None:
            new["digits"] = _checked_digits(digits)
        if stars is not None:
            stars = (STARS if stars else ()) if isinstance(stars, bool) else stars
            new["levels"] = _checked_levels(stars)
        return _table(self.columns, format, new)


class HtmlRegressionTable(RegressionTable):
    """The same in HTML, which a notebook shows as a table."""

    def _repr_html_(self) -> str:
        return str(self)


def _table(columns: list[ModelColumn], format: Format, arguments: dict[str, Any]) -> Text:
    text = LAYOUTS[format](_layout(columns, **arguments))
    kind = HtmlRegressionTable if format == "html" else RegressionTable
    return kind(text, columns, arguments)


@strict
def regression_table(
    models: Any,
    style: Literal["stargazer"] = "stargazer",
    format: Format = "text",
    stars: Sequence[float] = STARS,
    digits: int = 3,
    ddf: Ddf | None = "asymptotic",
    labels: Mapping[str, str] | None = None,
    column_labels: Sequence[str] | None = None,
    title: str = "",
    single_row: bool = False,
) -> Text:
    """Put fitted models side by side, in stargazer's layout.

    Parameters
    ----------
    models : fitted model or list of them
        Of lmer, glmer, lm, glm, lme and gls, in any mixture; and what `cluster_robust`, `panel` and
        `gee` return, whose column has no response of its own: name it by `column_labels`.
    style : {"stargazer"}
    format : {"text", "markdown", "latex", "html"}
    stars : sequence of float
        Significance levels of one star, two stars ...: by default 0.1, 0.05 and 0.01; an empty
        sequence leaves the stars out.
    digits : int
        Decimals. As stargazer does, a number that would show as zero gets more, and one of more
        than seven digits is rounded to seven.
    ddf : str or None
        Degrees of freedom behind the stars of linear mixed models. stargazer uses z tests
        ("asymptotic"), whatever the size of the sample.
    labels : dict, optional
        Term -> what to call it. The intercept is "Constant" and comes last.
    column_labels : sequence of str, optional
        One a model, instead of its response.
    title : str
    single_row : bool
        Standard errors beside the estimates, as in the lecture's table, instead of below.

    Returns
    -------
    str
        ``print`` it; a notebook shows it as it is. Its methods ``to_markdown``, ``to_latex`` and
        ``to_html`` (``digits=``, ``stars=``) give the same table in another format.

    Raises
    ------
    ArgumentError
        For what is no model, an unknown term in `labels`, or levels that do not fall.

    Notes
    -----
    Layout after stargazer 5.2 (Hlavac 2018); log-likelihood, AIC and BIC as R counts them.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Reaction ~ Days + (1 | Subject)", mlm.load_dataset("sleepstudy"))
    >>> table = mlm.regression_table(m, single_row=True)
    >>> [" ".join(line.split()) for line in table.splitlines()[5:7]]
    ['Days 10.467*** (0.804)', 'Constant 251.405*** (9.747)']
    """
    fitted = list(models) if isinstance(models, (list, tuple)) else [models]
    levels = _checked(fitted, stars, digits)
    arguments = {
        "digits": digits, "levels": levels, "labels": labels or {}, "title": title,
        "column_labels": column_labels, "single_row": single_row,
    }  # fmt: skip
    return _table([_column(m, ddf) for m in fitted], format, arguments)


def _checked(models: list[Any], stars: Sequence[float], digits: int) -> tuple[float, ...]:
    if not models:
        raise ArgumentError("models is empty; give one fitted model or more")
    for m in models:
        if type(m).__name__ not in {**KINDS, **RESULTS}:
            raise ArgumentError(
                f"models holds a {type(m).__name__}; a regression table takes fitted models of "
                "lmer, glmer, lm, glm, lme and gls, and results of cluster_robust, panel and gee"
            )
    _checked_digits(digits)
    return _checked_levels(stars)


def _checked_levels(stars: Any) -> tuple[float, ...]:
    try:
        levels = tuple(float(s) for s in stars)
    except (TypeError, ValueError):
        raise ArgumentError(f"stars must be levels such as (0.1, 0.05), not {stars!r}") from None
    falling = all(a > b for a, b in pairwise(levels))
    if not falling or not all(0 < s < 1 for s in levels):
        raise ArgumentError(f"stars must be falling levels below 1, e.g. (0.1, 0.05), not {stars}")
    return levels


def _checked_digits(digits: Any) -> int:
    if isinstance(digits, bool) or not isinstance(digits, int) or not 0 <= digits <= 12:
        raise ArgumentError(f"digits must be a whole number from 0 to 12, not {digits!r}")
    return digits


# --- what a model contributes -------------------------------------------------------------------


def _column(m: Any, ddf: str | None) -> ModelColumn:
    name = type(m).__name__
    if name in RESULTS:
        without = getattr(m, "n_clusters", 0) is None
        kind = "regression with robust errors" if without else RESULTS[name]
        return ModelColumn(
            response="", kind=kind, terms=_terms(getattr(m, "fixed", m)),
            lines=_result_lines(m),
        )  # fmt: skip
    kind = KINDS[name]
    mixed = "mixed" in kind
    if not mixed:
        table = m.summary().fixed
    elif name == "NlmeModel":  # stargazer takes nlme's own t tests
        kind = kind if m.ngroups else "generalized least squares"
        table = m.summary().fixed
    else:
        table = m.tidy("fixed", ddf=ddf if kind == "linear mixed-effects" else None)
    response = response_of(m.formula)
    lines = _mixed_lines(m) if mixed else _plain_lines(m)
    return ModelColumn(response=response, kind=kind, terms=_terms(table), lines=lines)


def _terms(table: Any) -> dict[str, tuple[float, float, float]]:
    p = table.p_value if table.p_value is not None else np.full(len(table.term), np.nan)
    p = np.where(np.isnan(p), _z_p(table.statistic), p)
    return {
        t: (float(e), float(s), float(q))
        for t, e, s, q in zip(table.term, table.estimate, table.std_error, p, strict=True)
    }


def _result_lines(m: Any) -> dict[str, Line]:
    """What a result says of its fit: rows, clusters, R²."""
    lines = {}
    if (rows := getattr(m, "nobs", None)) is not None:
        lines["Observations"] = Line(value=int(rows))
    clusters = getattr(m, "n_clusters", None) or getattr(m, "ngroups", None)
    if clusters is not None:
        lines["Clusters"] = Line(value=int(clusters))
    if hasattr(m, "r_squared"):
        lines["R2"] = Line(value=float(m.r_squared))
    return lines


def _z_p(z: Any) -> Any:
    from math import erfc, sqrt

    return np.array([erfc(abs(float(x)) / sqrt(2)) for x in z])


def _mixed_lines(m: Any) -> dict[str, Line]:
    return {
        "Observations": Line(value=int(m.nobs)),
        "Log Likelihood": Line(value=float(m.loglik)),
        "Akaike Inf. Crit.": Line(value=float(m.aic)),
        "Bayesian Inf. Crit.": Line(value=float(m.bic)),
    }


def _plain_lines(m: Any) -> dict[str, Line]:
    lines = {"Observations": Line(value=int(m.nobs))}
    summary = m.summary()
    if summary.r_squared is None:
        lines["Log Likelihood"] = Line(value=float(m.loglik))
        lines["Akaike Inf. Crit."] = Line(value=float(m.aic))
        return lines
    lines["R2"] = Line(value=float(summary.r_squared))
    lines["Adjusted R2"] = Line(value=float(summary.adj_r_squared))
    after = f" (df = {m.df_residual:,})"
    lines["Residual Std. Error"] = Line(value=float(summary.sigma), after=after)
    if summary.f_statistic is not None:
        after = f" (df = {summary.f_num_df:,.0f}; {summary.f_den_df:,.0f})"
        value, p = float(summary.f_statistic), float(summary.f_p_value)
        lines["F Statistic"] = Line(value=value, p_value=p, after=after)
    return lines


def _stars(p: float, levels: tuple[float, ...]) -> str:
    return "*" * sum(p < level for level in levels)


# --- the table ----------------------------------------------------------------------------------

#: Order of the lines below the coefficients.
LINES = (
    "Observations", "Clusters", "R2", "Adjusted R2", "Log Likelihood", "Akaike Inf. Crit.",
    "Bayesian Inf. Crit.", "Residual Std. Error", "F Statistic",
)  # fmt: skip


def _layout(
    columns: list[ModelColumn],
    digits: int,
    levels: tuple[float, ...],
    labels: Mapping[str, str],
    column_labels: Sequence[str] | None,
    title: str,
    single_row: bool,
) -> Layout:
    names = list(dict.fromkeys(t for c in columns for t in c.terms if t != "(Intercept)"))
    if any("(Intercept)" in c.terms for c in columns):
        names.append("(Intercept)")
    if not isinstance(labels, Mapping):
        raise ArgumentError(f"labels maps terms to what to call them, not {labels!r}")
    for name in labels:
        if name not in names:
            raise ArgumentError(f"labels names {name!r}, no term." + near_names(name, names))
    if isinstance(column_labels, str):
        raise ArgumentError(f"column_labels is a list, one a model, not {column_labels!r}")
    column_labels = text_list(column_labels, "column_labels")
    if column_labels is not None and len(column_labels) != len(columns):
        raise ArgumentError(f"{len(column_labels)} column_labels for {len(columns)} models")
    called = {"(Intercept)": "Constant", **labels}
    terms = tuple(
        (
            called.get(name, name),
            tuple(_estimate(c, name, digits, levels) for c in columns),
            tuple(_error(c, name, digits) for c in columns),
        )
        for name in names
    )
    lines = tuple(
        (name, tuple(_line(c, name, digits, levels) for c in columns))
        for name in LINES
        if any(name in c.lines for c in columns)
    )
    kinds = tuple(c.kind for c in columns)
    return Layout(
        responses=tuple(column_labels or (c.response for c in columns)),
        kinds=kinds if len(set(kinds)) > 1 else (),
        terms=terms,
        lines=lines,
        levels=levels,
        title=title,
        single_row=single_row,
    )


def _line(c: ModelColumn, name: str, digits: int, levels: tuple[float, ...]) -> str:
    return c.lines[name].text(digits, levels) if name in c.lines else ""


def _estimate(c: ModelColumn, name: str, digits: int, levels: tuple[float, ...]) -> str:
    if name not in c.terms:
        return ""
    estimate, _, p = c.terms[name]
    return grouped(estimate, digits) + _stars(p, levels)


def _error(c: ModelColumn, name: str, digits: int) -> str:
    return f"({grouped(c.terms[name][1], digits)})" if name in c.terms else ""
