# lm() and glm(): the models without random effects that the workflow compares with.

#' R's lm(), as a fit.
fit_lm <- function(formula, data, data_name, weights, offset, contrasts) {
  formula <- one_response(formula)
  args <- .common_arguments("", NULL, NULL, weights, offset)
  given <- .contrast_argument(contrasts)
  args$contrasts <- given$written
  fit_model("lm", formula, data, data_name, args, given$bindings)
}

#' R's glm(), as a fit.
fit_glm <- function(formula, data, data_name, family, link, theta, weights, offset, contrasts,
                    start, row_starts = NULL) {
  args <- c(list(family = family_call(family, link, theta)), lapply(row_starts, as.name),
            .common_arguments("", NULL, start, weights, offset))
  given <- .contrast_argument(contrasts)
  args$contrasts <- given$written
  fit_model("glm", formula, data, data_name, args, given$bindings)
}

#' The plain attributes of an lm or glm.
describe.lm <- function(fit) {
  model <- fit$model
  frame <- model.frame(model)
  loglik <- logLik(model)
  is_glm <- inherits(model, "glm")
  list(
    formula = paste(deparse(formula(model), width.cutoff = 500L), collapse = " "),
    call = paste(deparse(model$call, width.cutoff = 500L), collapse = "\n"),
    nobs = as.integer(nobs(model)), dropped = as.integer(attr(frame, "na.action")),
    sigma = sigma(model), loglik = as.numeric(loglik), npar = as.integer(attr(loglik, "df")),
    df_residual = as.integer(df.residual(model)), aic = AIC(model), bic = BIC(model),
    deviance = deviance(model), rank = as.integer(model$rank),
    term_labels = attr(terms(model), "term.labels"),
    aliased = names(which(is.na(coef(model)))),
    family = if (is_glm) model$family$family, link = if (is_glm) model$family$link,
    converged = if (is_glm) model$converged else TRUE,
    null_deviance = if (is_glm) model$null.deviance,
    dispersion = if (is_glm) summary(model)$dispersion, frame_names = names(frame),
    ddf = default_ddf(model), two_columns = is.matrix(frame[[1L]]), offset = offset_column(model)
  )
}

coef_native.lm <- function(fit) coef(fit$model)
coef_result.lm <- function(native, fit) list(term = names(native), estimate = unname(native))

summary_native.lm <- function(fit) summary(fit$model)

# Aliased coefficients are NA in coef() and absent from the table, as R prints them.
summary_result.lm <- function(native, fit) {
  model <- fit$model
  is_glm <- inherits(model, "glm")
  m <- native$coefficients
  f <- native$fstatistic
  list(
    fixed = .linear_effects(m, model),
    nobs = as.integer(nobs(model)),
    n_dropped = length(native$na.action),
    sigma = sigma(model), df_residual = as.integer(df.residual(model)),
    residual_quantiles = unname(quantile(
      if (is_glm) residuals(model, "deviance") else native$residuals, na.rm = TRUE)),
    r_squared = native$r.squared, adj_r_squared = native$adj.r.squared,
    f_statistic = if (!is.null(f)) f[["value"]], f_num_df = if (!is.null(f)) f[["numdf"]],
    f_den_df = if (!is.null(f)) f[["dendf"]],
    f_p_value = if (!is.null(f))
      pf(f[["value"]], f[["numdf"]], f[["dendf"]], lower.tail = FALSE),
    deviance = if (is_glm) native$deviance, null_deviance = if (is_glm) native$null.deviance,
    dispersion = if (is_glm) native$dispersion, aic = if (is_glm) native$aic
  )
}

# t tests have the residual degrees of freedom; the z tests of a glm with known dispersion none.
.linear_effects <- function(m, model) {
  t_test <- "t value" %in% colnames(m)
  if (t_test)
    m <- cbind(m[, 1:2, drop = FALSE], df = rep(df.residual(model), nrow(m)),
               m[, 3:4, drop = FALSE])
  fixed_effects(m)
}

