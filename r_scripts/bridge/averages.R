# Averages over the data: predictions, comparisons and slopes of every row, and their means, with
# standard errors by the delta method. A quantity is a weighted sum of predictions for changed data,
# sum_s w_s mean_i mu(eta_is); its gradient in the fixed effects is sum_s w_s mean_i mu'(eta_is)
# x_is. Random effects that re_form keeps are held at their modes, and covariance parameters as
# known.

#' @param what "predictions", "comparisons" or "slopes"
#' @param variables names, or NULL for all predictors of the fixed part
#' @param how list by name: a number, two or more values, or a word such as "sd"
#' @param by names; their columns stand in `by_data`, or else in the data averaged over
#' @param made rows to make: "mean", "median", "balanced", or a list of values by name
#' @param each one answer a row, instead of their average
#' @param comparison "difference", or one of .functions_of_two; of slopes "dydx", "eyex", "eydx",
#' "dyex"
#' @param weights one a row, or the name of a column of made rows; NULL for none
#' @param vcov covariance matrix of the coefficients, instead of the model's own
#' @param hypothesis as in .tested_averages; `null` is a number
averages <- function(fit, what, variables = NULL, how = NULL, by = NULL, by_data = NULL,
                     newdata = NULL, made = NULL, type = "response", re_form = NULL,
                     ddf = "asymptotic", level = 0.95, each = FALSE, comparison = "difference",
                     weights = NULL, vcov = NULL, hypothesis = NULL, null = 0) {
  .can_average(fit)
  ddf <- checked_ddf(fit, ddf)
  re <- .kept_effects(fit, re_form)
  if (is_membership(fit$model) && !identical(re, NA))
    refuse("NotSupportedError",
           "averages of a multiple-membership model are of its fixed part, for a ",
           "membership factor is no column to make rows of: give re_form='NA', or average ",
           "m.predict() over rows")
  own <- .own_rows(fit)
  data <- if (!is.null(newdata)) newdata else if (is.null(made)) own else .made_rows(fit, own, made)
  rows <- .complete_rows(fit, data, re, each)
  used <- data[rows, , drop = FALSE]
  sides <- .scenarios(fit, what, variables, how, own, used)
  .comparable(sides, comparison)
  groups <- .groups_of(by, if (is.null(by_data)) data else by_data, nrow(data), rows, each)
  if (each) groups$labels <- lapply(attr(data, "made"), function(v) .label(v, used[[v]]))
  else groups$weight <- if (is.null(weights)) rep(1, length(rows)) else weights[rows]
  scale <- if (type == "link") .identity_link else .link_of(fit$model)
  found <- lapply(sides, function(s) .quantity(fit, s, used, re, scale, groups, comparison))
  size <- if (each) length(rows) else length(groups$n)
  again <- function(f) rep(vapply(sides, f, ""), each = size)
  found <- list(value = unlist(lapply(found, `[[`, "value")),
                gradient = do.call(rbind, lapply(found, `[[`, "gradient")),
                term = again(function(s) s$term),
                contrast = again(function(s) .contrast_label(s, comparison, each)),
                labels = c(.scenario_labels(sides, size), .repeated(groups$labels, length(sides))))
  n <- list(rows = if (each) rep(rows, length(sides)),
            n_rows = rep(as.numeric(groups$n), length(sides)))
  if (!is.null(hypothesis)) {
    found <- .tested_averages(found, hypothesis)
    n <- list(rows = NULL, n_rows = NULL)
    size <- length(found$value)
    found$term <- found$contrast <- character(size)
  }
  v <- .covariance_for(fit, ddf, vcov)
  tested <- .delta_method(fit, found$value, found$gradient, ddf, level, v, null)
  through_link <- each && what == "predictions" && !identical(scale, .identity_link)
  if (through_link && is.null(hypothesis))
    tested <- .limits_through_link(fit, sides, used, re, scale, tested, level, v)
  c(n, list(term = found$term, contrast = found$contrast, labels = found$labels,
            estimate = found$value,
            std_error = tested$std_error, df = tested$df, statistic = tested$statistic,
            p_value = tested$p_value, conf_low = tested$conf_low, conf_high = tested$conf_high,
            vcov = if (!each) tested$vcov, kind = what, type = type, ddf = ddf, level = level,
            comparison = comparison, hypothesis = found[["label"]], null = null,
            notes = .about_ratios(comparison, hypothesis, null)))
}

