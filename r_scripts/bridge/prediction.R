# Predictions for old and new rows. lme4 says the values; their standard errors are our own, for
# lme4 before 1.1-35 has none: the joint covariance of (b-hat - b, beta-hat) comes from the Cholesky
# factors that the fit holds (Henderson 1975, doi:10.2307/2529430; Bates et al. 2015, section 3).

#' Predictions; re_form is NULL (all random effects), "NA" (none) or a formula's text.
predicted <- function(fit, newdata = NULL, re_form = NULL, type = "response",
                      allow_new_levels = FALSE, random_only = FALSE) {
  if (is.null(newdata) && is.null(re_form) && !random_only)
    return(unname(predict(without_dropped(fit$model), type = type)))
  rows <- .prediction_rows(fit, newdata, .as_re_form(fit, re_form), allow_new_levels)
  inverse <- if (type == "response" && lme4::isGLMM(fit$model)) fit$model@resp$family$linkinv
             else identity
  eta <- if (random_only) rows$random else rows$eta # of a GLMM at 0, as predict(random.only = TRUE)
  replace(rep(NA_real_, rows$n), rows$at, inverse(eta))
}

#' The rows to predict for: how many there are, where those that can be answered stand, their linear
#' predictor and the design that it comes from. A row that the data cannot answer has NaN.
.prediction_rows <- function(fit, newdata, re, allow_new_levels) {
  model <- fit$model
  own <- is.null(newdata)
  n <- if (own) nrow(model@frame) else nrow(newdata)
  rows <- if (own) list(at = seq_len(n), data = NULL) else
    .ready_rows(fit, newdata, re, allow_new_levels)
  if (!length(rows$at)) return(list(n = n, at = rows$at, eta = numeric()))
  fixed <- if (own) list(x = getME(model, "X"), offset = getME(model, "offset")) else
    .new_fixed_part(fit, rows$data)
  eta <- as.numeric(fixed$x %*% fixef(model)) + fixed$offset
  z <- if (!identical(re, NA)) .random_rows(fit, rows$data, re, allow_new_levels)
  random <- if (is.null(z)) 0 * eta else as.numeric(Matrix::crossprod(z$zt, getME(model, "b")))
  eta <- eta + random
  list(n = n, at = rows$at, data = rows$data, random = random,
       eta = replace(eta, fixed$unknown, NaN), x = fixed$x,
       z = z)
}

.as_re_form <- function(fit, re_form) {
  if (is.null(re_form)) return(NULL)
  if (identical(re_form, "NA")) return(NA)
  re <- eval(parse_formula(re_form), .formula_home)
  .check_asked_effects(fit$model, re, re_form)
  re
}

# lme4 says of effects that are not there that the grouping factor or model matrix does not fit.
.check_asked_effects <- function(model, re, text) {
  named <- function(cnms) paste(unlist(cnms, use.names = FALSE), rep(names(cnms), lengths(cnms)),
                                sep = " | ")
  own <- named(model@cnms)
  frame <- .few_rows(model@frame)
  asked <- tryCatch(unlist(lapply(findbars(re), function(bar)
    named(mkReTrms(list(bar), frame)$cnms))), error = function(e) NA)
  if (!all(asked %in% own))
    refuse("ArgumentError", "re_form=", dQuote(text, FALSE),
           " names random effects that the model ",
           "has not: it has ", paste(sQuote(own, FALSE), collapse = ", "))
}