# Type I by R's own anova(); II and III by car's Anova().
anova_native.lm <- function(fit, type = "I", test = NULL, ddf = NULL) {
  model <- fit$model
  if (!is.null(ddf) && !ddf %in% c("default", "residual"))
    refuse("NotSupportedError", "the tests of a ", kind_of(model), " are of their own: F with the ",
           "residual degrees of freedom, or by `test` those of a deviance, not by ddf='", ddf,
           "'. ",
           "m.contest(..., ddf='asymptotic') has Wald tests")
  say_without_intercept(model)
  if (type == "I") return(if (is.null(test)) anova(model) else anova(model, test = test))
  need_package("car", "tests of type II and III of models without random effects")
  if (type == "III") .say_of_contrasts(model)
  args <- list(model, type = type)
  # An lm has its F tests; where it has aliased terms car's method of lm stops at the argument.
  if (inherits(model, "glm"))
    args$test.statistic <- switch(test %||% "LRT", "Chisq" = , "LRT" = "LR", "F" = "F",
      refuse("NotSupportedError", "car's tests of type ", type, " have no test='", test, "': ",
             "ask for 'LRT' or 'F'"))
  if (anyNA(coef(model))) args$singular.ok <- type != "III"
  tryCatch(do.call(car::Anova, args), error = function(e) {
    if (!grepl("aliased", conditionMessage(e))) stop(e)
    refuse("NotSupportedError", "tests of type ", type, " need every coefficient, and R dropped ",
           paste(sQuote(names(which(is.na(coef(model)))), FALSE), collapse = ", "),
           " (aliased). Ask for type=2, or leave the term out")
  })
}

# A marginal test of a main effect beside its interaction depends on how the factors are coded.
.say_of_contrasts <- function(model) {
  if (all(attr(terms(model), "order") < 2L)) return(invisible())
  own <- vapply(names(model$contrasts), function(f) {
    x <- model.frame(model)[[f]]
    k <- if (is.factor(x)) x else factor(x)
    m <- tryCatch(contrasts(stats::C(k, model$contrasts[[f]])),
                  error = function(e) matrix(0, 1L, 1L))
    max(abs(colSums(m))) > 1e-8
  }, NA)
  if (any(own))
    message("type III tests of terms that stand in an interaction depend on the contrasts: ",
            paste(names(own)[own], collapse = ", "), " does not sum to zero. Fit with contrasts={",
            paste0("'", names(own)[own], "': 'contr.sum'", collapse = ", "),
            "} for tests of effects ",
            "averaged over the levels")
}

anova_result.lm <- function(native, fit, type = "I", test = NULL, ddf = NULL) {
  if (type != "I") return(.car_fields(native, fit, type, test))
  n <- nrow(native)
  column <- function(...) {
    at <- match(c(...), names(native))
    at <- at[!is.na(at)]
    if (length(at)) as.numeric(native[[at[1L]]])
  }
  df <- column("Df")
  is_glm <- inherits(fit$model, "glm")
  list(
    term = rownames(native), num_df = df,
    den_df = if (!is_glm) ifelse(is.na(column("F value")), NA_real_, df[n]),
    sum_sq = column("Sum Sq"), mean_sq = column("Mean Sq"),
    deviance = column("Deviance"), residual_df = column("Resid. Df"),
    residual_deviance = column("Resid. Dev"),
    statistic = column("F value", "F", "Rao", "Cp") %||% rep(NA_real_, n),
    p_value = column("Pr(>F)", "Pr(>Chi)"), test = if (is_glm) test else "F", type = "I",
    statistic_name = if (is_glm && !identical(test, "F")) "chisq" else "F"
  )
}

