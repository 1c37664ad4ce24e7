# What the questions need to know of a model, by its class. Each question is one function for every
# class: where R has a generic, it is called; what R names differently in each class is asked here.
# A class of models is added by methods for the generics of this file, for `describe` and for
# `summary`.

#' Is it a linear, or a nonlinear, mixed model of lme4?
is_lmm <- function(model) isS4(model) && lme4::isLMM(model)
is_nlmm <- function(model) isS4(model) && lme4::isNLMM(model)

#' What a model is called in messages.
kind_of <- function(model) UseMethod("kind_of")
kind_of.default <- function(model) paste("model of class", class(model)[1L])
kind_of.merMod <- function(model) {
  if (lme4::isLMM(model)) "linear mixed model"
  else if (lme4::isGLMM(model)) "generalized linear mixed model" else "nonlinear mixed model"
}
kind_of.lm <- function(model) "linear model without random effects (lm)"
kind_of.glm <- function(model) "generalized linear model without random effects (glm)"
kind_of.lme <- function(model) "model of nlme's lme"
kind_of.gls <- function(model) "model of nlme's gls"

#' Refuse a question that R does not answer for a class of models.
refuse_class <- function(fit, what, instead = "") {
  refuse("NotSupportedError", what, " is not there for a ", kind_of(fit$model), ". ", instead)
}

# --- fixed effects --------------------------------------------------------------------------------

#' The fixed effects that were estimated, term -> value.
coefs <- function(model) UseMethod("coefs")
coefs.merMod <- function(model) fixef(model)
coefs.lm <- function(model) {
  b <- coef(model)
  b[!is.na(b)]
}
coefs.lme <- function(model) nlme::fixef(model)
coefs.gls <- function(model) coef(model)

#' And with NA those whose columns were dropped.
coefs_with_dropped <- function(model) UseMethod("coefs_with_dropped")
coefs_with_dropped.default <- function(model) coefs(model) # nlme drops none
coefs_with_dropped.merMod <- function(model) fixef(model, add.dropped = TRUE)
coefs_with_dropped.lm <- function(model) coef(model)

#' The covariance matrix of their estimates.
coefs_vcov <- function(model) UseMethod("coefs_vcov")
coefs_vcov.default <- function(model) as.matrix(vcov(model))
coefs_vcov.lm <- function(model) vcov(model, complete = FALSE)
# As summary(), anova() and emmeans take it: an ML fit's sigma is adjusted for the fixed effects.
coefs_vcov.lme <- function(model) {
  n <- model$dims$N
  vcov(model) * if (model$method == "ML") n / (n - length(coefs(model))) else 1
}

#' The rows that the fit used, with na.action.
used_frame <- function(model) UseMethod("used_frame")
used_frame.merMod <- function(model) model@frame
used_frame.lm <- function(model) model.frame(model)
used_frame.lme <- function(model) nlme_frame(model)
used_frame.gls <- function(model) nlme_frame(model)

#' The columns of the fixed effects and the term that each belongs to (0 is the intercept).
design <- function(model) UseMethod("design")
design.merMod <- function(model) {
  assign <- attr(model.matrix(model), "assign")
  dropped <- attr(getME(model, "X"), "col.dropped")
  list(assign = if (length(dropped)) assign[-dropped] else assign,
       terms = attr(terms(model, fixed.only = TRUE), "term.labels"))
}
design.lm <- function(model) {
  list(assign = attr(model.matrix(model), "assign")[!is.na(coef(model))],
       terms = attr(terms(model), "term.labels"))
}
design.lme <- function(model) {
  x <- model.matrix(terms(model), nlme_frame(model), contrasts.arg = model$contrasts)
  list(assign = attr(x, "assign"), terms = attr(terms(model), "term.labels"))
}
design.gls <- design.lme

# --- degrees of freedom ---------------------------------------------------------------------------

#' The method of degrees of freedom that R takes for a class when none is named; NULL: none.
default_ddf <- function(model) UseMethod("default_ddf")
default_ddf.merMod <- function(model) if (lme4::isLMM(model)) "Satterthwaite"
default_ddf.lm <- function(model) "residual"
default_ddf.glm <- function(model) if (.known_dispersion(model)) "asymptotic" else "residual"
default_ddf.lme <- function(model) "containment"
default_ddf.gls <- function(model) "residual"

.known_dispersion <- function(model) family(model)$family %in% c("binomial", "poisson") ||
  startsWith(family(model)$family, "Negative Binomial(")

#' Degrees of freedom of every coefficient by `ddf`, for models whose class knows them.
coef_ddf <- function(fit, ddf) {
  model <- fit$model
  ddf <- checked_ddf(fit, ddf)
  p <- length(coefs(model))
  switch(ddf, "asymptotic" = rep(Inf, p), "residual" = rep(residual_ddf(model), p),
         "containment" = as.numeric(model$fixDF$X), "between-within" = between_within(fit))
}

#' Residual degrees of freedom: rows less coefficients.
residual_ddf <- function(model) {
  if (inherits(model, c("lme", "gls"))) model$dims$N - length(coefs(model)) else df.residual(model)
}

#' A method that the class has, "default" resolved.
checked_ddf <- function(fit, ddf) {
  own <- default_ddf(fit$model) %||% "asymptotic"
  if (is.null(ddf) || ddf == "default") return(own)
  if (inherits(fit$model, "merMod")) {
    if (ddf %in% c("residual", "containment"))
      refuse("NotSupportedError", ddf, " degrees of freedom are not those of a ",
             kind_of(fit$model),
             ". Ask for 'Satterthwaite', 'Kenward-Roger', 'between-within' or 'asymptotic'")
    return(ddf)
  }
  if (!ddf %in% c(own, "asymptotic", if (inherits(fit$model, "lm")) "residual"))
    refuse("NotSupportedError", ddf, " degrees of freedom are not there for a ", kind_of(fit$model),
           ": its own are ", own, " (ddf='default'), or ask for 'asymptotic'")
  ddf
}
