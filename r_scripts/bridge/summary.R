# summary(), with the degrees of freedom that were asked for.

#' The lmerTest form of a model: its Hessian and Jacobian are computed once for each engine and
#' kept.
lmertest_model <- function(fit) {
  if (uses_exact(fit)) return(exact_object(fit, "lmerTest"))
  kept(fit, "lmerTest", {
    .need_linear(fit, "Satterthwaite and Kenward-Roger degrees of freedom")
    if (inherits(fit$model, "lmerModLmerTest")) fit$model
    else if (is_membership(fit$model)) lmertest_membership(fit$model)
    else lmerTest::as_lmerModLmerTest(fit$model)
  })
}

.need_linear <- function(fit, what) {
  if (!is_lmm(fit$model))
    refuse("NotSupportedError", what, " are defined for linear mixed models; this is a ",
           kind_of(fit$model), ", whose tests are ",
           if (isS4(fit$model)) "asymptotic (ddf='asymptotic' or None)"
           else "by its own degrees of freedom (ddf='default') or asymptotic")
}

.need_reml <- function(fit) {
  .need_linear(fit, "Kenward-Roger degrees of freedom")
  need_fixed_effects(fit, "Kenward-Roger's method") # lme4 fits such a model by ML whatever is asked
  if (!lme4::isREML(fit$model))
    refuse("NotSupportedError", "Kenward-Roger needs a REML fit, and this model was fitted by ",
           "maximum likelihood. Refit it with reml=True, or ask for ddf='Satterthwaite'.")
  need_unstructured(fit$model, "Kenward-Roger's method (pbkrtest)", "Ask for ddf='Satterthwaite'.")
}

#' summary() of the class.
summary_native <- function(fit, ...) UseMethod("summary_native", fit$model)
summary_native.merMod <- function(fit, ddf = NULL) {
  if (is.null(ddf)) return(.plain_summary(fit))
  switch(checked_ddf(fit, ddf),
    "Satterthwaite" = summary(lmertest_model(fit), ddf = "Satterthwaite"),
    "Kenward-Roger" = .kr_summary(fit),
    .wald_summary(fit, ddf)
  )
}

# A model that lmerTest fitted would answer with df; None means lme4's own summary.
.plain_summary <- function(fit) {
  model <- fit$model
  if (inherits(model, "lmerModLmerTest")) model <- as_class(model, "lmerMod")
  summary(model)
}

# lmerTest answers with Satterthwaite when Kenward-Roger fails, under a message only.
.kr_summary <- function(fit) {
  .need_reml(fit)
  out <- withCallingHandlers(
    no_fallback(summary(kenward_roger_model(fit), ddf = "Kenward-Roger")),
    message = function(m) if (grepl("Kenward-Roger", conditionMessage(m)))
      stop("Kenward-Roger failed: ", conditionMessage(m), call. = FALSE)
  )
  if (!grepl("Kenward-Roger", out$methTitle))
    stop("Kenward-Roger failed and lmerTest answered with ", out$methTitle, call. = FALSE)
  out
}

# The t tests of lme4's summary with df that neither lmerTest nor pbkrtest knows.
.wald_summary <- function(fit, ddf) {
  out <- .plain_summary(fit)
  .need_linear(fit, paste0("The ddf '", ddf, "'"))
  df <- ddf_values(fit, ddf)
  t <- out$coefficients[, 1L] / out$coefficients[, 2L]
  out$coefficients <- cbind(out$coefficients[, 1:2, drop = FALSE], df = df, "t value" = t,
                            "Pr(>|t|)" = 2 * pt(-abs(t), df))
  out$methTitle <- paste0(out$methTitle, ". t-tests use ", .ddf_label(ddf))
  out
}

.ddf_label <- function(ddf) {
  c("asymptotic" = "infinite degrees of freedom (z)",
    "between-within" = "between-within degrees of freedom")[[ddf]]
}

#' Denominator degrees of freedom of each fixed effect by a rule that needs no estimation.
ddf_values <- function(fit, ddf) {
  switch(ddf,
    "asymptotic" = rep(Inf, length(fixef(fit$model))),
    "between-within" = between_within(fit)
  )
}

summary_result <- function(native, fit, ...) UseMethod("summary_result", fit$model)
summary_result.merMod <- function(native, fit, ddf = NULL) {
  model <- fit$model
  list(
    title = native$methTitle,
    fixed = fixed_effects(native$coefficients, ddf),
    varcorr = varcorr_result(native$varcor, fit),
    ngroups = as.list(native$ngrps),
    nobs = nrow(model@frame),
    n_dropped = length(attr(model@frame, "na.action")),
    # unname() first: as.numeric() would make text of every row's number before it drops the names.
    scaled_residuals = quantile(unname(native$residuals), na.rm = TRUE, names = FALSE),
    correlation = .correlation(native),
    criteria = named_criteria(native$AICtab),
    ddf = ddf
  )
}

.correlation <- function(native) {
  v <- native$vcov
  if (is.null(v) || !length(v)) return(NULL) # NULL, or of a model without fixed effects
  unname(as.matrix(cov2cor(as.matrix(v))))
}

#' A coefficient matrix of R as the fields of FixedEffects. 95 % Wald intervals by the same df.
fixed_effects <- function(m, ddf = NULL, level = 0.95) {
  column <- function(...) {
    at <- match(c(...), colnames(m))
    at <- at[!is.na(at)]
    if (length(at)) unname(m[, at[1L]])
  }
  estimate <- column("Estimate")
  std_error <- column("Std. Error")
  df <- column("df")
  quantiles <- if (is.null(df)) qnorm((1 + level) / 2) else qt((1 + level) / 2, df)
  list(
    term = rownames(m), estimate = estimate, std_error = std_error, df = df,
    statistic = as.numeric(column("t value", "z value")), # absent without fixed effects
    p_value = column("Pr(>|t|)", "Pr(>|z|)"),
    conf_low = estimate - quantiles * std_error, conf_high = estimate + quantiles * std_error,
    statistic_name = if ("z value" %in% colnames(m)) "z" else "t",
    ddf = ddf
  )
}
