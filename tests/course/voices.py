"""Models that are written as other systems write them, and their numbers in native R."""

from __future__ import annotations

import functools
import re
from typing import Any

import pymlm as mlm
from tests.native import native

NUMBER = re.compile(r"-?\d*\.\d+(?:e[+-]?\d+)?|-?\d+(?:,\d{3})*")
#: Half a unit of the last printed digit, and what is left of two fits of one model.
PRINTED, REFIT = 0.51, 3e-6


@functools.cache
def grunfeld():
    return mlm.load_dataset("plm::Grunfeld").astype({"firm": str})


@functools.cache
def pupils():
    """Bdf with unequal groups: the predictors of S0."""
    d = mlm.load_dataset("nlme::bdf")[["schoolNR", "langPOST", "ses", "schoolSES"]]
    d = d.rename(columns={"schoolNR": "school", "langPOST": "lang", "schoolSES": "clubs"})
    return d.assign(school=d.school.astype(str))


@functools.cache
def model(which: str) -> Any:
    match which:
        case "grunfeld":
            return mlm.lmer("inv ~ value + capital + (1 | firm)", grunfeld())
        case "pupils":
            return mlm.lmer("lang ~ ses + clubs + (1 | school)", pupils())
        case "slopes":
            return mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        case "cake":
            return mlm.lmer("angle ~ recipe + temp + (1 | replicate)", mlm.load_dataset("cake"))
        case "lm":
            return mlm.lm("lang ~ ses * clubs", pupils())
    raise KeyError(which)


@functools.cache
def native_numbers() -> Any:
    """The same models in native R."""
    return native(
        """
        suppressMessages({library(nlme); library(plm)})
        d <- with(bdf, data.frame(school = as.character(schoolNR), lang = langPOST, ses = ses,
                                  clubs = schoolSES))
        data(Grunfeld, package = "plm")
        g <- pdata.frame(d, index = "school"); G <- pdata.frame(Grunfeld, index = "firm")
        table_of <- function(m) { s <- coef(summary(m)); asplit(s[, 1:2, drop = FALSE], 1) }
        be <- plm(lang ~ ses + clubs, g, model = "between"); sb <- summary(be)
        fe <- plm(lang ~ ses + clubs, g, model = "within"); sf <- summary(fe)
        pool <- lm(lang ~ ses, d); dummies <- lm(lang ~ ses + school, d)
        u <- as.numeric(fixef(fe))
        out <- list(be = table_of(be), be_r2 = sb$r.squared[["rsq"]],
          be_f = unname(sb$fstatistic$statistic),
          fe = table_of(fe), fe_r2 = sf$r.squared[["rsq"]], fe_f = unname(sf$fstatistic$statistic),
          fe_u = sd(u), fe_e = sigma(dummies), fe_groups = anova(pool, dummies)$F[2],
          fe_df = df.residual(dummies), grand = mean(d$lang) - coef(fe)[[1]] * mean(d$ses))
        gb <- plm(inv ~ value + capital, G, model = "between")
        out$gb <- table_of(gb)
        m <- lm(lang ~ ses * clubs, d)
        V <- sandwich::vcovCL(m, cluster = d$school, type = "HC1")
        W <- sandwich::vcovHC(m, type = "HC1")
        s <- summary(m); w <- lmtest::waldtest(m, vcov = V, test = "F")
        out$lm <- list(b = unname(coef(m)), se = unname(coef(s)[, 2]),
          robust = unname(sqrt(diag(V))), white = unname(sqrt(diag(W))),
          white_f = lmtest::waldtest(m, vcov = W, test = "F")$F[2],
          f = unname(s$fstatistic[1]), robust_f = w$F[2], r2 = s$r.squared, adj = s$adj.r.squared,
          rmse = s$sigma, rss = deviance(m), tss = sum((d$lang - mean(d$lang))^2))
        cake$temp <- as.numeric(cake$temp)
        k <- lmer(angle ~ recipe + temp + (1 | replicate), cake)
        L <- cbind(0, diag(3))
        test <- function(ddf) { t <- coef(summary(k, ddf = ddf)); f <- contestMD(k, L, ddf = ddf)
          list(est = unname(t[, 1]), se = unname(t[, 2]), df = unname(t[, 3]), t = unname(t[, 4]),
               p = unname(t[, 5]), f = f[["F value"]], den = f[["DenDF"]]) }
        out$sat <- test("Satterthwaite"); out$kr <- test("Kenward-Roger")
        one <- contest1D(k, c(0, 1, -1, 0), confint = TRUE)
        two <- contestMD(k, rbind(c(0, 1, -1, 0), c(0, 0, 0, 1)))
        out$one <- as.list(unname(unlist(one))); out$two <- as.list(unname(unlist(two)))
        s1 <- lme4::lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
        s0 <- lme4::lmer(Reaction ~ Days + (1 | Subject), sleepstudy)
        a <- anova(s0, s1, refit = FALSE)
        out$lrt <- list(a$Chisq[2], a$Df[2], a[["Pr(>Chisq)"]][2])
        V <- VarCorr(s1)$Subject; out$V <- list(V[2, 2], V[1, 2], V[1, 1])
        emit(out)
        """
    )


def numbers(line: str) -> list[str]:
    return NUMBER.findall(line)


def row(text: str, name: str) -> list[str]:
    """Numbers of the line that begins with this name."""
    line = next(x for x in text.splitlines() if x.strip().startswith(name + " "))
    return numbers(line.strip()[len(name) :])


def same(printed: str, value: float) -> None:
    """A printed number is this one at its printed digits."""
    mantissa, _, power = printed.replace(",", "").partition("e")
    unit = 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
    assert abs(float(printed.replace(",", "")) - value) <= PRINTED * unit + REFIT * abs(value), (
        printed, value,
    )  # fmt: skip


def all_same(printed: list[str], values: list[float]) -> None:
    assert len(printed) >= len(values)
    for text, value in zip(printed, values, strict=False):
        same(text, value)