# NULL: all random effects, NA: none; of lme4's models a formula of some, too.
.kept_effects <- function(fit, re_form) {
  if (isS4(fit$model)) return(.as_re_form(fit, re_form))
  if (identical(re_form, "NA")) NA
}

.can_average <- function(fit) {
  if (isS4(fit$model) && lme4::isNLMM(fit$model))
    refuse("NotSupportedError",
           "averages over the data need a linear predictor, which a nonlinear ",
           "mixed model has not; average m.predict() over rows instead")
}

.identity_link <- list(linkinv = identity, mu.eta = function(eta) rep(1, length(eta)))

.link_of <- function(model) {
  family <- if (!isS4(model)) model$family else if (lme4::isGLMM(model)) model@resp$family
  if (is.null(family) || family$link == "identity") .identity_link else
    list(linkinv = family$linkinv, mu.eta = family$mu.eta)
}

# The rows that the model was fitted to.
.own_rows <- function(fit) {
  data <- model_data(fit)
  if (is.null(data))
    refuse("DataError", "the data did not come with this model: give the rows to average over as ",
           "newdata")
  frame <- used_frame(fit$model)
  dropped <- attr(frame, "na.action")
  if (length(dropped) && nrow(data) == nrow(frame) + length(dropped))
    data <- data[-dropped, , drop = FALSE]
  data
}

# One row, of means or medians of numbers and the most frequent value of everything else; the same
# with all combinations of levels; or with values that are given. Attribute "made": what varies by
# design.
.made_rows <- function(fit, data, made) {
  centre <- if (identical(made, "median")) stats::median else mean
  one <- data[1L, , drop = FALSE]
  for (v in names(data)) {
    x <- data[[v]]
    if (is.numeric(x) && is.null(dim(x))) one[[v]] <- centre(x, na.rm = TRUE)
    else if (is.null(dim(x))) one[[v]] <- x[match(names(which.max(table(x))), as.character(x))]
  }
  if (is.list(made))
    values <- Map(function(v, x) .values_of_column(data, v, unlist(x)), names(made), made)
  else if (identical(made, "balanced")) {
    fixed <- .variables_of(fit$model)$fixed
    values <- lapply(stats::setNames(nm = Filter(function(v) !.is_numeric(fit, v, data[[v]]),
                                                 fixed)),
                     function(v) .levels_of(data[[v]]))
  } else return(one)
  if (!length(values)) return(one)
  grid <- do.call(expand.grid, c(rev(values), stringsAsFactors = FALSE, KEEP.OUT.ATTRS = FALSE))
  if (nrow(grid) > 1e6)
    refuse("ArgumentError", "newdata: these values make ", format(nrow(grid), big.mark = ","),
           " rows")
  out <- one[rep(1L, nrow(grid)), , drop = FALSE]
  row.names(out) <- NULL
  for (v in names(values)) out[[v]] <- .set_to(data[[v]], grid[[v]])
  structure(out, made = names(values))
}

.values_of_column <- function(data, v, values) {
  if (is.null(data[[v]]))
    refuse("DataError", "newdata: the data have no column ", sQuote(v, FALSE), ".",
           near_terms(v, names(data)))
  .asked_values(v, .checked_variable(data, v), values, "newdata")
}

.complete_rows <- function(fit, data, re, each) {
  used <- if (isS4(fit$model)) unlist(.used_names(fit$model, re)) else
    c(.names_in(list(delete.response(terms(fit$model)))),
      if (!identical(re, NA)) c(nlme_slopes(fit$model), names(fit$model$groups)))
  complete <- complete.cases(data[intersect(used, names(data))])
  if (!length(intersect(used, names(data)))) complete <- rep(TRUE, nrow(data))
  if (!any(complete)) refuse("DataError", "newdata has no row without missing values")
  if (!all(complete) && !each)
    advise(sum(!complete), " of ", nrow(data),
           " rows miss a value that the model uses, and are not ",
           "in the averages")
  which(complete)
}

