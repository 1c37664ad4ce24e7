# The function that a fit minimizes, at parameters of one's own; and the contrasts behind a table of
# tests.

#' -2 log L (or the REML criterion) at given parameters, one value a row of `theta`.
#'
#' @param theta matrix, a row an answer, in the model's order
#' @param reml NULL: as the model was fitted; of linear models
#' @param beta fixed effects of a generalized model; NULL: its own
deviance_at <- function(fit, theta, reml = NULL, beta = NULL) {
  model <- fit$model
  if (is_nlmm(model))
    refuse("NotSupportedError",
           "the deviance of a nonlinear mixed model at given parameters is not ",
           "there; m.profile() moves them one by one")
  lower <- getME(model, "lower")
  outside <- which(t(theta) < lower, arr.ind = TRUE)
  if (length(outside))
    refuse("ArgumentError", "theta: ", names(getME(model, "theta"))[outside[1L, 1L]], " is below ",
           lower[outside[1L, 1L]], ": relative standard deviations are not negative")
  if (is_lmm(model)) {
    if (!is.null(beta))
      refuse("ArgumentError",
             "beta: the deviance of a linear mixed model is that of its best fixed ",
             "effects given theta; only a generalized model takes others")
    f <- .linear_criterion(model, reml)
    return(apply(theta, 1L, .where_it_can(f, model)))
  }
  if (isTRUE(reml))
    refuse("NotSupportedError", "there is no REML criterion of a generalized linear mixed model")
  f <- .generalized_criterion(model)
  beta <- if (is.null(beta)) fixef(model) else beta
  apply(theta, 1L, .where_it_can(function(t) f(c(t, beta)), model))
}

# Of parameters that are many digits apart from 1, rounding leaves lme4 no positive definite matrix.
.where_it_can <- function(f, model) function(t) tryCatch(f(t), error = function(e) {
  numbers <- "positive definite|Cholesky|PIRLS|pwrssUpdate|x0 returns"
  if (!grepl(numbers, conditionMessage(e))) stop(e)
  refuse("ArgumentError", "theta: the deviance cannot be computed where ",
         paste(names(getME(model, "theta")), "=", format(t, digits = 4L), collapse = ", "),
         ": these are standard deviations relative to that of the residuals, and such values ",
         "leave lme4 nothing but rounding (it says: ", conditionMessage(e), "). Take values ",
         "nearer to those of m.theta")
})

# lme4's own function works on copies of the model's memory; whether it is REML's stands in there.
# It looks for lme4 among attached packages, where it is not.
.linear_criterion <- function(model, reml) {
  as_function <- utils::getS3method("as.function", "merMod", envir = asNamespace("lme4"))
  environment(as_function) <- list2env(
    list(as.environment = function(x) asNamespace("lme4")), parent = asNamespace("lme4"))
  f <- as_function(model)
  if (!is.null(reml)) environment(f)$resp$REML <- if (reml) ncol(getME(model, "X")) else 0L
  f
}

# Of a generalized model it is made anew: what lme4 keeps of it does not suffice. With n_agq=0 it
# takes theta alone, and finds its own fixed effects.
.generalized_criterion <- function(model) {
  call <- getCall(model)
  call[[1L]] <- quote(lme4::glmer)
  call$family <- model@resp$family # glmer.nb's call has a rounded one
  call$devFunOnly <- TRUE
  f <- suppressMessages(suppressWarnings(eval(call, model_home(model))))
  if (model@devcomp$dims[["nAGQ"]] > 0L) return(f)
  n <- length(getME(model, "theta"))
  function(parameters) f(parameters[seq_len(n)])
}

#' The contrasts that anova() of lmerTest tests: for each term a matrix, a row a degree of freedom.
anova_contrasts <- function(fit, type = "III") {
  .need_linear(fit, "A table of lmerTest's contrasts")
  need_fixed_effects(fit, "A table of contrasts")
  found <- lmerTest::show_tests(anova(lmertest_model(fit), type = type))
  list(term = names(found), matrix = lapply(unname(found), function(m) {
    list(values = unname(m), columns = colnames(m), rows = as.character(rownames(m)))
  }))
}

# --- distributions, for tables of other programs --------------------------------------------------

#' P(X > x), for vectors of one length; NA where something is missing.
upper_tail <- function(distribution, x, ...) {
  tail <- switch(distribution, normal = pnorm, t = pt, chi2 = pchisq, F = pf)
  suppressWarnings(tail(x, ..., lower.tail = FALSE))
}

#' Student's quantile, the normal one where df is infinite.
quantile_of_t <- function(p, df) suppressWarnings(qt(p, df))
