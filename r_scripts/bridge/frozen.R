# A formula's variables in new rows. R knows what poly(x, 2) and scale(x) were at the fit
# (makepredictcall), but only where they stand alone: mean(x) in I(x - mean(x)), or the scale() in
# I(scale(x)^2), it computes anew, from the new rows. Here what is a statistic of the whole column
# is replaced by its value at the fit, and the outcome is tried on rows of the fit's own: what does
# not give them the values that the model was fitted to is refused.

# Statistics of a column: some numbers, whatever its length.
.column_statistics <- c("mean", "median", "sd", "var", "sum", "min", "max", "range", "quantile",
                        "length", "nlevels")

#' Some terms of the fit with predvars that give new rows the fit's own variables.
frozen_terms <- function(fit, tt, data = model_data(fit)) {
  variables <- as.list(attr(tt, "variables"))[-1L]
  if (!length(variables)) return(tt)
  home <- environment(tt)
  at <- seq_along(variables)
  old <- as.list(attr(tt, "predvars"))[-1L]
  response <- attr(tt, "response")
  if (length(response) && response > 0L) at <- setdiff(at, response)
  frozen <- if (length(old) == length(variables)) old else variables
  for (i in at) {
    if (is.name(variables[[i]])) next
    if (is.null(data)) .need_no_statistic(variables[[i]]) else
      frozen[[i]] <- .checked_frozen(variables[[i]], data, home)
  }
  attr(tt, "predvars") <- as.call(c(quote(list), frozen))
  tt
}

.checked_frozen <- function(expr, data, home) {
  # factor(x) alone is what model.frame() checks for new levels.
  frozen <- if (as.character(expr[[1L]])[1L] %in% c("factor", "ordered", "as.factor")) expr else
    .frozen(expr, data, home)
  whole <- suppressWarnings(eval(expr, data, home))
  rows <- which(complete.cases(data[intersect(all.vars(expr), names(data))]))
  # One row alone, and half of them in another order.
  pieces <- list(rows[1L], rev(rows[seq_len(length(rows)) %% 2L == 0L]))
  for (piece in pieces) {
    if (!length(piece) || anyNA(piece)) next
    again <- tryCatch(suppressWarnings(eval(frozen, data[piece, , drop = FALSE], home)),
                      error = function(e) NULL)
    if (!.same_rows(again, whole, piece))
      refuse("NotSupportedError", "'", deparse1(expr), "' of a row depends on the whole column, ",
             "and cannot be computed for new rows. Compute it as a column of the data before ",
             "fitting, and give that column in newdata.")
  }
  frozen
}

.same_rows <- function(again, whole, rows) {
  if (is.null(again)) return(FALSE)
  if (is.matrix(whole)) whole <- whole[rows, , drop = FALSE] else whole <- whole[rows]
  if (is.numeric(whole) && !is.factor(whole))
    return(is.numeric(again) && length(again) == length(whole) &&
             isTRUE(all.equal(as.numeric(again), as.numeric(whole), tolerance = 1e-8)))
  identical(as.character(again), as.character(whole))
}

# From the inside: the argument of scale() may itself have to be frozen.
.frozen <- function(expr, data, home) {
  if (!is.call(expr)) return(expr)
  head <- as.character(expr[[1L]])[1L]
  if (head %in% .column_statistics && length(all.vars(expr))) {
    value <- tryCatch(suppressWarnings(eval(expr, data, home)), error = function(e) NULL)
    if (is.atomic(value) && length(value) && length(value) < nrow(data)) return(unname(value))
  }
  for (i in seq_along(expr)[-1L])
    if (is.call(expr[[i]])) expr[[i]] <- .frozen(expr[[i]], data, home)
  value <- tryCatch(suppressWarnings(eval(expr, data, home)), error = function(e) NULL)
  if (is.null(value)) return(expr)
  if (head %in% c("factor", "ordered") && !"levels" %in% names(expr) && length(expr) == 2L) {
    expr$levels <- levels(value)
    return(expr)
  }
  if (head == "cut") return(.frozen_cut(expr, data, home))
  if (head == "scale") value <- unclass(value) # of a poly() it keeps the class, and would be one
  stats::makepredictcall(value, expr)
}

# cut(x, 3) cuts the range of x; the breaks are those of cut.default().
.frozen_cut <- function(expr, data, home) {
  written <- match.call(base::cut.default, expr)
  breaks <- tryCatch(eval(written$breaks, data, home), error = function(e) NULL)
  x <- tryCatch(eval(written$x, data, home), error = function(e) NULL)
  if (!is.numeric(breaks) || length(breaks) != 1L || !is.numeric(x)) return(expr)
  ends <- range(x, na.rm = TRUE)
  if (diff(ends) == 0) return(expr)
  at <- seq.int(ends[1L], ends[2L], length.out = as.integer(breaks) + 1L)
  at[c(1L, length(at))] <- c(ends[1L] - diff(ends) / 1000, ends[2L] + diff(ends) / 1000)
  written$breaks <- at
  written
}

# Without the data only what R itself froze is known.
.need_no_statistic <- function(expr) {
  used <- all.names(expr)
  outer <- as.character(expr[[1L]])[1L]
  inside <- setdiff(used, if (outer %in% c("scale", "poly", "ns", "bs")) outer)
  found <- intersect(inside, c(.column_statistics, "scale", "poly", "ns", "bs", "rank", "cumsum",
                               "rev"))
  if (length(found))
    refuse("NotSupportedError", "'", deparse1(expr), "' needs ", found[1L],
           "() of the column that ",
           "the model was fitted to, and its data did not come with it. Fit it anew from the data.")
}

#' The name of the column that was given as offset= beside the formula; NULL where there is none.
offset_column <- function(model) {
  given <- (if (isS4(model)) model@call else model$call)$offset
  if (is.name(given)) as.character(given)
}

#' The formula with the offset that was given beside it: n ~ x, offset = lo is n ~ x + offset(lo).
formula_with_offset <- function(model, fixed_only = FALSE) {
  formula <- formula(model, fixed.only = fixed_only)
  column <- offset_column(model)
  if (!is.null(column))
    formula[[3L]] <- call("+", formula[[3L]], .offset_of(column))
  formula
}

.offset_of <- function(column) call("offset", as.name(column))

#' Terms of the fixed part of a mixed model, offsets included, that new rows can be put into.
prediction_terms <- function(fit) {
  kept(fit, "frozen fixed terms", {
    old <- terms(fit$model, fixed.only = TRUE)
    column <- offset_column(fit$model)
    if (is.null(column)) frozen_terms(fit, old) else
      frozen_terms(fit, terms(formula_with_offset(fit$model, TRUE)))
  })
}

#' The column of an offset that was given beside the formula.
offset_name <- function(fit) offset_column(fit$model)