#' Predictions with standard errors and limits, on the scale of `type`.
predicted_interval <- function(fit, newdata = NULL, re_form = NULL, type = "response",
                               allow_new_levels = FALSE, interval = "confidence", level = 0.95) {
  model <- fit$model
  if (lme4::isNLMM(model))
    refuse("NotSupportedError", "intervals of predictions are not defined for a nonlinear mixed ",
           "model here; use the bootstrap")
  if (interval == "prediction" && !lme4::isLMM(model))
    refuse("NotSupportedError", "a prediction interval needs a response with normal errors. For a ",
           "generalized model simulate new responses with simulate(), or ask for ",
           "interval='confidence', which is for the mean.")
  rows <- .prediction_rows(fit, newdata, .as_re_form(fit, re_form), allow_new_levels)
  if (!length(rows$at)) {
    none <- rep(NA_real_, rows$n)
    return(list(fit = none, std_error = none, conf_low = none, conf_high = none))
  }
  variance <- replace(.prediction_variance(model, rows$x, rows$z), is.nan(rows$eta), NaN)
  if (interval == "prediction") variance <- variance + .residual_variance(model, rows$data)
  answer <- .limits(model, rows$eta, sqrt(variance), type, level)
  lapply(answer, function(x) replace(rep(NA_real_, rows$n), rows$at, x))
}

.limits <- function(model, eta, se, type, level) {
  z <- qnorm((1 + level) / 2)
  out <- list(fit = eta, std_error = se, conf_low = eta - z * se, conf_high = eta + z * se)
  if (type == "link" || lme4::isLMM(model)) return(out)
  family <- model@resp$family
  ends <- cbind(family$linkinv(out$conf_low), family$linkinv(out$conf_high))
  list(fit = family$linkinv(eta), std_error = abs(family$mu.eta(eta)) * se,
       conf_low = pmin(ends[, 1L], ends[, 2L]), conf_high = pmax(ends[, 1L], ends[, 2L]))
}

.residual_variance <- function(model, newdata) {
  weights <- weights(model)
  if (is.null(newdata)) return(sigma(model)^2 / weights)
  if (length(unique(weights)) > 1L)
    warning("the model has prior weights; for new rows a weight of 1 is taken", call. = FALSE)
  sigma(model)^2
}

# --- variances ----------------------------------------------------------------------------------

# With t = (Lambda' z, x) of a row and the factor
#   [ L     0  ]
#   [ RZX'  RX']   of   [ Lambda'Z'WZ Lambda + I   Lambda'Z'WX ]
#                       [ X'WZ Lambda              X'WX        ]
# the variance is sigma^2 |factor^-1 t|^2; levels that the model has not seen add their own.
.prediction_variance <- function(model, x, z) {
  if (is.null(z)) {
    v <- as.matrix(vcov(model))
    return(rowSums((x %*% v) * x))
  }
  part <- getME(model, c("L", "Lambdat", "RX", "RZX"))
  squares <- squares_by_pairs(model, part, z$zt)
  if (is.null(squares)) squares <- .squares_by_solving(part, z$zt)
  sigma(model)^2 * (squares + .fixed_squares(part, x, z$zt)) + z$new
}

.solved <- function(part, columns) solve(part$L, solve(part$L, columns, system = "P"), system = "L")

# |L^-1 P Lambda'z|^2, in blocks of rows: with crossed factors the solution is dense, q numbers a
# row.
.squares_by_solving <- function(part, zt) {
  solved <- .solved_once(part, zt)
  squares <- numeric(ncol(zt))
  block <- max(1L, as.integer(2e7 / nrow(zt)))
  for (start in seq(1L, ncol(zt), by = block)) {
    rows <- start:min(start + block - 1L, ncol(zt))
    cl <- if (is.null(solved)) .solved(part, part$Lambdat %*% zt[, rows, drop = FALSE]) else
      solved$columns %*% zt[solved$used, rows, drop = FALSE]
    squares[rows] <- Matrix::colSums(cl^2)
  }
  squares
}

# The solution is linear in z: where rows have fewer coefficients among them than there are rows,
# each coefficient is solved for, once. At most as many numbers as 400 MB hold, however dense.
.solved_once <- function(part, zt) {
  used <- which(Matrix::rowSums(zt != 0) > 0)
  if (length(used) >= ncol(zt) || as.numeric(length(used)) * nrow(zt) > 5e7) return(NULL)
  list(used = used, columns = .solved(part, part$Lambdat[, used, drop = FALSE]))
}

