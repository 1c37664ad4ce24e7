"""Tests of fixed effects by every rule side by side, and the test that is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

import numpy as np
import pandas as pd

from pymlm.arguments import strict
from pymlm.errors import NotSupportedError
from pymlm.models.inside import call_ddf, is_linear
from pymlm.models.mixed import MixedModel
from pymlm.multilevel.asked_model import mixed
from pymlm.multilevel.columns import names
from pymlm.multilevel.contrasts import contrast_rows, rows_of
from pymlm.results.base import Floats, Result, check_known, readonly

RULES = ("asymptotic", "residual", "between-within", "Satterthwaite", "Kenward-Roger")
_NONE = ("estimate", "std_error", "df", "statistic", "p_value")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DdfTable(Result):
    """Tests of every fixed effect by every rule of denominator degrees of freedom.

    Attributes
    ----------
    term, ddf : tuple of str, length k
        Coefficient and rule: "asymptotic" (z, the same as chi² with 1 df), "residual",
        "between-within", "Satterthwaite", "Kenward-Roger".
    estimate, std_error, df, statistic, p_value : ndarray, shape (k,)
        NaN where the rule does not apply to this model; `notes` says why. Kenward-Roger has
        standard errors of its own.
    chisq : ndarray, shape (k,)
        statistic².
    notes : dict of str to str
        Rule -> why it has no numbers.

    Notes
    -----
    Lecture S4 (significance of fixed effects; DDF methods); Kuznetsova et al. 2017,
    doi:10.18637/jss.v082.i13; Halekoh & Højsgaard 2014, doi:10.18637/jss.v059.i09. Between-within
    as SAS's DDFM=BW: level 2 has groups − level-2 effects, level 1 rows − groups − level-1 effects.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "ddf", "estimate", "std_error", "df", "statistic", "chisq", "p_value",
    )  # fmt: skip
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    ddf: tuple[str, ...]
    estimate: Floats
    std_error: Floats
    df: Floats
    statistic: Floats
    chisq: Floats
    p_value: Floats
    # By rule, where other results have texts.
    notes: Mapping[str, str]  # type: ignore[assignment]

    def _remarks(self) -> list[str]:
        return [f"{rule}: {why}" for rule, why in self.notes.items()]

    def wide(self, what: str = "df") -> pd.DataFrame:
        """Return one column a rule: its `what` ("df", "p_value", "std_error" ...).

        Raises
        ------
        ArgumentError
            For a column that there is not.
        """
        check_known(what, self._columns, "column")
        frame = self.to_frame()
        rules = {rule: frame.loc[frame["ddf"] == rule, what] for rule in dict.fromkeys(self.ddf)}
        return pd.DataFrame(rules)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class JointWald(Result):
    """Multivariate Wald test of several fixed effects, by chi² and by F, side by side.

    Attributes
    ----------
    ddf : tuple of str, length k
    statistic : ndarray, shape (k,)
        chi² for "asymptotic", else F.
    num_df, den_df : ndarray, shape (k,)
        den_df is infinite for chi².
    p_value : ndarray, shape (k,)
    terms : tuple of str
        The coefficients tested against 0.
    notes : dict of str to str

    Notes
    -----
    Lecture S4: numerator DF > 1. ``lmerTest::contestMD``; Wald's chi² is b'V⁻¹b.
    """

    _columns: ClassVar[tuple[str, ...]] = ("statistic", "num_df", "den_df", "p_value")
    _index: ClassVar[str | None] = "ddf"

    ddf: tuple[str, ...]
    statistic: Floats
    num_df: Floats
    den_df: Floats
    p_value: Floats
    terms: tuple[str, ...]
    # By rule, where other results have texts.
    notes: Mapping[str, str]  # type: ignore[assignment]

    def _remarks(self) -> list[str]:
        return [f"{rule}: {why}" for rule, why in self.notes.items()]


