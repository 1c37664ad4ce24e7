# lm(), glm() and lmList(): the models without random effects that the workflow compares with.

fit_lm <- function(formula, data, data_name, weights, offset, contrasts) {
  formula <- one_response(formula)
  args <- .common_arguments("", NULL, NULL, weights, offset)
  given <- .contrast_argument(contrasts)
  args$contrasts <- given$written
  fit_model("lm", formula, data, data_name, args, given$bindings)
}

fit_glm <- function(formula, data, data_name, family, link, theta, weights, offset, contrasts,
                    start) {
  args <- c(list(family = family_call(family, link, theta)),
            .common_arguments("", NULL, start, weights, offset))
  given <- .contrast_argument(contrasts)
  args$contrasts <- given$written
  fit_model("glm", formula, data, data_name, args, given$bindings)
}

#' The plain attributes of an lm or glm.
describe_linear <- function(fit) {
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
    dispersion = if (is_glm) summary(model)$dispersion,
    offset = offset_column(model)
  )
}

linear_coef_native <- function(fit) coef(fit$model)
linear_coef_result <- function(native, fit) list(term = names(native), estimate = unname(native))

linear_summary_native <- function(fit) summary(fit$model)

# Aliased coefficients are NA in coef() and absent from the table, as R prints them.
linear_summary_result <- function(native, fit) {
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

linear_vcov_native <- function(fit) vcov(fit$model)
linear_vcov_result <- function(native, fit) {
  list(term = colnames(native), values = unname(native))
}

linear_anova_native <- function(fit, test = NULL) {
  say_without_intercept(fit$model)
  if (is.null(test)) anova(fit$model) else anova(fit$model, test = test)
}

linear_anova_result <- function(native, fit, test = NULL) {
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
    statistic = column("F value", "F", "Rao", "Cp"),
    p_value = column("Pr(>F)", "Pr(>Chi)"), test = if (is_glm) test else "F"
  )
}

linear_confint_native <- function(fit, level = 0.95, method = "profile") {
  if (method == "Wald") return(stats::confint.default(fit$model, level = level))
  suppressMessages(confint(fit$model, level = level))
}
# One coefficient comes as a vector from a profile.
linear_confint_result <- function(native, fit, level = 0.95, method = "profile") {
  m <- if (is.matrix(native)) native else
    matrix(native, 1L, dimnames = list(names(coef(fit$model)), names(native)))
  list(term = rownames(m), conf_low = unname(m[, 1L]), conf_high = unname(m[, 2L]), level = level,
       method = method)
}

linear_fitted <- function(fit) unname(as.numeric(fitted(fit$model)))

# na.omit: only the rows used; Python puts them in their places.
linear_residuals <- function(fit, type) {
  unname(as.numeric(switch(type,
    standardized = rstandard(fit$model), studentized = rstudent(fit$model),
    residuals(fit$model, type = type))))
}

linear_predicted <- function(fit, newdata = NULL, type = "response", interval = "none",
                             level = 0.95) {
  model <- fit$model
  if (!is.null(newdata)) {
    .check_predictors(fit, newdata, names(newdata))
    newdata <- .with_levels(fit, newdata, names(newdata))
    model$terms <- kept(fit, "frozen terms", frozen_terms(fit, terms(model)))
  }
  found <- .guarded_prediction(.predicted_by_r(model, newdata, type, interval, level))
  unknown <- .not_estimable_linear(model, newdata)
  lapply(found, function(x) if (!is.null(x)) replace(x, unknown, NaN))
}