# |RX'^-1 (x - RZX' L^-1 P Lambda'z)|^2, with what stands before z solved for once.
.fixed_squares <- function(part, x, zt) {
  if (!ncol(x)) return(0) # a model need not have fixed effects
  back <- solve(part$L, solve(part$L, part$RZX, system = "Lt"), system = "Pt")
  across <- Matrix::crossprod(zt, Matrix::crossprod(part$Lambdat, back))
  colSums(forwardsolve(t(as.matrix(part$RX)), t(as.matrix(x) - as.matrix(across)))^2)
}

# X and the offset of new rows, and which of them a rank-deficient fit cannot estimate.
.new_fixed_part <- function(fit, newdata) {
  old <- getME(fit$model, "X")
  terms <- delete.response(prediction_terms(fit))
  frame <- .guarded_prediction(
    model.frame(terms, newdata, na.action = na.pass, xlev = .factor_levels(fit$model, terms)))
  x <- model.matrix(terms, frame, contrasts.arg = attr(old, "contrasts"))
  offset <- model.offset(frame)
  dropped <- attr(old, "col.dropped")
  unknown <- if (length(dropped)) .not_estimable(x, .null_space(fit))
  if (length(dropped)) x <- x[, -dropped, drop = FALSE]
  list(x = x, offset = if (is.null(offset)) 0 else offset, unknown = unknown)
}

# Combinations of the coefficients that the data say nothing of, as emmeans finds them.
.null_space <- function(fit) kept(fit, "null space", {
  terms <- terms(fit$model, fixed.only = TRUE)
  estimability::nonest.basis(model.matrix(terms, fit$model@frame, contrasts.arg =
    attr(getME(fit$model, "X"), "contrasts")))
})

#' Rows of x that no estimate answers, said aloud.
.not_estimable <- function(x, null_space) {
  rows <- which(!estimability::is.estble(x, null_space))
  if (length(rows))
    advise("predict: ", length(rows), " of ", nrow(x),
           " rows cannot be estimated: the fit dropped ",
           "columns (rank deficiency) that they need, such as a cell without data. Their ",
           "prediction is NaN.")
  rows
}

.factor_levels <- function(model, terms) {
  frame <- model@frame
  names <- intersect(rownames(attr(terms, "factors")), names(frame))
  found <- lapply(frame[names], function(v)
    if (is.factor(v)) levels(v) else if (is.character(v)) sort(unique(v)))
  found[!vapply(found, is.null, NA)]
}

#' Columns of Zt (all the model's random effects, in its own order) for the rows, and the variance
#' of levels that the model has not seen. Random effects that `re` leaves out are zero in both.
.random_rows <- function(fit, newdata, re, allow_new_levels = FALSE) {
  model <- fit$model
  blocks <- .random_blocks(model)
  wanted <- .wanted_effects(blocks, model, re)
  if (is.null(newdata)) {
    keep <- unlist(Map(function(b, w) rep(w, b$levels_n), blocks, wanted))
    return(list(zt = Matrix::Diagonal(x = as.numeric(keep)) %*% getME(model, "Zt"), new = 0))
  }
  n <- nrow(newdata)
  new <- numeric(n)
  i <- j <- x <- list()
  for (b in seq_along(blocks)) {
    if (!any(wanted[[b]])) next
    made <- .block_rows(fit, blocks[[b]], wanted[[b]], newdata, allow_new_levels)
    i[[b]] <- made$i
    j[[b]] <- made$j
    x[[b]] <- made$x
    new <- new + made$new
  }
  q <- nrow(getME(model, "Zt"))
  list(zt = Matrix::sparseMatrix(i = as.integer(unlist(i)), j = as.integer(unlist(j)),
                                 x = as.numeric(unlist(x)), dims = c(q, n)), new = new)
}