@strict
def ddf_table(m: MixedModel) -> DdfTable:
    """Test every fixed effect by every rule of denominator degrees of freedom, side by side.

    Parameters
    ----------
    m : LinearMixedModel

    Returns
    -------
    DdfTable
        z (= chi² with 1 df), t with residual, between-within, Satterthwaite and Kenward-Roger df.
        A rule that does not apply (Kenward-Roger for an ML fit, between-within for crossed factors)
        has NaN and says why in `notes`.

    Raises
    ------
    NotSupportedError
        For a model that is not linear.

    Notes
    -----
    Lecture S4: Mplus and Stata use z by default, SPSS Satterthwaite, SAS what DDFM= says.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    >>> mlm.ddf_table(m).wide("df").loc["Days"].round(1).tolist()
    [inf, 178.0, 161.0, 17.0, 17.0]
    """
    model = _linear(m, "ddf_table")
    terms = list(model.fixef().index)
    L = np.eye(len(terms))
    columns: dict[str, list[Any]] = {k: [] for k in _NONE}
    notes: dict[str, str] = {}
    for rule in RULES:
        try:
            found = contrast_rows(model, L, rule, 0.95)
        except NotSupportedError as error:
            notes[rule] = str(error)
            for k in _NONE:
                columns[k].append(np.full(len(terms), np.nan))
            continue
        for k in _NONE:
            columns[k].append(getattr(found, k))
    values = {k: readonly(np.concatenate(v)) for k, v in columns.items()}
    return DdfTable(
        term=tuple(terms * len(RULES)),
        ddf=tuple(rule for rule in RULES for _ in terms),
        chisq=readonly(values["statistic"] ** 2),
        notes=notes,
        **values,
    )


def _linear(m: Any, what: str) -> MixedModel:
    model = mixed(m, what)
    if not is_linear(model):
        raise NotSupportedError(
            f"{what} is for linear mixed models; tests of a generalized one are asymptotic: see "
            "m.summary(ddf=None)"
        )
    return model


@strict
def joint_wald(m: MixedModel, terms: str | Sequence[str]) -> JointWald:
    """Test several fixed effects together, by chi² and by F under every rule.

    Parameters
    ----------
    m : LinearMixedModel
    terms : list of str
        Coefficients, as R names them.

    Returns
    -------
    JointWald

    Raises
    ------
    ArgumentError
        For an unknown coefficient; near names are listed.

    Notes
    -----
    Lecture S4, numerator DF above 1: chi² (infinite denominator DF) or F. ``lmerTest::contestMD``.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("cake")
    >>> m = mlm.lmer("angle ~ recipe + temp + (1 | recipe:replicate)", data)
    >>> mlm.joint_wald(m, ["recipeB", "recipeC"]).to_frame().round(3)
                    statistic  num_df  den_df  p_value
    asymptotic          0.498     2.0     inf    0.780
    residual            0.249     2.0   266.0    0.780
    between-within      0.249     2.0    42.0    0.781
    Satterthwaite       0.249     2.0    42.0    0.781
    Kenward-Roger       0.249     2.0    42.0    0.781
    """
    model = _linear(m, "joint_wald")
    wanted = names(terms, "terms")
    L = rows_of(model, [{t: 1.0} for t in wanted])
    rows, notes = [], {}
    for rule in RULES:
        try:
            found = call_ddf(model, "ml_joint", Any, rule, l=L, ddf=rule)
        except NotSupportedError as error:
            notes[rule] = str(error)
            rows.append([np.nan] * 4)
            continue
        rows.append([float(found[k][0]) for k in ("statistic", "num_df", "den_df", "p_value")])
    values = np.array(rows)
    return JointWald(
        ddf=RULES,
        statistic=readonly(values[:, 0].copy()),
        num_df=readonly(values[:, 1].copy()),
        den_df=readonly(values[:, 2].copy()),
        p_value=readonly(values[:, 3].copy()),
        terms=tuple(wanted),
        notes=notes,
    )


@strict
def wald_variance_test(m: MixedModel, component: str | None = None) -> NoReturn:
    """Refuse a Wald test of a variance, and say why.

    Parameters
    ----------
    m : MixedModel
    component : str, optional
        The variance that was to be tested.

    Raises
    ------
    NotSupportedError
        Always. Programs that print such a p-value take a sampling distribution with two tails for
        what cannot be negative (lecture S4).

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Yield ~ 1 + (1 | Batch)", mlm.load_dataset("Dyestuff"))
    >>> try:
    ...     mlm.wald_variance_test(m)
    ... except mlm.errors.NotSupportedError as error:
    ...     print(str(error).split(":")[0])
    there is no valid Wald p-value for a variance
    """
    mixed(m, "wald_variance_test")
    what = f"the variance of {component!r}" if component is not None else "a variance"
    raise NotSupportedError(
        f"there is no valid Wald p-value for {what}: a variance cannot be negative, so z has no "
        "normal distribution around 0. Fit the model with and without it and compare by likelihood:"
        " pymlm.lrt(m0, m1) with its chi-bar-square p-value, m.ranova(), or pymlm.exact_rlrt(m)"
    )
