# The numbers of averages: quantities of rows, how two predictions are compared, means by group, and
# tests.

# A quantity of every row, or of the groups, with its gradient in the fixed effects. Slopes and
# differences are those of the rows, averaged; a ratio and its like is that of the averages, as in
# marginaleffects.
.quantity <- function(fit, scenario, data, re, scale, groups, comparison) {
  predicted <- function(set) {
    at <- .rows_at(fit, data, set, re)
    list(value = scale$linkinv(at$eta), gradient = scale$mu.eta(at$eta) * at$x)
  }
  sides <- lapply(scenario$sides, function(s) predicted(s$set))
  if (comparison %in% names(.functions_of_two) && length(sides) == 2L && is.null(scenario$slope))
    return(.compared(.grouped(sides[[1L]], groups), .grouped(sides[[2L]], groups), comparison,
                     scenario$term))
  weights <- lapply(scenario$sides, `[[`, "weight")
  total <- function(part) Reduce(`+`, Map(function(w, s) w * s[[part]], weights, sides))
  found <- list(value = total("value"), gradient = total("gradient"))
  if (!is.null(scenario$slope) && comparison %in% c("eyex", "eydx", "dyex"))
    found <- .elasticity(found, data[[scenario$term]], predicted(list()), comparison)
  .grouped(found, groups)
}

# dY/dX times x, over y, or both; y has its own gradient.
.elasticity <- function(slope, x, y, how) {
  if (how %in% c("eyex", "dyex")) slope <- lapply(slope, `*`, x)
  if (how == "dyex") return(slope)
  list(value = slope$value / y$value,
       gradient = slope$gradient / y$value - slope$value / y$value^2 * y$gradient)
}

# The (weighted) mean of the rows of each group.
.grouped <- function(found, groups) {
  if (is.null(groups$code)) return(list(value = as.numeric(found$value), gradient = found$gradient))
  known <- !is.na(groups$code)
  code <- groups$code[known]
  w <- groups$weight[known]
  total <- as.vector(rowsum(w, code, reorder = TRUE))
  if (any(total <= 0))
    refuse("DataError", "wts: the weights of a group are all 0, so it has no average")
  mean_by <- function(x)
    unname(rowsum(w * as.matrix(x)[known, , drop = FALSE], code, reorder = TRUE) / total)
  list(value = as.numeric(mean_by(found$value)), gradient = mean_by(found$gradient))
}

# Each as the value and its derivatives in the first and the second prediction.
.functions_of_two <- list(
  ratio = function(a, b) list(a / b, 1 / b, -a / b^2),
  lnratio = function(a, b) list(log(a / b), 1 / a, -1 / b),
  lnor = function(a, b)
    list(stats::qlogis(a) - stats::qlogis(b), 1 / (a * (1 - a)), -1 / (b * (1 - b))),
  lift = function(a, b) list((a - b) / b, 1 / b, -a / b^2))

.compared <- function(a, b, how, term) {
  some <- function(bad) any(bad, na.rm = TRUE)
  if (how == "lnor" && some(c(a$value, b$value) <= 0 | c(a$value, b$value) >= 1))
    refuse("ArgumentError", "comparison='lnor' compares odds, and predictions of ",
           sQuote(term, FALSE),
           " are not between 0 and 1: it is for probabilities, with type='response'")
  if (how == "lnratio" && some(a$value / b$value <= 0))
    refuse("ArgumentError", "comparison='lnratio' is the log of a ratio, and predictions of ",
           sQuote(term, FALSE), " are not of one sign; comparison='difference' has no such limit")
  if (how %in% c("ratio", "lift") && some(b$value == 0))
    refuse("ArgumentError", "comparison='", how, "' divides by a prediction of 0 of ",
           sQuote(term, FALSE))
  f <- .functions_of_two[[how]](a$value, b$value)
  list(value = f[[1L]], gradient = f[[2L]] * a$gradient + f[[3L]] * b$gradient)
}