#' The random-effects terms in the model's order: group, coefficients, levels, first row of Zt.
.random_blocks <- function(model) {
  bars <- findbars(formula(model))
  factors <- getME(model, "Tlist")
  frame <- .few_rows(model@frame)
  taken <- rep(FALSE, length(bars))
  lapply(seq_along(model@cnms), function(t) {
    group <- names(model@cnms)[t]
    coefs <- model@cnms[[t]]
    made <- vapply(seq_along(bars), function(b)
      !taken[b] && .bar_makes(frame, bars[[b]], group, coefs), NA)
    taken[which(made)[1L]] <<- TRUE
    levels <- levels(model@flist[[attr(model@flist, "assign")[t]]])
    list(group = group, coefs = coefs, levels = levels, levels_n = length(levels),
         bar = bars[[which(made)[1L]]], first = model@Gp[t], factor = as.matrix(factors[[t]]))
  })
}

.bar_makes <- function(frame, bar, group, coefs) {
  made <- mkReTrms(list(bar), frame)
  identical(names(made$cnms), group) && identical(made$cnms[[1L]], coefs)
}

# Names of coefficients depend on levels, not on rows; two rows make them as well as a million.
.few_rows <- function(frame) {
  if (any(vapply(frame, is.character, NA))) return(frame)
  few <- frame[seq_len(min(2L, nrow(frame))), , drop = FALSE]
  attr(few, "terms") <- attr(frame, "terms")
  few
}

.wanted_effects <- function(blocks, model, re) {
  if (is.null(re)) return(lapply(blocks, function(b) rep(TRUE, length(b$coefs))))
  frame <- .few_rows(model@frame)
  asked <- lapply(findbars(re), function(bar) mkReTrms(list(bar), frame)$cnms)
  lapply(blocks, function(b) {
    mine <- unlist(lapply(asked, function(a) a[[b$group]]))
    b$coefs %in% mine
  })
}

.block_rows <- function(fit, block, wanted, newdata, allow_new_levels) {
  frame <- .random_frame(fit, block$bar, newdata)
  made <- mkReTrms(list(block$bar), frame)
  entries <- as(made$Ztlist[[1L]], "TsparseMatrix")
  k <- length(block$coefs)
  # mkReTrms orders the columns of each level as the model has them.
  unknown <- setdiff(levels(droplevels(made$flist[[1L]])), block$levels)
  if (length(unknown) && !allow_new_levels)
    refuse("DataError", "newdata: the grouping factor '", block$group, "' has the level '",
           unknown[1L], "', which the model has not seen", .and_others(unknown), ". ",
           .new_levels_advice)
  level <- levels(made$flist[[1L]])[entries@i %/% k + 1L]
  coef <- entries@i %% k + 1L
  x <- entries@x * wanted[coef]
  at <- match(level, block$levels)
  known <- !is.na(at)
  z <- matrix(0, nrow(newdata), k)
  z[cbind(entries@j + 1L, coef)[!known, , drop = FALSE]] <- x[!known]
  list(i = (block$first + (at - 1L) * k + coef)[known], j = entries@j[known] + 1L, x = x[known],
       new = sigma(fit$model)^2 * rowSums((z %*% block$factor)^2))
}

# The variables of one random-effects term as model.frame makes them, with the fit's levels and
# contrasts.
.random_frame <- function(fit, bar, newdata) {
  model <- fit$model
  written <- eval(call("~", call("(", bar)), model_home(model))
  environment(written) <- environment(formula(model))
  terms <- frozen_terms(fit, terms(subbars(written)))
  frame <- .guarded_prediction(model.frame(terms, newdata, na.action = na.pass))
  with_levels_of_fit(frame, model@frame, bar[[2L]])
}

#' New rows' variables of `expr` with the levels and contrasts that they have in the fit's frame:
#' also those of factor(x), which are made of the new rows alone.
with_levels_of_fit <- function(frame, own, expr) {
  variables <- as.list(attr(terms(eval(call("~", expr), .formula_home)), "variables"))[-1L]
  written <- vapply(variables, function(x) paste(
    deparse(x, width.cutoff = 500L, backtick = !is.name(x)), collapse = " "), "")
  for (v in intersect(written, names(frame))) {
    old <- own[[v]]
    if (!is.factor(old)) next
    new <- as.character(frame[[v]])
    .check_levels(v, new, old)
    frame[[v]] <- factor(new, levels = levels(old))
    contrasts(frame[[v]]) <- contrasts(old)
  }
  frame
}