# --- which quantities -----------------------------------------------------------------------------

.scenarios <- function(fit, what, variables, how, own, data) {
  known <- .variables_of(fit$model)
  if (is.null(variables)) variables <- if (what == "predictions") character() else known$fixed
  for (v in setdiff(variables, c(known$fixed, known$more)))
    refuse("ArgumentError", "variables: ", sQuote(v, FALSE), " is no predictor of this model.",
           near_terms(v, known$fixed), " There are: ", paste(known$fixed, collapse = ", "))
  if (what == "predictions") return(.counterfactuals(fit, variables, how, own))
  if (!length(variables))
    refuse("ArgumentError", "this model has no predictors to compare or to take slopes of")
  do.call(c, lapply(variables, function(v) {
    x <- .checked_variable(own, v)
    if (.is_numeric(fit, v, x) && (what == "slopes" || identical(how[[v]], "slope")))
      list(.slope(v, x, data[[v]]))
    else if (.is_numeric(fit, v, x)) .numeric_comparisons(v, x, data[[v]], how[[v]])
    else .level_comparisons(v, x, how[[v]])
  }))
}

# Predictors of the fixed part, and what else can be changed: an offset's, those of random slopes.
.variables_of <- function(model) {
  tt <- delete.response(if (isS4(model)) terms(model, fixed.only = TRUE) else terms(model))
  parts <- as.list(attr(tt, "variables"))[-1L]
  offsets <- attr(tt, "offset")
  plain <- if (length(offsets)) parts[-offsets] else parts
  slopes <- if (!isS4(model)) nlme_slopes(model) else
    unlist(lapply(findbars(formula(model)), function(b) all.vars(b[[2L]])))
  fixed <- .names_in(plain)
  list(fixed = fixed, more = c(.names_in(list(tt)), slopes, offset_column(model)))
}

.checked_variable <- function(data, v) {
  x <- data[[v]]
  if (is.null(x)) refuse("DataError", "the data have no column ", sQuote(v, FALSE))
  if (!is.null(dim(x)) || .kind(x) == "dates or times")
    refuse("NotSupportedError", "variables: ", sQuote(v, FALSE), " holds ", .kind(x),
           "; make it a ",
           "number of days (or seconds) before fitting")
  x
}

# A number that the formula makes a factor of is compared level by level.
.is_numeric <- function(fit, v, x) {
  if (!is.numeric(x)) return(FALSE)
  parts <- as.list(attr(terms(fit$model), "variables"))[-1L]
  !any(vapply(parts, .makes_factor, NA, v = v))
}

.makes_factor <- function(e, v) {
  if (!is.call(e)) return(FALSE)
  if (as.character(e[[1L]])[1L] %in% c("factor", "as.factor", "ordered") && v %in% all.vars(e))
    return(TRUE)
  any(vapply(as.list(e)[-1L], .makes_factor, NA, v = v))
}

.levels_of <- function(x) {
  if (is.logical(x)) c(FALSE, TRUE) else if (is.factor(x)) levels(droplevels(x)) else
    sort(unique(x))
}

.set_to <- function(x, value) {
  if (is.factor(x)) factor(value, levels(x), ordered = is.ordered(x)) else value
}

.side <- function(weight, v, values) list(weight = weight, set = stats::setNames(list(values), v))

