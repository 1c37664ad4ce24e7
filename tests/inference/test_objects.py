"""R's objects filled with Python's values: every door of lmerTest, pbkrtest and emmeans."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pymlm.inference import kenward_roger, moments, satterthwaite
from tests.inference.conftest import BRIDGE, Reference, run_rscript

# lmerTest's numerical differentiation is the difference; what it prints shows none of it.
TOLERANCE = 1e-5

SETUP = """
suppressMessages({{library(lme4); library(lmerTest)}})
options(warn = 2L)
bridge <- new.env(parent = asNamespace("lme4"))
for (file in c("versions.R", basename("{bridge}")))
  sys.source(file.path(dirname("{bridge}"), file), bridge)
read <- function(name, ...) array(readBin(file.path("{values}", name), "double", 1e6), c(...))
model <- lme4::lmer({formula}, {data})
p <- length(fixef(model)); m <- length(getME(model, "theta"))
slices <- function(a) lapply(seq_len(dim(a)[3L]), function(i) matrix(a[, , i], dim(a)[1L]))
P <- read("P", p, p, {components})
native <- lmerTest::as_lmerModLmerTest(model)
filled <- bridge$exact_lmertest(model, read("vcov_varpar", m + 1, m + 1),
                                slices(read("jac", p, p, m + 1)))
adjust <- function(times = 1) bridge$exact_kenward_roger(
  model, times * read("phi_adj", p, p), slices(P), read("W", dim(P)[3L], dim(P)[3L]), {condi})
