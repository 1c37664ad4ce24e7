# lmList(): one linear model a group.

#' lme4's lmList(), as a fit.
fit_lm_list <- function(formula, data, data_name, family, link, theta, pool, weights, offset) {
  args <- list()
  if (is.null(family)) formula <- one_response(formula)
  else args$family <- family_call(family, link, theta)
  if (!is.null(weights)) args$weights <- as.name(weights)
  if (!is.null(offset)) args$offset <- as.name(offset)
  if (!is.null(pool)) args$pool <- pool
  said <- character()
  fit <- withCallingHandlers(
    fit_model("lmList", formula, data, data_name, args),
    warning = function(w) said <<- c(said, conditionMessage(w)))
  if (all(vapply(fit$model, is.null, NA)))
    refuse("FitError", "no group could be fitted. ", paste(said, collapse = " "),
           if ("." %in% all.names(fit$model@call$formula)) paste(
             " The dot of a formula stands for the grouping factor, too, which does not ",
           "vary within",
             "a group: write the predictors out"))
  fit
}

#' The plain attributes of a list of regressions.
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

#' The coefficients of every group's regression.
lm_list_coef_native <- function(fit) coef(fit$model)
lm_list_coef_result <- function(native, fit) {
  list(grpvar = .group_name(fit$model), level = rownames(native), term = colnames(native),
       values = unname(as.matrix(native)))
}
.group_name <- function(model) {
  paste(deparse(model@call$formula[[3L]][[3L]], width.cutoff = 500L), collapse = " ")
}

#' Intervals of every group's coefficients.
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

#' summary() of a list of regressions.
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

#' Predictions of every row by its own group's regression.
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

#' One line a group about its own model, as broom has it; NA where the model failed.
lm_list_glance <- function(fit) {
  rows <- lapply(fit$model, function(m) if (!is.null(m)) {
    row <- glance_table(list(model = m))
    row[!vapply(row, is.null, NA)]
  })
  names <- unique(unlist(lapply(rows, names)))
  lapply(stats::setNames(names, names), function(n) vapply(rows, function(row)
    if (is.null(row[[n]])) NA_real_ else as.numeric(row[[n]]), 0, USE.NAMES = FALSE))
}

#' t tests of the groups' coefficients, each group one observation.
lm_list_second_level <- function(fit, level = 0.95) {
  table <- coef(fit$model)
  tests <- lapply(table,
                  function(b) tryCatch(stats::t.test(b, conf.level = level), error = function(e)
refuse("NotSupportedError", "a t test of the groups' coefficients needs two groups or more that ",
    "differ (R: ", conditionMessage(e), ")")))
  number <- function(f) vapply(tests, f, 0, USE.NAMES = FALSE)
  list(term = names(table), n = vapply(table, function(b) sum(!is.na(b)), 0L, USE.NAMES = FALSE),
       estimate = number(function(t) t$estimate[[1L]]), std_error = number(function(t) t$stderr),
       df = number(function(t) t$parameter[[1L]]),
       statistic = number(function(t) t$statistic[[1L]]),
       p_value = number(function(t) t$p.value), conf_low = number(function(t) t$conf.int[1L]),
       conf_high = number(function(t) t$conf.int[2L]))
}