.level_comparisons <- function(v, x, how) {
  at <- .levels_of(x)
  if (is.character(how) && length(how) == 1L && !how %in% as.character(at)) {
    pairs <- switch(how, reference = cbind(seq_along(at)[-1L], 1L),
      sequential = cbind(seq_along(at)[-1L], seq_along(at)[-length(at)]),
      pairwise = t(utils::combn(length(at), 2L))[, 2:1, drop = FALSE],
      refuse("ArgumentError", "variables: ", sQuote(v, FALSE), " is compared by 'reference', ",
             "'sequential' or 'pairwise', or between two of its levels: ",
             paste(at, collapse = ", ")))
  } else if (length(how)) {
    picked <- match(as.character(unlist(how)), as.character(at))
    if (length(picked) != 2L || anyNA(picked))
      refuse("ArgumentError", "variables: ", sQuote(v, FALSE), " needs two of its levels: ",
             paste(at, collapse = ", "))
    pairs <- matrix(rev(picked), 1L)
  } else pairs <- cbind(seq_along(at)[-1L], 1L)
  if (length(at) < 2L)
    refuse("ArgumentError", "variables: ", sQuote(v, FALSE), " has one level only in the data")
  lapply(seq_len(nrow(pairs)), function(i) list(
    term = v, contrast = paste(at[pairs[i, 1L]], "-", at[pairs[i, 2L]]),
    names = as.character(at[pairs[i, ]]),
    sides = list(.side(1, v, .set_to(x, at[pairs[i, 1L]])),
                 .side(-1, v, .set_to(x, at[pairs[i, 2L]])))))
}

.numeric_comparisons <- function(v, x, now, how) {
  between <- function(high, low, label, names = strsplit(label, " - ", fixed = TRUE)[[1L]])
    list(list(term = v, contrast = label, names = names,
              sides = list(.side(1, v, high), .side(-1, v, low))))
  if (is.null(how) && all(x %in% c(0, 1, NA))) return(between(1, 0, "1 - 0"))
  if (is.null(how)) how <- 1
  if (is.numeric(how) && length(how) == 1L)
    return(between(now + how, now, paste0(if (how >= 0) "+", format(how)),
                   c(paste("x", if (how >= 0) "+" else "-", format(abs(how))), "x")))
  if (is.numeric(how) && length(how) == 2L)
    return(between(how[2L], how[1L], paste(format(how[2L]), "-", format(how[1L])),
                   c(format(how[2L]), format(how[1L]))))
  s <- stats::sd(x, na.rm = TRUE)
  switch(if (is.character(how)) how else "",
    sd = between(now + s / 2, now - s / 2, "(x + sd/2) - (x - sd/2)", c("x + sd/2", "x - sd/2")),
    "2sd" = between(now + s, now - s, "(x + sd) - (x - sd)", c("x + sd", "x - sd")),
    iqr = between(quantile(x, 0.75, na.rm = TRUE, names = FALSE),
                  quantile(x, 0.25, na.rm = TRUE, names = FALSE), "Q3 - Q1"),
    minmax = between(max(x, na.rm = TRUE), min(x, na.rm = TRUE), "Max - Min"),
    refuse("ArgumentError", "variables: ", sQuote(v, FALSE),
           " is compared over a step (a number), ",
           "between two values, or by 'sd', '2sd', 'iqr', 'minmax' or 'slope'"))
}

# Central differences; the step leaves about ten digits, between those lost to the curve's third
# derivative and those lost to rounding.
.slope <- function(v, x, now) {
  h <- 1e-5 * diff(range(x, na.rm = TRUE))
  if (h == 0) h <- 1e-5 * max(1, abs(x[1L]))
  list(term = v, contrast = "dY/dX", slope = TRUE, sides = list(.side(1 / h, v, now + h / 2),
                                                  .side(-1 / h, v, now - h / 2)))
}

# Predictions with variables set to values, every combination; the data as they are without any.
.counterfactuals <- function(fit, variables, how, own) {
  if (!length(variables))
    return(list(list(term = "", contrast = "", sides = list(list(weight = 1, set = list())))))
  values <- lapply(stats::setNames(nm = variables), function(v) {
    x <- .checked_variable(own, v)
    if (length(how[[v]])) return(.asked_values(v, x, unlist(how[[v]])))
    if (.is_numeric(fit, v, x) && !all(x %in% c(0, 1, NA))) unique(stats::fivenum(x)) else
      .levels_of(x)
  })
  grid <- do.call(expand.grid, c(rev(values), stringsAsFactors = FALSE, KEEP.OUT.ATTRS = FALSE))
  lapply(seq_len(nrow(grid)), function(i) {
    at <- lapply(stats::setNames(nm = variables), function(v) grid[[v]][i])
    set <- Map(.set_to, own[variables], at)
    list(term = "", contrast = "", at = at, sides = list(list(weight = 1, set = set)))
  })
}