exact <- bridge$exact_model(filled, adjust())
# Four times the adjusted covariance: standard errors double where the values are really used.
spy <- bridge$exact_model(filled, adjust(4))
same <- function(a, b) {{
  equal <- all.equal(a, b, tolerance = {tolerance})
  if (!isTRUE(equal)) stop(paste(c(deparse(sys.call()), equal), collapse = "\\n"), call. = FALSE)
}}
kr <- "Kenward-Roger"
"""

# Each entry: a name, and R code that stops when something differs.
DOORS = {
    "lmertest_object": "same(filled, native); stopifnot(class(filled) == class(native))",
    "vcov_adj_object": """
      reference <- pbkrtest::vcovAdj(model)
      same(adjust(), reference)
      stopifnot(identical(class(adjust()), class(reference)),
                identical(names(attributes(adjust())), names(attributes(reference))),
                identical(dimnames(adjust()), dimnames(reference)),
                identical(lapply(attr(adjust(), "P"), class), lapply(attr(reference, "P"), class)))
      same(pbkrtest::vcovAdj(exact), reference)""",
    "summary": """
      for (ddf in c("Satterthwaite", kr))
        same(capture.output(print(summary(exact, ddf = ddf))),
             capture.output(print(summary(native, ddf = ddf))))
      a <- coef(summary(exact, ddf = kr))[, "Std. Error"]
      same(2 * a, coef(summary(spy, ddf = kr))[, "Std. Error"])""",
    "anova": """
      for (ddf in c("Satterthwaite", kr)) for (type in c("I", "II", "III"))
        same(anova(exact, ddf = ddf, type = type), anova(native, ddf = ddf, type = type))
      same(anova(exact, ddf = kr)$`F value` / 4, anova(spy, ddf = kr)$`F value`)""",
    "contest": """
      L <- rbind(diag(p)[-1L, , drop = FALSE], colSums(diag(p)[-1L, , drop = FALSE]))
      for (ddf in c("Satterthwaite", kr)) {
        same(contest(exact, L, ddf = ddf), contest(native, L, ddf = ddf))
        same(contest(exact, L[1L, , drop = FALSE], rhs = 2, ddf = ddf),
             contest(native, L[1L, , drop = FALSE], rhs = 2, ddf = ddf))
        same(contest(exact, L, joint = FALSE, ddf = ddf),
             contest(native, L, joint = FALSE, ddf = ddf))
      }""",
    "drop1": """
      for (ddf in c("Satterthwaite", kr))
        same(drop1(exact, ddf = ddf), drop1(native, ddf = ddf))""",
    "ls_means": """
      for (ddf in c("Satterthwaite", kr)) {
        same(ls_means(exact, ddf = ddf), ls_means(native, ddf = ddf))
        same(difflsmeans(exact, ddf = ddf), difflsmeans(native, ddf = ddf))
      }""",
    "kr_modcomp": """
      L <- diag(p)[-1L, , drop = FALSE]
      one <- pbkrtest::KRmodcomp(exact, L); two <- pbkrtest::KRmodcomp(model, L)
      stopifnot(identical(names(one), names(two)), identical(names(one$aux), names(two$aux)))
      # Not aux: its rho is a quotient of rounding errors when V2 is zero.
      for (name in c("test", "L", "type", "formula.large", "formula.small"))
        same(one[[name]], two[[name]])
      small <- update(model, . ~ . - {dropped})
      same(pbkrtest::KRmodcomp(exact, small)$test, pbkrtest::KRmodcomp(model, small)$test)""",
    "emmeans": """
      means <- function(model, ...) {
        grid <- suppressWarnings(emmeans::emmeans(model, {specs}, ...))
        list(as.data.frame(grid), as.data.frame(pairs(grid)), emmeans::joint_tests(model, ...))
      }
      for (df in c("satterthwaite", "kenward-roger", "asymptotic"))
        same(means(exact, lmer.df = df), means(native, lmer.df = df))
      same(2 * means(exact)[[1L]]$SE, means(spy)[[1L]]$SE)
      V <- as.matrix(vcov(model))
      same(suppressMessages(means(exact, vcov. = V)),
           suppressMessages(means(native, vcov. = V)))""",
    "emmeans_of_many_rows": """
      emmeans::emm_options(pbkrtest.limit = 10, lmerTest.limit = 10)
      for (df in c("satterthwaite", "kenward-roger"))
        stopifnot(is.finite(as.data.frame(emmeans::emmeans(exact, {specs}, lmer.df = df))$df))
      emmeans::emm_options(pbkrtest.limit = NULL, lmerTest.limit = NULL)""",
    "step_refits_through_refresh": """
      asked <- 0L
      again <- function(model) {
        asked <<- asked + 1L
        bridge$exact_model(lmerTest::as_lmerModLmerTest(model), pbkrtest::vcovAdj(model), again)
      }
      asking <- bridge$exact_model(filled, adjust(), again)
      one <- step(asking, ddf = kr, alpha.fixed = 1e-300); two <- step(native, ddf = kr,
                                                                     alpha.fixed = 1e-300)
      same(one$fixed, two$fixed); same(one$random, two$random)
      stopifnot(asked > 0L, is(attr(one, "model"), "lmerMod"))""",
    "nothing_is_replaced": """
      stopifnot(
        identical(environmentName(environment(pbkrtest::vcovAdj)), "pbkrtest"),
        identical(class(lmerTest::as_lmerModLmerTest(model))[1L], "lmerModLmerTest"),
        !exists("pymlmExact", envir = globalenv()), !length(ls(globalenv(), pattern = "^[.]__C")))
      same(coef(summary(native, ddf = kr)), coef(summary(exact, ddf = kr)))""",
}

MODELS = {
    "cake": (
        "angle ~ recipe * temperature + (1 | recipe:replicate)",
        "cake",
        "recipe:temperature",
        "~ recipe",
    ),
    "machines": ("score ~ Machine + (Machine | Worker)", "nlme::Machines", "Machine", "~ Machine"),
}


@pytest.fixture(scope="module", params=MODELS)
def failures(
    request: pytest.FixtureRequest,
    references: dict[str, Reference],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, str]:
    """What went wrong behind each door, "" for nothing; one R process asks them all."""
    formula, data, dropped, specs = MODELS[request.param]
    parts = references[request.param].parts
    shared = moments(parts)
    one, two = satterthwaite(parts, shared), kenward_roger(parts, shared)
    out: Path = tmp_path_factory.mktemp("values")
    for name, value in {
        "vcov_varpar": one.vcov_varpar,
        "jac": np.stack(one.jac_list, axis=-1),
        "phi_adj": two.phi_adj,
        "P": np.stack(two.P, axis=-1),
        "W": two.W,
    }.items():
        (out / name).write_bytes(np.asarray(value, dtype="<f8").tobytes(order="F"))
    code = SETUP.format(
        bridge=BRIDGE,
        values=out,
        formula=formula,
        data=data,
        components=len(two.P),
        condi=repr(two.condition),
        tolerance=TOLERANCE,
    )
    for door, text in DOORS.items():
        text = text.replace("{specs}", specs).replace("{dropped}", dropped)
        code += (
            f'writeLines(tryCatch({{ local({{ {text} }}); "" }}, error = conditionMessage), '
            f'"{out / door}.txt")\n'
        )
    script = out / "doors.R"
    script.write_text(code, encoding="utf-8")
    run_rscript(script)
    return {door: (out / f"{door}.txt").read_text().strip() for door in DOORS}


@pytest.mark.parametrize("door", DOORS)
def test_door(failures: dict[str, str], door: str) -> None:
    assert failures[door] == ""
