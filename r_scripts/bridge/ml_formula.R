# Formulas that the multilevel workflow reads and rewrites, as language: nothing is evaluated but
# the model frame of an already vetted formula.

.is_bar <- function(e) is.call(e) && length(e) == 3L && as.character(e[[1L]])[1L] %in% c("|", "||")

.formula_structure <- c("+", "-", "*", "/", ":", "%in%", "^", "(")

#' Replace the column `x` in the fixed part by `fixed` and within random terms by `random` (names).
ml_replace <- function(formula, x, fixed, random, by = NULL) {
  f <- parse_formula(formula)
  if (length(f) < 3L)
    refuse("FormulaError", "the formula has no response; write e.g. 'y ~ x'")
  f[[3L]] <- .bare(.replace_in(f[[3L]], x, .sum_of(fixed), .sum_of(random), inside = FALSE),
                   f[[3L]], TRUE)
  if (!is.null(by) && !length(findbars(f)))
    f[[3L]] <- call("+", f[[3L]], call("(", call("|", 1, as.name(by))))
  paste(deparse(f, width.cutoff = 500L), collapse = " ")
}

.sum_of <- function(names) {
  parts <- lapply(names, as.name)
  if (length(parts) == 1L) return(parts[[1L]])
  call("(", Reduce(function(a, b) call("+", a, b), parts))
}

.replace_in <- function(e, x, fixed, random, inside) {
  if (is.name(e)) {
    if (!identical(as.character(e), x)) return(e)
    if (inside) refuse("NotSupportedError", "the formula uses '", x, "' within a function call; ",
                       "make that a column of the data first, and centre the column")
    return(fixed)
  }
  if (!is.call(e)) return(e)
  if (.is_bar(e)) {
    e[[2L]] <- .replace_in(e[[2L]], x, random, random, inside)
    return(e)
  }
  adds <- identical(e[[1L]], quote(`+`))
  structural <- .is_structure(e) ||
    is.name(e[[1L]]) && as.character(e[[1L]]) %in% .formula_structure
  for (i in seq_along(e)[-1L])
    if (!identical(e[[i]], quote(expr = )))
      e[[i]] <- .bare(.replace_in(e[[i]], x, fixed, random, inside || !structural), e[[i]], adds)
  e
}

# A sum that took the place of a name needs no brackets within a sum.
.bare <- function(new, old, in_sum) {
  if (in_sum && is.name(old) && is.call(new) && identical(new[[1L]], quote(`(`))) new[[2L]] else new
}

#' Model matrix of the fixed part and of each random term, with NA where a row misses something.
ml_design <- function(formula, data) {
  env <- new.env(parent = .formula_home)
  f <- eval(parse_formula(formula), env)
  fixed <- nobars(f)
  if (length(fixed) == 3L) fixed <- fixed[-2L]
  part <- function(formula) {
    tt <- terms(formula, data = data)
    x <- if (length(attr(tt, "variables")) == 1L)
      structure(matrix(1, nrow(data), attr(tt, "intercept")),
                assign = integer(attr(tt, "intercept")),
                dimnames = list(NULL, "(Intercept)"[attr(tt, "intercept")]))
    else model.matrix(tt, model.frame(tt, data, na.action = na.pass))
    list(term = as.character(colnames(x)), values = unname(matrix(as.numeric(x), nrow(data))),
         factors = attr(tt, "factors"), assign = attr(x, "assign"),
         labels = attr(tt, "term.labels"))
  }
  x <- part(fixed)
  bars <- findbars(f)
  list(
    term = x$term, values = x$values,
    order = c(if (0L %in% x$assign) 0, vapply(x$assign[x$assign > 0], function(k)
      as.numeric(sum(x$factors[, k] > 0)), 0)),
    label = c(if (0L %in% x$assign) "(Intercept)", x$labels[x$assign]),
    parts = lapply(x$assign, function(k) if (k == 0L) character() else
      rownames(x$factors)[x$factors[, k] > 0]),
    response = if (length(f) == 3L) paste(deparse(f[[2L]]), collapse = " ") else "",
    random = lapply(bars, function(b) {
      z <- part(eval(call("~", b[[2L]]), env))
      list(group = paste(deparse(b[[3L]]), collapse = ""), term = as_in_fixed(z$term, x$term),
           values = z$values)
    })
  )
}

#' Coefficients and their unscaled covariance for other fixed effects (and the random part of
#' `smushed`) at the variances of `smushed`: generalized least squares, nothing is optimized.
ml_at_variances_of <- function(smushed, fit, formula) {
  data_of <- function(f) get(as.character(f$model@call$data), environment(stats::formula(f$model)))
  data <- data_of(fit)
  raw <- data_of(smushed) # the same rows; the random part may name the raw predictor
  data[setdiff(names(raw), names(data))] <- raw[setdiff(names(raw), names(data))]
  env <- new.env(parent = .formula_home)
  env$.data <- data
  devfun <- eval(call("lmer", parse_formula(formula), quote(.data), devFunOnly = TRUE), env)
  devfun(optimized_parameters(smushed$model)$values)
  pp <- environment(devfun)$pp
  list(term = colnames(pp$X), estimate = pp$beta(1), vcov = unname(tcrossprod(pp$RXi())))
}