.asked_values <- function(v, x, values, argument = "variables") {
  if (is.numeric(x)) {
    if (!is.numeric(values) || !all(is.finite(values)))
      refuse("ArgumentError", argument, ": ", sQuote(v, FALSE), " takes finite numbers")
    return(values)
  }
  known <- .levels_of(x)
  at <- match(as.character(values), as.character(known))
  if (anyNA(at))
    refuse("ArgumentError", argument, ": ", sQuote(v, FALSE), " has no level ",
           sQuote(values[is.na(at)][1L], FALSE), ". It has: ", paste(known, collapse = ", "))
  known[at]
}

# --- labels ---------------------------------------------------------------------------------------

.label <- function(name, x) {
  list(name = name, text = as.character(x), number = if (is.numeric(x)) as.numeric(x))
}

.scenario_labels <- function(sides, size) {
  names <- names(sides[[1L]]$at)
  lapply(names, function(v)
           .label(v, rep(unlist(lapply(sides, function(s) s$at[[v]])), each = size)))
}

.repeated <- function(labels, times) {
  lapply(labels, function(l) list(name = l$name, text = rep(l$text, times),
                                  number = if (!is.null(l$number)) rep(l$number, times)))
}

# The group of every row: one for all, one each, or by columns.
.groups_of <- function(by, columns, n, rows, each) {
  if (each) return(list(code = NULL, n = rep(1, length(rows)), labels = list()))
  if (!length(by)) return(list(code = rep(1L, length(rows)), n = length(rows), labels = list()))
  unknown <- setdiff(by, names(columns))
  if (length(unknown))
    refuse("DataError", "by: there is no column ", sQuote(unknown[1L], FALSE))
  columns <- columns[rows, by, drop = FALSE]
  # rows without a group are in no average
  code <- interaction(lapply(columns, function(x) factor(x)), drop = TRUE, lex.order = TRUE)
  first <- match(levels(code), code)
  list(code = as.integer(code), n = tabulate(code, nlevels(code)),
       labels = lapply(by, function(v) .label(v, columns[[v]][first])))
}

# --- rows ---------------------------------------------------------------------------------------

# The linear predictor of the data with some columns set, and its design.
.rows_at <- function(fit, data, set, re) {
  for (v in names(set)) data[[v]] <- rep(set[[v]], length.out = nrow(data))
  rows_at(fit, data, re)
}

#' The linear predictor of rows, `re` as in `.kept_effects`, and their design.
rows_at <- function(fit, data, re) UseMethod("rows_at", fit$model)

rows_at.merMod <- function(fit, data, re) {
  found <- .prediction_rows(fit, data, re, FALSE)
  if (length(found$at) < nrow(data)) .refuse_unknown_groups()
  x <- as.matrix(found$x)
  x[is.nan(found$eta), ] <- NaN
  list(eta = found$eta, x = x)
}

.refuse_unknown_groups <- function() {
  refuse("DataError", "some rows have a level of a grouping factor that the model has no effect ",
         "of: give rows of groups that it knows, or re_form='NA'")
}

rows_at.lm <- function(fit, data, re) {
  model <- fit$model
  .check_predictors(fit, data, intersect(all.vars(delete.response(terms(model))), names(data)))
  data <- .with_levels(fit, data, names(data))
  tt <- delete.response(kept(fit, "frozen terms", frozen_terms(fit, terms(model))))
  frame <- .guarded_prediction(model.frame(tt, data, na.action = na.pass, xlev = model$xlevels))
  x <- model.matrix(tt, frame, contrasts.arg = model$contrasts)
  offset <- model.offset(frame)
  if (is.null(offset)) offset <- 0
  if (!is.null(model$call$offset)) offset <- offset + eval(model$call$offset, data, environment(tt))
  beta <- coef(model)
  kept <- !is.na(beta)
  unknown <- if (all(kept)) integer() else .not_estimable(x, estimability::nonest.basis(model$qr))
  x <- x[, kept, drop = FALSE]
  x[unknown, ] <- NaN
  list(eta = as.numeric(x %*% beta[kept]) + offset, x = x)
}
