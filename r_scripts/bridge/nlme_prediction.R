# Predictions of lme and gls for new rows: what nlme makes of them, and where it is silent.

#' Predictions of a model of nlme for new rows.
nlme_predict <- function(fit, newdata, level = NULL, allow_new_levels = FALSE) {
  .check_predictors(fit, newdata, intersect(.nlme_predictors(fit$model, level), names(newdata)))
  .check_own_rows(fit, level)
  out <- .nlme_predicted(fit$model, newdata, level)
  if (!inherits(fit$model, "lme") || identical(as.integer(level), 0L)) return(out)
  .unknown_groups(fit$model, newdata, level, allow_new_levels, out)
}

# nlme answers rows of groups that it has no effect of with NA. As for lmer they are refused, left
# so ("nan"), or (TRUE) at the mean of all: the prediction one grouping factor further out.
.unknown_groups <- function(model, newdata, level, allowed, out) {
  depth <- if (is.null(level)) length(model$groups) else level
  groups <- intersect(names(model$groups)[seq_len(depth)], names(newdata))
  grouped <- stats::complete.cases(newdata[groups])
  known <- stats::complete.cases(newdata[intersect(.nlme_predictors(model, level), names(newdata))])
  unknown <- is.na(out) & known & grouped
  if (isFALSE(allowed) && any(unknown)) {
    named <- do.call(paste, c(lapply(newdata[unknown, groups, drop = FALSE], as.character),
                              sep = "/"))
    refuse("DataError", "newdata: the grouping factor '", paste(groups, collapse = "/"),
           "' has the level '", named[1L], "', which the model has not seen",
           .and_others(unique(named)), ". Pass allow_new_levels=True to predict new groups at the ",
           "mean of all, 'nan' to answer them with NaN, or level=0 to leave the groups out.")
  }
  if (isTRUE(allowed)) for (outer in rev(seq_len(depth)) - 1L) {
    left <- is.na(out) & known
    if (any(left)) out[left] <- .nlme_predicted(model, newdata[left, , drop = FALSE], outer)
  }
  out
}

#' Variables of the fixed part and, unless it is the population's prediction, of the random slopes.
.nlme_predictors <- function(model, level) {
  fixed <- all.vars(delete.response(terms(model)))
  if (identical(as.integer(level), 0L)) fixed else union(fixed, nlme_slopes(model))
}

# nlme makes the formula's variables anew from the new rows, as R does, and keeps less of the fit:
# rows of the fit's own show whether it matters.
.check_own_rows <- function(fit, level) {
  m <- fit$model
  parts <- c(list(delete.response(terms(m))), lapply(.nlme_random(m), terms))
  made <- unique(unlist(lapply(parts, function(tt)
    Filter(is.call, as.list(attr(tt, "variables"))[-1L]))))
  if (!length(made)) return(invisible())
  data <- nlme_frame(m)
  whole <- nlme_rows(fit, "fitted", level = level)
  for (rows in list(1L, rev(seq(2L, nrow(data), by = 2L)))) {
    again <- tryCatch(.nlme_predicted(m, data[rows, , drop = FALSE], level),
                      error = function(e) NULL)
    if (!isTRUE(all.equal(again, whole[rows], tolerance = 1e-6)))
      refuse("NotSupportedError", "nlme computes ",
             paste(vapply(made, deparse1, ""), collapse = ", "),
             " from the new rows alone, and would give other values than the model was fitted to. ",
             "Compute it as a column of the data before fitting, and give that column in newdata.")
  }
}

# A row that misses a predictor is NA. nlme's matrices leave it out, and the numbers that come then
# are of other rows.
.nlme_predicted <- function(m, newdata, level) {
  used <- intersect(.nlme_predictors(m, level), names(newdata))
  known <- if (length(used)) stats::complete.cases(newdata[used]) else rep(TRUE, nrow(newdata))
  out <- rep(NA_real_, nrow(newdata))
  if (!any(known)) return(out)
  args <- list(m, newdata = newdata[known, , drop = FALSE], na.action = stats::na.pass)
  if (inherits(m, "lme") && !is.null(level)) args$level <- level
  out[known] <- as.numeric(do.call(stats::predict, args))
  out
}

# Formulas of the random effects, by grouping factor; none of gls.
.nlme_random <- function(model) lapply(model$modelStruct$reStruct, formula)

#' Columns of random slopes.
nlme_slopes <- function(model) unique(unlist(lapply(.nlme_random(model), all.vars)))

rows_at.gls <- function(fit, data, re) {
  model <- fit$model
  tt <- delete.response(kept(fit, "frozen terms", frozen_terms(fit, terms(model))))
  .check_predictors(fit, data, intersect(.names_in(list(tt)), names(data)))
  data <- .with_levels(fit, data, names(data))
  own <- model.frame(tt, nlme_frame(model), drop.unused.levels = TRUE)
  frame <- .guarded_prediction(model.frame(tt, data, na.action = na.pass,
                                           xlev = stats::.getXlevels(tt, own)))
  coded <- model$contrasts[intersect(names(model$contrasts), names(frame))]
  x <- model.matrix(tt, frame, contrasts.arg = coded)
  list(eta = as.numeric(x %*% coefs(model)), x = x)
}

# What predict() adds for the groups; the fixed part of both is the same.
rows_at.lme <- function(fit, data, re) {
  found <- rows_at.gls(fit, data, re)
  if (identical(re, NA)) return(found)
  if (any(lengths(lapply(.nlme_random(fit$model), function(f) Filter(is.call, as.list(
      attr(terms(f), "variables"))[-1L]))))) .check_own_rows(fit, NULL)
  data <- .with_levels(fit, data, names(data))
  groups <- fit$model$groups
  of_rows <- do.call(paste,
                     c(lapply(names(groups), function(g) as.character(data[[g]])), sep = "/"))
  if (!all(of_rows %in% as.character(groups[[ncol(groups)]]))) .refuse_unknown_groups()
  modes <- .nlme_predicted(fit$model, data, NULL) - .nlme_predicted(fit$model, data, 0L)
  found$eta <- found$eta + modes
  found
}
