# Rows to predict for: checked before lme4 sees them, so that what is wrong is said in words.

#' The rows of newdata that can be predicted for, checked; where they stand, and they themselves.
.ready_rows <- function(fit, newdata, re, allow_new_levels) {
  used <- if (is.null(re)) kept(fit, "used names", .used_names(fit$model, re)) else
    .used_names(fit$model, re)
  predictors <- intersect(used$predictors, names(newdata))
  groups <- intersect(used$groups, names(newdata))
  seen <- if (identical(allow_new_levels, "nan")) .seen_groups(fit$model, newdata, groups)
  allow_new_levels <- isTRUE(allow_new_levels)
  # Names that Python made of numbers: a model that R fitted to the numbers wants those.
  for (g in groups)
    if (is.factor(newdata[[g]]) && isS4(fit$model) && is.numeric(fit$model@frame[[g]]))
    newdata[[g]] <- as.numeric(as.character(newdata[[g]]))
  complete <- complete.cases(newdata[if (allow_new_levels) predictors else
    union(predictors, groups)])
  if (!length(newdata) || !length(union(predictors, groups))) complete <- rep(TRUE, nrow(newdata))
  if (!allow_new_levels)
    complete <- complete & !.only_dropped(fit, newdata, setdiff(groups, predictors))
  complete <- complete & !.only_dropped(fit, newdata, predictors)
  if (!is.null(seen)) complete <- complete & seen
  newdata <- newdata[complete, , drop = FALSE]
  .check_predictors(fit, newdata, predictors)
  if (!allow_new_levels) .check_groups(fit$model, newdata, setdiff(groups, predictors))
  newdata <- .with_levels(fit, newdata, predictors)
  # A missing group is a new one; as a level of its own it keeps its row of Z.
  for (g in setdiff(groups, predictors)) if (anyNA(newdata[[g]])) {
    values <- as.character(newdata[[g]])
    values[is.na(values)] <- "(missing)"
    newdata[[g]] <- factor(values)
  }
  list(at = which(complete), data = newdata)
}

# Rows with a level that the model's data have, but only in rows that the fit dropped: there is no
# effect of it, and predict(data) on the model's own data answers the others.
.only_dropped <- function(fit, newdata, names) {
  out <- rep(FALSE, nrow(newdata))
  dropped <- attr(fit$model@frame, "na.action")
  data <- if (length(dropped)) model_data(fit)
  if (is.null(data) || nrow(data) != nrow(fit$model@frame) + length(dropped)) return(out)
  for (v in names) {
    if (!is.factor(data[[v]]) && !is.character(data[[v]])) next
    lost <- setdiff(data[[v]][dropped], c(as.character(data[[v]][-dropped]), NA))
    mine <- as.character(newdata[[v]]) %in% lost
    if (any(mine & !out))
      advise("predict: '", v, "' is '", paste(lost, collapse = "', '"), "' only in rows that the ",
             "fit dropped for missing values: the model has no effect of it, and the ",
             "prediction of ",
             sum(mine), " such rows is NaN.")
    out <- out | mine
  }
  out
}

# The fit's own levels, for what reads a factor's codes or makes columns of its levels:
# as.integer(f), dummy(f, "v").
.with_levels <- function(fit, newdata, names) {
  data <- model_data(fit)
  frame <- used_frame(fit$model)
  for (v in intersect(names, names(newdata))) {
    own <- frame[[v]]
    old <- if (is.factor(own)) own else data[[v]]
    if (is.factor(old))
      newdata[[v]] <- factor(as.character(newdata[[v]]), levels(old), ordered = is.ordered(old))
  }
  newdata
}

#' Names that predictions use: predictors of the fixed part and of slopes, and grouping factors.
.used_names <- function(model, re) {
  fixed <- union(.names_in(list(delete.response(terms(model, fixed.only = TRUE)))),
                 offset_column(model))
  bars <- if (identical(re, NA)) list() else
    findbars(if (is.null(re)) formula(model) else re)
  names_in <- function(part) unique(unlist(lapply(bars, function(b) all.vars(b[[part]]))))
  list(predictors = union(fixed, names_in(2L)), groups = names_in(3L))
}

#' Predictors of the same kind as in the fit, and no level that the model has not seen.
.check_predictors <- function(fit, newdata, names) {
  frame <- used_frame(fit$model)
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

# Rows whose groups are all in the fit; of factors that lme4 combines (a:b), the combination.
.seen_groups <- function(model, newdata, groups) {
  known <- rep(TRUE, nrow(newdata))
  for (f in names(model@flist)) {
    expr <- tryCatch(str2lang(f), error = function(e) as.name(f))
    parts <- if (f %in% names(newdata)) f else .names_in(list(expr))
    if (!all(parts %in% groups)) next
    own <- if (length(parts) == 1L) as.character(newdata[[parts]])
      else do.call(paste, c(lapply(newdata[parts], as.character), sep = ":"))
    known <- known & own %in% levels(model@flist[[f]])
  }
  known
}

.and_others <- function(x) if (length(x) > 1L) paste0(" (and ", length(x) - 1L, " more)") else ""

.new_levels_advice <- paste(
  "Pass allow_new_levels=True to predict new groups at the mean of all, 'nan' to answer them with",
  "NaN, or re_form='NA' to leave the groups out.")

# Levels of combined grouping factors (a:b) are known to lme4 only, those of factor(x) to R.
.guarded_prediction <- function(expr) {
  # The coding that C() made anew of the new rows' levels is not used: the fit's is.
  hear <- function(w)
    if (startsWith(conditionMessage(w), "contrasts dropped from factor C("))
      tryInvokeRestart("muffleWarning")
  tryCatch(withCallingHandlers(expr, warning = hear), error = function(e) {
    if (grepl("has new levels?", conditionMessage(e)))
      refuse("DataError", "newdata: ", conditionMessage(e), ", for which the model has no ",
             "coefficient")
    if (!grepl("new levels detected", conditionMessage(e))) stop(e)
    refuse("DataError", "newdata: ", conditionMessage(e), ". ", .new_levels_advice)
  })
}

#' The model as on its complete rows: R pads what it says by row, and recycles where it cannot, as
#' long as the frame remembers rows that were dropped. Python puts the rows in their places.
#'
#' Ordered grouping factors are plain ones in it: lme4 makes contrasts of all levels of an ordered
#' factor, which R cannot do for many, and needs none of a group.
without_dropped <- function(model) {
  if (!isS4(model)) return(model)
  dropped <- attr(model@frame, "na.action")
  groups <- setdiff(names(model@flist), .used_names(model, NULL)$predictors)
  ordered <- Filter(function(g) is.ordered(model@frame[[g]]), groups)
  if (!length(dropped) && !length(ordered)) return(model)
  attr(model@frame, "na.action") <- NULL
  for (g in ordered) model@frame[[g]] <- .unordered(model@frame[[g]])
  # predict() with a re.form, and so simulate(), looks for the random effects in the data
  # themselves.
  data <- tryCatch(eval(model@call$data, model_home(model)), error = function(e) NULL)
  complete <- is.data.frame(data) && nrow(data) == nrow(model@frame) + length(dropped)
  if (complete && length(dropped)) data <- data[-dropped, , drop = FALSE]
  for (g in intersect(ordered, names(data))) data[[g]] <- .unordered(data[[g]])
  model@call$data <- if (complete) data else model@frame
  model
}

.unordered <- function(x) factor(as.character(x), levels(x))
