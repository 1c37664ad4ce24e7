"""What each system calls things, and which defaults it uses."""

from __future__ import annotations

import pandas as pd

#: Question -> R (lme4 + lmerTest), Stata mixed, SAS PROC MIXED, SPSS MIXED, Mplus.
SYSTEMS = ("R", "Stata", "SAS", "SPSS", "Mplus")
ROWS: dict[str, tuple[str, str, str, str, str]] = {
    "command": (
        "lmer(y ~ x + (1 | g))", "mixed y x || g:",
        "PROC MIXED; MODEL y = x; RANDOM intercept / SUBJECT=g",
        "MIXED y WITH x /FIXED=x /RANDOM=INTERCEPT | SUBJECT(g)",
        "TYPE = TWOLEVEL RANDOM; CLUSTER = g",
    ),
    "estimation": ("REML", "ML", "REML", "REML", "ML (MLR: robust standard errors)"),
    "the other estimation": ("REML = FALSE", "reml", "METHOD=ML", "/METHOD=ML", "none"),
    "test of one fixed effect": ("t (lmerTest); none in lme4", "z", "t", "t", "z"),
    "test of several fixed effects": (
        "F (lmerTest)", "chi-squared (Wald)", "F", "F", "chi-squared (Wald)",
    ),
    "degrees of freedom": (
        "Satterthwaite (lmerTest)", "infinite",
        "containment (with RANDOM)", "Satterthwaite", "infinite",
    ),
    "other degrees of freedom": (
        "Kenward-Roger (pbkrtest)",
        "dfmethod(satterthwaite | kroger | repeated | anova | residual)",
        "DDFM=SATTERTHWAITE | KR | BW | RESIDUAL",
        "Kenward-Roger (26 and later), residual", "none",
    ),
    "fit printed": (
        "REML criterion, or AIC BIC logLik deviance", "log likelihood", "-2 log likelihood",
        "-2 log likelihood", "log likelihood",
    ),
    "parameters in a REML fit's AIC": (
        "fixed effects and variances", "fixed effects and variances", "variances only",
        "variances only", "(no REML)",
    ),
    "N in BIC": (
        "rows", "rows", "subjects", "rows (REML: rows less rank of X)", "rows",
    ),
    "test of variances": (
        "ranova(), anova(): naive chi-squared", "LR test vs. linear model: chibar2(01) or chi2",
        "Null model LRT: naive chi-squared; COVTEST prints Wald Z",
        "TESTCOV prints Wald Z", "Wald Z always printed",
    ),
    "scale of random effects": (
        "variance and SD, correlation", "variance, covariance", "variance, covariance UN(i,j)",
        "variance, covariance UN (i,j)", "variance, covariance WITH",
    ),
    "covariance of intercept and slope": (
        "estimated; || sets it to 0", "0; covariance(unstructured) estimates it",
        "0 (TYPE=VC); TYPE=UN estimates it", "0 (VC); COVTYPE(UN) estimates it",
        "0 unless WITH is written",
    ),
    "intercept": ("(Intercept)", "_cons", "Intercept", "Intercept", "Means or Intercepts"),
    "interaction": ("x:z", "c.x#c.z", "x*z", "x * z", "S ON z"),
    "random slope": ("(x | g)", "|| g: x", "RANDOM x", "/RANDOM x", "S | y ON x"),
    "crossed factors": (
        "(1 | a) + (1 | b)", "|| _all: R.a || b:", "two RANDOM statements",
        "two /RANDOM subcommands", "TYPE = CROSSCLASSIFIED (Bayes)",
    ),
    "linear combination": (
        "contest1D(m, L)", "lincom", "ESTIMATE", "/TEST", "MODEL CONSTRAINT: NEW",
    ),
    "intraclass correlation": (
        "performance::icc", "estat icc", "by hand", "by hand", "printed for each outcome",
    ),
    "predicted random effects": (
        "ranef (conditional modes)", "predict, reffects (BLUPs)", "SOLUTION in RANDOM (EBLUPs)",
        "/PRINT SOLUTION(R) (29 and later)", "FSCORES (factor scores)",
    ),
}  # fmt: skip


def system_defaults() -> pd.DataFrame:
    """Return what each system calls things and which default it uses.

    Returns
    -------
    DataFrame
        One row a question, one column a system: R (lme4 with lmerTest), Stata's mixed, SAS's PROC
        MIXED, SPSS's MIXED, Mplus.

    Notes
    -----
    Hoffman's lecture (significance of fixed effects, degrees of freedom, flavours of AIC), and the
    systems' manuals. Where the lecture has Kenward-Roger "in LME": nlme has neither that nor
    Satterthwaite; they are lmerTest's and pbkrtest's, for lmer.

    Examples
    --------
    >>> import pymlm as mlm
    >>> mlm.system_defaults().loc["degrees of freedom", "SPSS"]
    'Satterthwaite'
    """
    return pd.DataFrame.from_dict(ROWS, orient="index", columns=list(SYSTEMS))
