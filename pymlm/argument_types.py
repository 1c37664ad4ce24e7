"""Types of arguments: what a type checker refuses in the editor, and `strict` at a call.

A `Literal` holds pymlm's own words, then those that stand for them in lectures and in other
packages (`pymlm.synonyms`); at a call the case does not matter either, and the function is given
pymlm's word. ``Annotated[type, check]`` is checked by ``check(value, name)``, which returns the
value to go on with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol, TypeAlias

import numpy as np
import pandas as pd

from pymlm.arguments import (
    at_least,
    check_jobs,
    ddf_of_a_test,
    finite,
    fraction,
    r_seed,
    seconds,
    seed_at_least_0,
    significance,
    text_list,
    type_of_tests,
)

# --- degrees of freedom and tests -----------------------------------------------------------------

#: Methods for denominator degrees of freedom; None, where it is taken, is lme4's own output,
#: without any. "default" is R's own for the class of the model: "residual" that of lm, glm and gls,
#: "containment" that of lme.
Ddf = Literal[
    "Satterthwaite", "Kenward-Roger", "between-within", "asymptotic", "containment", "residual",
    "default",
    "KR", "kroger", "satterth", "Satt", "BW", "betwithin", "repeated", "anova", "z", "normal",
    "Wald", "inf",
]  # fmt: skip
#: Of a test, which needs some.
TestDdf = Annotated[Ddf, ddf_of_a_test]
#: Those of linear mixed models.
MixedDdf = Literal[
    "Satterthwaite", "Kenward-Roger", "between-within", "asymptotic",
    "KR", "kroger", "satterth", "Satt", "BW", "betwithin", "repeated", "z", "normal", "Wald", "inf",
]  # fmt: skip
#: Those that lmerTest has.
LmerTestDdf = Literal["Satterthwaite", "Kenward-Roger", "KR", "kroger", "satterth", "Satt"]
#: What computes Satterthwaite's and Kenward-Roger's degrees of freedom.
Engine = Literal["auto", "lmerTest", "exact"]
#: Whose frames are given back: always pandas', or those of the library that the data came in.
Frames = Literal["pandas", "same"]
#: Of a mistake: the user's frames alone, or all.
Tracebacks = Literal["short", "full"]
#: Sequential (I), each term after all that do not contain it (II), marginal (III).
TestType = Annotated[Literal[1, 2, 3, "1", "2", "3", "I", "II", "III"], type_of_tests]
#: Tests of an analysis of deviance.
DevianceTest = Literal[
    "Chisq", "LRT", "F", "Rao", "chi2", "chi-squared", "likelihood ratio", "score"
]

# --- intervals ------------------------------------------------------------------------------------

ConfintMethod = Literal[
    "Wald", "profile", "boot", "bootstrap", "parametric bootstrap", "likelihood"
]
LinearConfintMethod = Literal["profile", "Wald", "likelihood"]
#: Of `tidy`, whose argument has another name.
TidyConfintMethod = Literal["Wald", "profile", "boot", "bootstrap", "likelihood"]
#: Limits of a mean, or of a new observation.
Interval = Literal["confidence", "prediction", "mean", "conf", "pred"]
BootInterval = Literal["perc", "basic", "norm"]
#: Standard deviations and correlations, or variances and covariances.
SdOrVariance = Literal["sd", "variance"]
TidyScale = Literal["sdcor", "vcov"]

# --- marginal means -------------------------------------------------------------------------------

MeansType = Literal[
    "link", "response", "unlink", "mu", "marginal", "raw", "prob", "mean", "linear", "lp"
]
Adjust = Literal[
    "none", "tukey", "scheffe", "sidak", "dunnettx", "mvt", "bonferroni", "holm", "hochberg",
    "hommel", "BH", "fdr", "BY",
]  # fmt: skip
#: Across families: R's ``p.adjust``, and Sidak's.
CrossAdjust = Literal[
    "none", "sidak", "bonferroni", "holm", "hochberg", "hommel", "BH", "fdr", "BY"
]
Infer = Literal["ci", "test", "both"]
MeansWeights = Literal["equal", "proportional", "outer", "cells", "flat"]
Regrid = Literal["response", "mu", "unlink", "log", "sqrt", "logit", "probit", "none"]
Side = Literal[
    "two-sided", "left", "right", "equivalence", "noninferiority", "nonsuperiority",
    "<", ">", "=", "both", "!=",
]  # fmt: skip
#: Contrast families of emmeans, by the names under which R knows them; the last four are newer
#: than emmeans 1.8.
ContrastName = Literal[
    "pairwise", "revpairwise", "tukey", "consec", "mean_chg", "eff", "del.eff", "trt.vs.ctrl",
    "trt.vs.ctrl1", "trt.vs.ctrlk", "dunnett", "poly", "identity", "opoly", "helmert", "nrmlz",
    "wtcon",
]  # fmt: skip
#: A family, one a factor for an interaction, or weights: named, of one contrast, or a row a
#: contrast.
Contrast: TypeAlias = (
    ContrastName
    | Sequence[ContrastName]
    | Mapping[str, Any]
    | Sequence[float]
    | Sequence[Sequence[float]]
    | np.ndarray[Any, Any]
    | pd.Series
    | pd.DataFrame
)

# --- rows -----------------------------------------------------------------------------------------

#: On the scale of the response, or of the linear predictor.
ResponseOrLink = Literal["response", "link", "raw", "prob", "mean", "linear", "lp"]
#: How two average predictions are compared.
Comparison = Literal["difference", "ratio", "lnratio", "lnor", "lift"]
#: A slope, or an elasticity.
SlopeKind = Literal["dydx", "eyex", "eydx", "dyex"]
#: Unknown levels of a grouping factor: refused, at the population mean, or NaN.
NewLevels = bool | Literal["nan"]
ResidualType = Literal["response", "pearson", "deviance", "working", "scaled"]
LinearResidualType = Literal[
    "response", "pearson", "deviance", "working", "standardized", "studentized",
    "standardised", "studentised",
]  # fmt: skip
NlmeResidualType = Literal["response", "pearson", "normalized"]
FixedOrRandom = Literal["fixed", "random"]
BootType = Literal["parametric", "semiparametric"]

# --- the multilevel workflow ----------------------------------------------------------------------

CenterMethod = Literal[
    "cluster", "grand", "leave-one-out", "constant",
    "group", "group-mean", "cluster-mean", "CWC", "within", "grand-mean", "CGM",
    "Cluster-MC", "C-MC", "variable", "cluster-mean-centering", "Grand-MC", "GMC",
    "grand-mean-centering", "constant-centering",
]  # fmt: skip
#: Residual correlations of nlme.
Correlation = Literal[
    "ar1", "car1", "cs", "symm",
    "compound-symmetry", "exchangeable", "AR(1)", "CAR(1)", "unstructured", "UN",
]  # fmt: skip
PanelModel = Literal[
    "within", "between", "random", "pooling",
    "fe", "fixed", "fixed effects", "re", "random effects", "be", "between effects", "ols",
    "pooled",
]  # fmt: skip
GeeFamily = Literal["gaussian", "binomial", "poisson", "gamma", "normal", "logistic"]
GeeCorrelation = Literal[
    "exchangeable", "independence", "ar1", "unstructured",
    "compound-symmetry", "cs", "independent", "AR(1)", "UN",
]  # fmt: skip
GeeErrors = Literal["san.se", "jack", "j1s", "fij"]
RobustType = Literal[
    "CR0", "CR1", "CR1p", "CR1S", "CR2", "CR3", "HC0", "HC1", "HC2", "HC3",
    "bootstrap",
    "Huber-White", "sandwich", "Liang-Zeger", "robust", "White",
]  # fmt: skip
#: Without clusters: White's and its corrections, Newey and West's, the bootstrap of rows.
RowRobustType = Literal[
    "HC0", "HC1", "HC2", "HC3", "HC4", "HC4m", "HC5", "HAC", "bootstrap", "Newey-West", "White",
    "Huber-White", "sandwich",
]  # fmt: skip
#: What a bootstrap of linear models draws: rows or clusters, residuals, or their signs.
RobustBootType = Literal["xy", "residual", "wild", "mammen", "webb", "norm", "pairs", "rademacher"]
#: Of the level-1 variance of a generalized model.
Approximation = Literal["auto", "latent", "lognormal", "delta", "trigamma"]
IccInterval = Literal["auto", "delta", "boot", "bootstrap"]
Missing = Literal["fiml", "listwise", "ml", "full information", "complete"]
#: Whose criteria and whose output.
Flavour = Literal["R", "Stata", "SAS", "SPSS", "Mplus"]
RowsOrGroups = Literal["rows", "groups"]

# --- many models ----------------------------------------------------------------------------------

#: R's ``p.adjust``.
ManyAdjust = Literal["holm", "hochberg", "hommel", "bonferroni", "BH", "BY", "fdr", "none"]

# --- numbers and names ----------------------------------------------------------------------------

#: A confidence level, or another number between 0 and 1.
Level = Annotated[float, fraction]
#: A share of tests that reject where there is nothing.
Significance = Annotated[float, significance]
Finite = Annotated[float, finite]
#: A number of things, at least one.
Count = Annotated[int, at_least(1)]
#: A number of processes; −1 for one per core.
Jobs = Annotated[int, check_jobs]
#: A seed of random numbers; `RSeed` is for R's ``set.seed`` alone, which takes negative ones, too.
Seed = Annotated[int, seed_at_least_0]
RSeed = Annotated[int, r_seed]
#: A time limit in seconds.
Timeout = Annotated[float, seconds]
#: A name or several; the function is given a list.
Names = Annotated[str | Sequence[str], text_list]


class HasColumns(Protocol):
    """A frame: of pandas, Polars, PyArrow, DuckDB or another library that narwhals reads."""

    @property
    def columns(self) -> Any:
        """Its columns, or their names."""


#: What a model is fitted to: a frame, or a dict of columns.
Data = HasColumns | dict[str, Any]
#: One number a row: values in the data's order or on its index, or the name of a column.
PerRow = str | Iterable[Any]
