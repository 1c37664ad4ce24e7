"""The numbers of a model that are compared with native R's, by table and name."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from pymlm.argument_types import Ddf
from pymlm.errors import NotSupportedError, RWarning
from pymlm.models.glm import GeneralizedLinearModel
from pymlm.models.inside import is_linear
from pymlm.models.lm import LinearModel
from pymlm.models.membership import MultipleMembershipModel
from pymlm.models.mixed import MixedModel
from pymlm.models.nlme import NlmeModel
from pymlm.models.nlmer import NonlinearMixedModel
from pymlm.results.fixed import FixedEffects

#: Above this, native Kenward-Roger takes minutes (dense n x n matrices) and is left out.
MAX_KR_ROWS = 1_500

Tables = dict[str, dict[str, Any]]


def compared_ddfs(model: Any) -> list[Ddf | None]:
    """Methods of degrees of freedom that are compared; None is R's own table."""
    if not isinstance(model, MixedModel) or not is_linear(model):
        return [None]
    # pbkrtest would take structures for unstructured covariances, and is refused for them.
    structured = any(x.structure != "us" for x in model.varcorr().matrices)
    kenward_roger = model.reml and model.nobs <= MAX_KR_ROWS and not structured
    return [None, "Satterthwaite", "Kenward-Roger"] if kenward_roger else [None, "Satterthwaite"]


def own_numbers(model: Any, ddfs: list[Ddf | None]) -> Tables:
    """Return tables of named numbers, as the native script writes them.

    Raises
    ------
    NotSupportedError
        For what is fitted by no single call of lme4, nlme or stats.
    """
    if isinstance(model, (NonlinearMixedModel, MultipleMembershipModel)):
        pass  # refused below, by name
    elif isinstance(model, MixedModel):
        return _of_lme4(model, ddfs)
    elif isinstance(model, NlmeModel):
        return _of_nlme(model)
    elif isinstance(model, LinearModel):
        return _of_lm(model)
    raise NotSupportedError(
        "check_parity compares models of lmer, glmer, lm, glm, lme and gls, not a "
        f"{type(model).__name__}"
    )


def _of_lme4(model: MixedModel, ddfs: list[Ddf | None]) -> Tables:
    out: Tables = {}
    for ddf in ddfs:
        # The bridge is checked here; the tests compare the exact engine with lmerTest. What R says
        # of its own numbers (pbkrtest and prior weights) is no matter of parity.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RWarning)
            found = (
                model.summary(ddf=None)
                if ddf is None
                else model.summary(ddf=ddf, engine="lmerTest")
            )
        out[f"summary[{ddf or 'lme4'}]"] = _coefficients(found.fixed)
    out["VarCorr"] = _variances(model)
    for g in model.ranef().groups:
        sd = g.condsd if g.condsd is not None else np.full(g.condval.shape, np.nan)
        out[f"ranef {g.grpvar}"] = {
            f"{level} {term} {name}": table[i, j]
            for name, table in (("condval", g.condval), ("condsd", sd))
            for j, term in enumerate(g.term)
            for i, level in enumerate(g.level)
        }
    out["theta"] = {str(i + 1): v for i, v in enumerate(model.theta)}
    return out | _of_every_class(model)


def _of_nlme(model: NlmeModel) -> Tables:
    out: Tables = {"summary": _coefficients(model.summary().fixed)}
    if model.ngroups:
        out["VarCorr"] = _variances(model)
        for name, modes in model.ranef().items():
            out[f"ranef {name}"] = {
                f"{level} {term} condval": value
                for term, column in modes.items()
                for level, value in column.items()
            }
    structure = {"correlation": model.correlation(), "ratio": model.sd_ratios()}
    out["structure"] = {
        f"{name} {i + 1}": v for name, values in structure.items() for i, v in enumerate(values)
    }
    return out | _of_every_class(model)


def _of_lm(model: LinearModel) -> Tables:
    summary = model.summary()
    out: Tables = {"summary": _coefficients(summary.fixed)}
    vcov = model.vcov().dropna(how="all").dropna(axis=1, how="all")
    out["vcov"] = {f"{a} {b}": v for b, column in vcov.items() for a, v in column.items()}
    out["deviance"] = {"deviance": model.deviance}
    if isinstance(model, GeneralizedLinearModel):
        null, scale = model.null_deviance, model.dispersion
        out["deviance"] |= {"null.deviance": null, "dispersion": scale}
    else:
        out["fit"] = {
            "r.squared": summary.r_squared, "adj.r.squared": summary.adj_r_squared,
            "f": summary.f_statistic, "f.num_df": summary.f_num_df, "f.den_df": summary.f_den_df,
        }  # fmt: skip
    return out | _of_every_class(model)


def _of_every_class(model: MixedModel | NlmeModel | LinearModel) -> Tables:
    return {
        "fitted": {str(i + 1): v for i, v in enumerate(model.fitted().dropna().to_numpy())},
        "criteria": {
            "logLik": model.loglik, "AIC": model.aic, "BIC": model.bic, "sigma": model.sigma,
            "df.residual": model.df_residual, "nobs": model.nobs, "npar": model.npar,
        },
    }  # fmt: skip


def _coefficients(fixed: FixedEffects) -> dict[str, Any]:
    """A summary's columns; infinite degrees of freedom are z tests, of which R says none."""
    out: dict[str, Any] = {}
    for column in ("estimate", "std_error", "df", "statistic", "p_value"):
        values = getattr(fixed, column)
        if values is not None and not (column == "df" and np.isinf(values).all()):
            out |= {f"{t} {column}": v for t, v in zip(fixed.term, values, strict=True)}
    return out


def _variances(model: MixedModel | NlmeModel) -> dict[str, Any]:
    vc = model.varcorr()
    return {
        " ".join(str(x) for x in (g, a, b) if not pd.isna(x)) + f" {name}": value
        for g, a, b, v, s in zip(vc.grp, vc.var1, vc.var2, vc.vcov, vc.sdcor, strict=True)
        for name, value in (("vcov", v), ("sdcor", s))
    }