#' What car's Anova() sends, whatever its columns are called; also of nlme's models.
.car_fields <- function(table, fit, type, test = NULL) {
  out <- anova_fields(table, NULL, type)
  rest <- match("Residuals", out$term)
  df <- if (!is.na(rest)) out$num_df[rest] else residual_ddf(fit$model)
  if (out$statistic_name == "F") out$den_df <- ifelse(is.na(out$statistic), NA_real_, df)
  c(out, if (inherits(fit$model,
                      "lm")) list(test = test %||% if (inherits(fit$model, "glm")) "LRT" else "F"))
}

confint_native.lm <- function(fit, level = 0.95, method = "profile") {
  if (method == "Wald") return(stats::confint.default(fit$model, level = level))
  suppressMessages(confint(fit$model, level = level))
}
# One coefficient comes as a vector from a profile.
confint_result.lm <- function(native, fit, level = 0.95, method = "profile") {
  m <- if (is.matrix(native)) native else
    matrix(native, 1L, dimnames = list(names(coef(fit$model)), names(native)))
  list(term = rownames(m), conf_low = unname(m[, 1L]), conf_high = unname(m[, 2L]), level = level,
       method = method)
}

#' rstandard(); of a glm from deviance residuals, R's default before 4.6 and broom's choice.
standardized <- function(model, infl = influence(model, do.coef = FALSE)) {
  if (inherits(model, "glm")) rstandard(model, infl = infl, type = "deviance")
  else rstandard(model, infl = infl)
}

# na.omit: only the rows used; Python puts them in their places.
residual_values.lm <- function(fit, type) {
  unname(as.numeric(switch(type,
    standardized = standardized(fit$model), studentized = rstudent(fit$model),
    residuals(fit$model, type = type))))
}

#' Predictions of an lm or glm, with standard errors and limits.
linear_predicted <- function(fit, newdata = NULL, type = "response", interval = "none",
                             level = 0.95, se = FALSE) {
  model <- fit$model
  # R gives as many as there are rows in the fit.
  if (interval != "none" || se) need_fixed_effects(fit, "The error of a prediction")
  if (!is.null(newdata)) {
    .check_predictors(fit, newdata, names(newdata))
    newdata <- .with_levels(fit, newdata, names(newdata))
    model$terms <- kept(fit, "frozen terms", frozen_terms(fit, terms(model)))
  }
  found <- .guarded_prediction(.predicted_by_r(model, newdata, type, interval, level, se))
  unknown <- .not_estimable_linear(model, newdata)
  lapply(found, function(x) if (!is.null(x)) replace(x, unknown, NaN))
}

.predicted_by_r <- function(model, newdata, type, interval, level, se = FALSE) {
  is_glm <- inherits(model, "glm")
  args <- list(model, type = if (is_glm) type else "response", se.fit = se)
  if (!is.null(newdata)) args <- c(args, list(newdata = newdata, na.action = na.pass))
  if (!is_glm && interval != "none") args <- c(args, interval = interval, level = level)
  # Intervals for the data at hand are what was asked for: R remarks that they are no forecasts;
  # what a rank-deficient fit cannot say is told by row.
  found <- withCallingHandlers(do.call(predict, args), warning = function(w) {
    if (grepl("_future_ responses|rank-deficient", conditionMessage(w)))
      tryInvokeRestart("muffleWarning")
  })
  std_error <- if (se) unname(as.numeric(found$se.fit))
  if (se) found <- found$fit
  if (!is.matrix(found)) return(list(predicted = as.numeric(found), std_error = std_error,
                                     conf_low = NULL, conf_high = NULL))
  list(std_error = std_error, predicted = unname(found[, "fit"]), conf_low = unname(found[, "lwr"]),
       conf_high = unname(found[, "upr"]))
}

#' New rows that a rank-deficient lm or glm cannot estimate.
.not_estimable_linear <- function(model, newdata) {
  if (is.null(newdata) || !anyNA(coef(model))) return(integer())
  tt <- delete.response(terms(model))
  frame <- model.frame(tt, newdata, na.action = na.pass, xlev = model$xlevels)
  x <- model.matrix(tt, frame, contrasts.arg = model$contrasts)
  .not_estimable(x, estimability::nonest.basis(model$qr))
}