# A slope is a difference; asked for as a ratio it would be one without a word.
.comparable <- function(scenarios, comparison) {
  slope <- Filter(function(s) !is.null(s$slope), scenarios)
  if (comparison %in% names(.functions_of_two) && length(slope))
    refuse("ArgumentError", "variables: the slope of ", sQuote(slope[[1L]]$term, FALSE),
           " is no comparison of ",
           "two predictions, so it has no ", comparison,
           "; avg_slopes(slope='eyex') has elasticities")
}

.about_ratios <- function(comparison, hypothesis, null) {
  ratio <- if (is.null(hypothesis)) comparison == "ratio" else isTRUE(hypothesis$ratio)
  if (!ratio || null != 0) return(character())
  paste("Tests are of a ratio of 0, as in marginaleffects;",
        if (is.null(hypothesis)) "hypothesis=1 tests for no change." else
          '"b1 / b2 = 1" tests for no difference.')
}

.contrast_label <- function(scenario, comparison, each) {
  if (!is.null(scenario$slope))
    return(switch(comparison, eyex = "eY/eX", eydx = "eY/dX", dyex = "dY/eX", "dY/dX"))
  if (!comparison %in% names(.functions_of_two) || is.null(scenario$names))
    return(scenario$contrast)
  x <- if (each) scenario$names else paste0("mean(", scenario$names, ")")
  switch(comparison, ratio = paste(x[1L], "/", x[2L]),
         lnratio = paste0("ln(", x[1L], " / ", x[2L], ")"),
         lnor = paste0("ln(odds(", scenario$names[1L], ") / odds(", scenario$names[2L], "))"),
         "lift")
}

# --- tests ----------------------------------------------------------------------------------------

# Standard errors, and degrees of freedom of each row of the gradient.
.delta_method <- function(fit, estimate, gradient, ddf, level, v, null = 0) {
  covariance <- gradient %*% v %*% t(gradient)
  se <- sqrt(rowSums((gradient %*% v) * gradient))
  df <- switch(ddf, asymptotic = Inf, residual = residual_ddf(fit$model),
               .df_of_rows(fit, gradient, ddf))
  half <- qt((1 + level) / 2, df) * se
  t <- (estimate - null) / se
  list(std_error = se, df = rep(df, length.out = length(estimate)), statistic = t,
       p_value = 2 * pt(-abs(t), df), conf_low = estimate - half, conf_high = estimate + half,
       vcov = unname(as.matrix(covariance)))
}

# The model's own, Kenward and Roger's, or the user's, whose rows are those of the coefficients.
.covariance_for <- function(fit, ddf, given = NULL) {
  if (!is.null(given)) return(given)
  v <- if (ddf == "Kenward-Roger") kenward_roger_vcov(fit) else coefs_vcov(fit$model)
  as.matrix(v)
}

# Of lmerTest and pbkrtest; rows that are alike are asked once, and a row of zeros has none.
.df_of_rows <- function(fit, gradient, ddf) {
  known <- is.finite(rowSums(gradient)) & rowSums(gradient != 0) > 0
  keys <- apply(signif(gradient, 12L), 1L, paste, collapse = " ")
  first <- which(known & !duplicated(keys))
  found <- vapply(first, function(i) .contest_row(fit, gradient[i, ], 0, ddf, 0.95)[["df"]], 0)
  out <- rep(NaN, nrow(gradient))
  out[known] <- found[match(keys[known], keys[first])]
  out
}

# Limits of a prediction of one row: those of its linear predictor, transformed.
.limits_through_link <- function(fit, sides, data, re, scale, tested, level, v) {
  each <- lapply(sides, function(s) .rows_at(fit, data, s$sides[[1L]]$set, re))
  eta <- unlist(lapply(each, `[[`, "eta"))
  x <- do.call(rbind, lapply(each, `[[`, "x"))
  half <- qt((1 + level) / 2, tested$df) * sqrt(rowSums((x %*% v) * x))
  ends <- cbind(scale$linkinv(eta - half), scale$linkinv(eta + half))
  tested$conf_low <- pmin(ends[, 1L], ends[, 2L])
  tested$conf_high <- pmax(ends[, 1L], ends[, 2L])
  tested
}