.predicted_by_r <- function(model, newdata, type, interval, level) {
  is_glm <- inherits(model, "glm")
  args <- list(model, type = if (is_glm) type else "response")
  if (!is.null(newdata)) args <- c(args, list(newdata = newdata, na.action = na.pass))
  if (!is_glm && interval != "none") args <- c(args, interval = interval, level = level)
  # Intervals for the data at hand are what was asked for: R remarks that they are no forecasts; what
  # a rank-deficient fit cannot say is told by row.
  found <- withCallingHandlers(do.call(predict, args), warning = function(w) {
    if (grepl("_future_ responses|rank-deficient", conditionMessage(w)))
      tryInvokeRestart("muffleWarning")
  })
  if (!is.matrix(found)) return(list(predicted = as.numeric(found), conf_low = NULL, conf_high = NULL))
  list(predicted = unname(found[, "fit"]), conf_low = unname(found[, "lwr"]),
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

linear_model_matrix_native <- function(fit) model.matrix(fit$model)
linear_model_matrix_result <- function(native, fit) {
  list(term = colnames(native), values = unname(matrix(native, nrow(native))))
}

update_linear <- function(fit, formula) {
  call <- fit$model$call
  call$formula <- parse_formula(formula)
  as_fit(.evaluated(call, model_home(fit$model)))
}

# --- lmList ---------------------------------------------------------------------------------------

fit_lm_list <- function(formula, data, data_name, family, link, theta, pool, weights, offset) {
  args <- list()
  if (is.null(family)) formula <- one_response(formula)
  else args$family <- family_call(family, link, theta)
  if (!is.null(weights)) args$weights <- as.name(weights)
  if (!is.null(offset)) args$offset <- as.name(offset)
  if (!is.null(pool)) args$pool <- pool
  fit_model("lmList", formula, data, data_name, args)
}

describe_lm_list <- function(fit) {
  model <- fit$model
  failed <- vapply(model, is.null, NA)
  fits <- model[!failed]
  list(
    # lmList keeps no call to ask; its formula prints as it was given.
    formula = paste(deparse(model@call$formula, width.cutoff = 500L), collapse = " "),
    group = as.character(names(model)), failed = unname(failed),
    nobs = vapply(seq_along(model), function(i)
      if (failed[i]) NA_real_ else as.numeric(nobs(model[[i]])), 0),
    df_residual = vapply(seq_along(model), function(i)
      if (failed[i]) NA_real_ else as.numeric(df.residual(model[[i]])), 0),
    sigma = vapply(seq_along(model), function(i)
      # 0 residual degrees of freedom give 0 / 0
      if (failed[i]) NA_real_ else suppressWarnings(sigma(model[[i]])), 0),
    pooled = isTRUE(model@pool),
    pooled_sigma = tryCatch(sigma(model), error = function(e) NA_real_),
    loglik = tryCatch(as.numeric(logLik(model)), error = function(e) NA_real_),
    offset = offset_column(model)
  )
}

lm_list_coef_native <- function(fit) coef(fit$model)
lm_list_coef_result <- function(native, fit) {
  list(grpvar = .group_name(fit$model), level = rownames(native), term = colnames(native),
       values = unname(as.matrix(native)))
}
.group_name <- function(model) {
  paste(deparse(model@call$formula[[3L]][[3L]], width.cutoff = 500L), collapse = " ")
}

lm_list_confint_native <- function(fit, level = 0.95, pool = NULL) {
  args <- list(fit$model, level = level)
  if (!is.null(pool)) args$pool <- pool
  suppressMessages(do.call(confint, args))
}
lm_list_confint_result <- function(native, fit, level = 0.95, pool = NULL) {
  size <- dim(native)
  names <- dimnames(native)
  list(level = rep(names[[1L]], times = size[3L]), term = rep(names[[3L]], each = size[1L]),
       conf_low = as.numeric(native[, 1L, ]), conf_high = as.numeric(native[, 2L, ]))
}

lm_list_summary_native <- function(fit) summary(fit$model)
lm_list_summary_result <- function(native, fit) {
  coefs <- native$coefficients
  size <- dim(coefs)
  names <- dimnames(coefs)
  column <- function(what) as.numeric(coefs[, what, ])
  statistic <- intersect(c("t value", "z value"), names[[2L]])
  p <- intersect(c("Pr(>|t|)", "Pr(>|z|)"), names[[2L]])
  list(level = rep(names[[1L]], times = size[3L]), term = rep(names[[3L]], each = size[1L]),
       estimate = column("Estimate"), std_error = column("Std. Error"),
       statistic = column(statistic), p_value = column(p))
}

.lm_list_data <- function(model) {
  fits <- Filter(Negate(is.null), as.list(model))
  get(as.character(model@call$data), envir = attr(terms(fits[[1L]]), ".Environment"))
}

#' What identify() says of a list of models from a file.
identify_lm_list <- function(model) {
  data <- tryCatch(.lm_list_data(model), error = function(e)
    refuse("DataError", "the data of this model are not with it; it was saved without them"))
  rows <- row.names(data)
  list(r_class = "lmList4", kind = "lmList4",
       data_name = paste(deparse(model@call$data), collapse = ""), rows = rows,
       automatic = identical(rows, as.character(seq_len(nrow(data)))), sent = names(data))
}

.lm_list_rows <- function(model, group) {
  data <- .lm_list_data(model)
  data[as.character(eval(model@call$formula[[3L]][[3L]], data)) %in% group, , drop = FALSE]
}

# Fitted values and residuals come by group, each under the name of its row.
lm_list_by_row <- function(fit, what) {
  model <- fit$model
  fits <- Filter(Negate(is.null), as.list(model))
  values <- lapply(fits, function(m) switch(what, fitted = fitted(m), residual = residuals(m)))
  rows <- row.names(.lm_list_data(model))
  list(position = match(unlist(lapply(values, names), use.names = FALSE), rows),
       value = unlist(values, use.names = FALSE))
}

lm_list_predicted <- function(fit, newdata) {
  model <- fit$model
  groups <- as.character(eval(model@call$formula[[3L]][[3L]], newdata))
  unknown <- setdiff(groups, names(model))
  if (length(unknown))
    refuse("DataError", "newdata has groups that the model has not seen: ",
           paste(unknown, collapse = ", "))
  out <- rep(NA_real_, nrow(newdata))
  for (g in unique(groups)) {
    at <- which(groups == g)
    one <- model[[g]]
    if (is.null(one)) next
    rows <- newdata[at, , drop = FALSE]
    # The call of a group's model holds the numbers of its own rows as the offset.
    if (!is.null(one$call$offset)) one$call$offset <- as.name(offset_column(model))
    one$terms <- frozen_terms(NULL, terms(one), .lm_list_rows(model, g))
    out[at] <- .guarded_prediction(.predicted_by_r(one, rows, "response", "none", 0.95))$predicted
    out[at[.not_estimable_linear(one, rows)]] <- NaN
  }
  out
}
