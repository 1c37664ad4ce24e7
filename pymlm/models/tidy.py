"""tidy, glance and augment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from pymlm.argument_types import Count, Ddf, Level, Seed, TidyConfintMethod, TidyScale
from pymlm.arguments import choice, strict, text_list
from pymlm.errors import DataError
from pymlm.frame_keys import key_column
from pymlm.frames import as_column, used_columns
from pymlm.models.advice import advise
from pymlm.models.common_attributes import CommonAttributes
from pymlm.models.exact import need_asymptotic
from pymlm.results.base import ESTIMATES, Result
from pymlm.results.estimates import EstimateColumns

EFFECTS = ("fixed", "ran_pars", "ran_vals", "ran_coefs")
Effect = Literal["fixed", "ran_pars", "ran_vals", "ran_coefs"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Tidy(EstimateColumns):
    """Estimates of a mixed model, one row each, in broom's columns.

    Attributes
    ----------
    effect : tuple of str, length k
        "fixed", "ran_pars" (variance components), "ran_vals" (conditional modes) or "ran_coefs"
        (coefficients by group).
    group, level : tuple of (str or None), length k
        Grouping factor ("Residual" for the residual) and its level.
    term : tuple of str, length k
        Coefficient; of a variance component "sd__(Intercept)", "cor__(Intercept).Days",
        "sd__Observation".
    estimate, std_error, df, statistic, p_value, conf_low, conf_high : ndarray, shape (k,)
        NaN where there is none: no degrees of freedom for z, no standard error of a variance
        component.
    ddf : str or None
        Method of the degrees of freedom.

    Notes
    -----
    Mirrors ``broom.mixed::tidy(model, effects, conf.int)``, names in snake case.
    """

    _index: ClassVar[str | None] = "term"

    effect: tuple[str, ...]
    group: tuple[str | None, ...]
    level: tuple[str | None, ...]
    term: tuple[str, ...]
    ddf: str | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return effect, group, level (where rows have one), term, and the numbers."""
        frame = Result.to_frame(self)
        frame.insert(0, "effect", list(self.effect))
        frame.insert(1, "group", np.array(self.group, dtype=object))
        frame.insert(2, "term", list(self.term))
        if any(x is not None for x in self.level):
            frame.insert(2, "level", np.array(self.level, dtype=object))
        return frame


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Glance(Result):
    """One line about a whole model, in broom's columns.

    Attributes
    ----------
    nobs, df_residual : int
    sigma : float
        Residual standard deviation; 1 for families without a scale.
    loglik, aic, bic : float
        Of the REML fit, for a REML fit, as R has them.
    reml_criterion : float or None
        None for an ML fit.
    deviance : float
        −2 log-likelihood of an ML fit; the ML deviance at the estimates of a REML fit; for a GLMM
        R's ``deviance(model)``, given the random effects.

    Notes
    -----
    Mirrors ``broom.mixed::glance(model)``, which leaves out the deviance of a REML fit.
    """

    nobs: int
    sigma: float
    loglik: float
    aic: float
    bic: float
    reml_criterion: float | None = None
    deviance: float
    df_residual: int

    def to_frame(self) -> pd.DataFrame:
        """Return one row."""
        row = {k: [np.nan if v is None else v] for k, v in self._values().items()}
        return pd.DataFrame(row)

    def _values(self) -> dict[str, float | None]:
        return {
            "nobs": self.nobs, "sigma": self.sigma, "loglik": self.loglik, "aic": self.aic,
            "bic": self.bic, "reml_criterion": self.reml_criterion, "deviance": self.deviance,
            "df_residual": self.df_residual,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LinearGlance(Glance):
    """One line about an lm or glm, with the columns that broom adds for it.

    Attributes
    ----------
    r_squared, adj_r_squared, statistic, p_value, df : float
        Of an lm: its R² and the F test of all terms, with `df` and df_residual degrees of freedom.
    null_deviance, df_null : float
        Of a glm.

    Notes
    -----
    Mirrors ``broom::glance(model)``.
    """

    r_squared: float = np.nan
    adj_r_squared: float = np.nan
    statistic: float = np.nan
    p_value: float = np.nan
    df: float = np.nan
    null_deviance: float = np.nan
    df_null: float = np.nan

    def _values(self) -> dict[str, float | None]:
        own = (
            "r_squared", "adj_r_squared", "statistic", "p_value", "df", "null_deviance", "df_null",
        )  # fmt: skip
        shared = Glance._values(self)
        del shared["reml_criterion"]
        return shared | {name: getattr(self, name) for name in own}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Named(Tidy):
    """What the bridge's `tidy_table` sends: with R's name of the parameter behind each row."""

    parameter: tuple[str | None, ...]


class TableMethods(CommonAttributes):
    """The model as broom and broom.mixed tabulate it."""

    _glance: type[Glance] = Glance

    @strict
    def tidy(
        self,
        effects: Effect | Sequence[Effect] = ("fixed", "ran_pars"),
        conf_int: bool = False,
        conf_level: Level = 0.95,
        conf_method: TidyConfintMethod = "Wald",
        ddf: Ddf | None = "default",
        exponentiate: bool = False,
        scale: TidyScale = "sdcor",
        nsim: Count = 500,
        seed: Seed | None = None,
    ) -> Tidy:
        """Return the estimates as one tidy table.

        Parameters
        ----------
        effects : str or list of str
            Any of "fixed", "ran_pars" (variance components), "ran_vals" (conditional modes) and
            "ran_coefs" (coefficients by group).
        conf_int : bool
            Fill conf_low and conf_high.
        conf_level : float
        conf_method : {"Wald", "profile", "boot"}
            Wald intervals use the degrees of freedom, and variance components have none; a profile
            or a bootstrap gives both, as `confint` does; of scale="vcov" those of the variances,
            while covariances have none.
        ddf : str or None
            As in `summary`: by default "Satterthwaite" of `lmer`, None of other mixed models; the
            class's own of others ("residual" of `lm`, "containment" of `lme`).
        exponentiate : bool
            Exponentiate the fixed effects and their limits (odds ratios, rate ratios); the standard
            error by the delta method.
        scale : {"sdcor", "vcov"}
            Variance components as standard deviations and correlations, or as (co)variances.
        nsim, seed
            Of the bootstrap; see `bootstrap`.

        Raises
        ------
        ArgumentError
            For an unknown effect.
        NotSupportedError
            As in `summary`.

        Warns
        -----
        AdviceWarning
            For ``exponentiate=True`` of a model without a log or logit link.

        Notes
        -----
        Mirrors ``broom.mixed::tidy(model, effects, conf.int, conf.level, exponentiate)``; with
        degrees of freedom as for a model that lmerTest fitted, with ``ddf=None`` as for lme4's; for
        an lm or glm ``broom::tidy(model)``. Variance components of `lme` have lmer's names (two
        underscores). An lm, a glm and a gls have fixed effects alone.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.tidy("ran_pars").to_frame()[["group", "term", "estimate"]].round(2).values.tolist()[0]
        ['Subject', 'sd__(Intercept)', 24.74]
        """
        asked = text_list(effects, "effects") or [str(effects)]
        which = [choice(e, EFFECTS, "effects") for e in asked]
        order = [e for e in EFFECTS if e in which]
        method = self._table_ddf(ddf)
        columns: _Named = self._call_ddf(
            "tidy_table",
            _Named,
            method,
            effects=order,
            ddf=method,
            level=conf_level,
            scale=scale,
        )
        values: dict[str, Any] = {f: np.array(getattr(columns, f)) for f in ESTIMATES}
        if not conf_int:
            values["conf_low"][:] = values["conf_high"][:] = np.nan
        elif conf_method != "Wald":
            how: dict[str, Any] = {"method": conf_method, "level": conf_level}
            if conf_method == "boot":
                how |= {"nsim": nsim, "seed": seed}
            self._fill_intervals(columns, values, scale, how)
        if exponentiate:
            self._advise_of_link()
            fixed = np.array([e == "fixed" for e in columns.effect])
            for name in ("estimate", "conf_low", "conf_high"):
                values[name][fixed] = np.exp(values[name][fixed])
            values["std_error"][fixed] *= values["estimate"][fixed]
        return Tidy(
            effect=columns.effect, group=columns.group, level=columns.level, term=columns.term,
            ddf=method, **values,
        )  # fmt: skip

    def _advise_of_link(self) -> None:
        """Say, as broom does, where e to the power of a coefficient is no ratio."""
        link = getattr(self, "link", "identity")
        if link in ("log", "logit") or self.formula.startswith("log("):
            return
        advise(
            f"exponentiate=True, and the model has the {link} link: broom warns, too, that only "
            "with a log or logit link is exp(coefficient) a ratio. Leave exponentiate out, or, of "
            "a response that is a logarithm already, read it as a ratio of geometric means"
        )

    def _table_ddf(self, ddf: str | None) -> str | None:
        own = self._description().ddf
        if own is None:  # without degrees of freedom, whatever the words for it
            need_asymptotic(ddf)
            return None
        return self._ddf(ddf)

    def _fill_intervals(
        self, columns: _Named, values: dict[str, Any], scale: str, how: dict[str, Any]
    ) -> None:
        if scale == "vcov" and "ran_pars" in columns.effect:
            how |= {"scale": "variance"}
        found = self.confint(**how)  # type: ignore[attr-defined]  # MixedModel has it
        # Two terms of one group may have coefficients of one name; R's .sig01 ... are unique.
        keys = [r or t for r, t in zip(found.r_names or found.term, found.term, strict=True)]
        place = {k: i for i, k in enumerate(keys)}
        for i, parameter in enumerate(columns.parameter):
            at = place.get(parameter or "")
            if scale == "vcov" and columns.term[i].startswith("cov__"):
                at = None  # found are the correlation's
            values["conf_low"][i] = np.nan if at is None else found.conf_low[at]
            values["conf_high"][i] = np.nan if at is None else found.conf_high[at]

    @strict
    def glance(self) -> Glance:
        """Return one line about the model: nobs, sigma, loglik, aic, bic ...

        Notes
        -----
        Mirrors ``broom.mixed::glance(model)``, and ``broom::glance(model)`` of an lm or glm.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.glance().to_frame()[["nobs", "sigma", "aic"]].round(1).values.tolist()
        [[180.0, 25.6, 1755.6]]
        """
        found: Glance = self._call("glance_table", self._glance)
        return found

    @strict
    def augment(self) -> pd.DataFrame:
        """Return the rows that were used, with what the fit says of each.

        Returns
        -------
        DataFrame
            The columns of the model frame, then broom.mixed's: .fitted (on the link scale for a
            GLMM), .resid, .hat, .cooksd, .fixed (fixed part alone), .mu (on the response scale),
            .offset, .sqrtXwt, .sqrtrwt, .weights, .wtres; for an lm or glm broom's: .fitted (link),
            .resid, .hat, .sigma, .cooksd, .std.resid; for nlme's .fitted, .resid, .fixed; on the
            data's own index.

        Raises
        ------
        DataError
            When the model frame has a column of one of these names.

        Notes
        -----
        Mirrors ``broom.mixed::augment(model)``. The dots keep apart what the fit made.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.augment()[["Reaction", ".fitted", ".resid"]].round(1).iloc[0].to_list()
        [249.6, 253.7, -4.1]
        """
        found = self._call("augment_table")
        columns = {n: as_column(c) for n, c in found["data"].items() if c is not None}
        if taken := sorted(columns.keys() & found["values"].keys()):
            raise DataError(
                f"the data have a column {taken[0]!r}, a name by which augment() says what the fit "
                "made; rename the column"
            )
        out = pd.DataFrame(columns | found["values"], index=self._used_index)
        # Grouping factors that crossed as names come back as the user has them.
        data = self._source.data
        for name in out.columns if data is not None else ():
            if data is not None and name in found["data"] and name in map(str, data.columns):
                own = used_columns(data, [name]).iloc[:, 0]
                if key_column(name, own) is not None and isinstance(
                    out[name].dtype, pd.CategoricalDtype
                ):
                    rows = own if self._used_rows is None else own.iloc[self._used_rows]
                    out[name] = rows.to_numpy() if rows.dtype == object else rows.array
        return out
