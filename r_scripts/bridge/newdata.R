# Rows to predict for: checked before lme4 sees them, so that what is wrong is said in words.

#' The rows of newdata that can be predicted for, checked; where they stand, and they themselves.
.ready_rows <- function(fit, newdata, re, allow_new_levels) {
  used <- if (is.null(re)) kept(fit, "used names", .used_names(fit$model, re)) else
    .used_names(fit$model, re)
  predictors <- intersect(used$predictors, names(newdata))
  .check_predictors(fit, newdata, predictors)
  groups <- intersect(used$groups, names(newdata))
  if (!allow_new_levels) .check_groups(fit$model, newdata, setdiff(groups, predictors))
  complete <- complete.cases(newdata[if (allow_new_levels) predictors else
    union(predictors, groups)])
  if (!length(newdata) || !length(union(predictors, groups))) complete <- rep(TRUE, nrow(newdata))
  newdata <- newdata[complete, , drop = FALSE]
  # A missing group is a new one; as a level of its own it keeps its row of Z.
  for (g in setdiff(groups, predictors)) if (anyNA(newdata[[g]])) {
    values <- as.character(newdata[[g]])
    values[is.na(values)] <- "(missing)"
    newdata[[g]] <- factor(values)
  }
  list(at = which(complete), data = newdata)
}

#' Names that predictions use: predictors of the fixed part and of slopes, and grouping factors.
.used_names <- function(model, re) {
  fixed <- all.vars(delete.response(terms(model, fixed.only = TRUE)))
  bars <- if (identical(re, NA)) list() else
    findbars(if (is.null(re)) formula(model) else re)
  names_in <- function(part) unique(unlist(lapply(bars, function(b) all.vars(b[[part]]))))
  list(predictors = union(fixed, names_in(2L)), groups = names_in(3L))
}

#' Predictors of the same kind as in the fit, and no level that the model has not seen.
.check_predictors <- function(fit, newdata, names) {
  frame <- if (isS4(fit$model)) fit$model@frame else model.frame(fit$model)
  for (v in names) {
    old <- if (v %in% names(frame)) frame[[v]] else model_data(fit)[[v]]
    if (is.null(old)) next
    .check_kind(v, .kind(newdata[[v]]), .kind(old))
    if (.kind(old) == "text or categories") .check_levels(v, newdata[[v]], old)
  }
}

.kind <- function(x) {
  if (is.factor(x) || is.character(x)) "text or categories"
  else if (is.logical(x)) "True and False"
  else if (inherits(x, c("Date", "POSIXct", "difftime"))) "dates or times"
  else "numbers"
}

.check_kind <- function(name, new, old) {
  if (new != old)
    refuse("DataError", "newdata: column '", name, "' has ", new, ", and the model was fitted to ",
           old, ". Convert it before predicting.")
}

.check_levels <- function(name, new, old) {
  known <- if (is.factor(old)) levels(droplevels(old)) else unique(old)
  unknown <- setdiff(as.character(unique(new)), c(known, NA))
  if (length(unknown))
    refuse("DataError", "newdata: column '", name, "' has the level '", unknown[1L],
           "', for which the model has no coefficient. It knows: ",
           paste(utils::head(known, 20L), collapse = ", "))
}

.check_groups <- function(model, newdata, names) {
  for (g in intersect(names, names(model@flist))) {
    unknown <- setdiff(as.character(unique(newdata[[g]])), c(levels(model@flist[[g]]), NA))
    if (length(unknown))
      refuse("DataError", "newdata: the grouping factor '", g, "' has the level '", unknown[1L],
             "', which the model has not seen", .and_others(unknown), ". ", .new_levels_advice)
  }
}

.and_others <- function(x) if (length(x) > 1L) paste0(" (and ", length(x) - 1L, " more)") else ""

.new_levels_advice <- paste(
  "Pass allow_new_levels=True to predict new groups at the mean of all, or re_form='NA' to leave",
  "the groups out.")

# Levels of combined grouping factors (a:b) are known to lme4 only, those of factor(x) to R.
.guarded_prediction <- function(expr) {
  tryCatch(expr, error = function(e) {
    if (grepl("has new levels?", conditionMessage(e)))
      refuse("DataError", "newdata: ", conditionMessage(e), ", for which the model has no ",
             "coefficient")
    if (!grepl("new levels detected", conditionMessage(e))) stop(e)
    refuse("DataError", "newdata: ", conditionMessage(e), ". ", .new_levels_advice)
  })
}

# predict() takes an offset from the formula alone.
.warn_about_offset <- function(fit) {
  offset <- model.offset(model.frame(fit$model))
  in_formula <- length(attr(terms(fit$model), "offset")) > 0L
  if (!in_formula && !is.null(offset) && any(offset != 0))
    warning("predictions for new rows leave out the offset that was given as an argument; write it ",
            "into the formula, offset(x), to have it taken from newdata", call. = FALSE)
}
