# Predictions for old and new rows. lme4 says the values; their standard errors are our own, for
# lme4 before 1.1-35 has none: the joint covariance of (b-hat - b, beta-hat) comes from the Cholesky
# factors that the fit holds (Henderson 1975, doi:10.2307/2529430; Bates et al. 2015, section 3).

#' Predictions; re_form is NULL (all random effects), "NA" (none) or a formula's text.
predicted <- function(fit, newdata = NULL, re_form = NULL, type = "response",
                      allow_new_levels = FALSE) {
  re <- .as_re_form(re_form)
  if (is.null(newdata)) return(unname(predict(fit$model, re.form = re, type = type)))
  rows <- .ready_rows(fit, newdata, re, allow_new_levels)
  .warn_about_offset(fit)
  out <- rep(NA_real_, nrow(newdata))
  out[rows$at] <- .guarded_prediction(
    predict(fit$model, newdata = rows$data, re.form = re, type = type, na.action = na.pass,
            allow.new.levels = allow_new_levels))
  out
}

.as_re_form <- function(re_form) {
  if (is.null(re_form)) NULL else if (identical(re_form, "NA")) NA else
    eval(parse_formula(re_form), .formula_home)
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
  re <- .as_re_form(re_form)
  n <- if (is.null(newdata)) nrow(model@frame) else nrow(newdata)
  rows <- if (is.null(newdata)) list(at = seq_len(n), data = NULL) else
    .ready_rows(fit, newdata, re, allow_new_levels)
  eta <- .predicted_eta(fit, rows$data, re, allow_new_levels)
  variance <- .prediction_variance(fit, rows$data, re)
  if (interval == "prediction") variance <- variance + .residual_variance(model, rows$data)
  answer <- .limits(model, eta, sqrt(variance), type, level)
  lapply(answer, function(x) replace(rep(NA_real_, n), rows$at, x))
}

.predicted_eta <- function(fit, newdata, re, allow_new_levels) {
  if (is.null(newdata)) {
    # Without padding: rows that R dropped are filled in by Python.
    eta <- predict(fit$model, re.form = re, type = "link")
    dropped <- attr(fit$model@frame, "na.action")
    return(unname(if (length(eta) > nrow(fit$model@frame)) eta[-dropped] else eta))
  }
  .warn_about_offset(fit)
  unname(.guarded_prediction(
    predict(fit$model, newdata = newdata, re.form = re, type = "link", na.action = na.pass,
            allow.new.levels = allow_new_levels)))
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
.prediction_variance <- function(fit, newdata, re) {
  model <- fit$model
  x <- if (is.null(newdata)) getME(model, "X") else .new_model_matrix(model, newdata)
  if (identical(re, NA)) {
    v <- as.matrix(vcov(model))
    return(rowSums((x %*% v) * x))
  }
  z <- .random_rows(model, newdata, re)
  variance <- numeric(nrow(x))
  # In blocks of rows: with crossed factors the solution is dense, q numbers a row.
  block <- max(1L, as.integer(2e7 / nrow(z$zt)))
  for (start in seq(1L, nrow(x), by = block)) {
    rows <- start:min(start + block - 1L, nrow(x))
    variance[rows] <- .joint_variance(model, x[rows, , drop = FALSE], z$zt[, rows, drop = FALSE])
  }
  variance + z$new
}

.joint_variance <- function(model, x, zt) {
  part <- getME(model, c("L", "Lambdat", "RX", "RZX"))
  cl <- solve(part$L, solve(part$L, part$Lambdat %*% zt, system = "P"), system = "L")
  cr <- forwardsolve(t(as.matrix(part$RX)), t(x) - as.matrix(crossprod(part$RZX, cl)))
  sigma(model)^2 * (Matrix::colSums(cl^2) + colSums(cr^2))
}

.new_model_matrix <- function(model, newdata) {
  old <- getME(model, "X")
  terms <- delete.response(terms(model, fixed.only = TRUE))
  frame <- model.frame(terms, newdata, na.action = na.pass, xlev = .factor_levels(model, terms))
  x <- model.matrix(terms, frame, contrasts.arg = attr(old, "contrasts"))
  dropped <- attr(old, "col.dropped")
  if (length(dropped)) x <- x[, -dropped, drop = FALSE]
  x
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
.random_rows <- function(model, newdata, re) {
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
    made <- .block_rows(model, blocks[[b]], wanted[[b]], newdata)
    i[[b]] <- made$i
    j[[b]] <- made$j
    x[[b]] <- made$x
    new <- new + made$new
  }
  q <- nrow(getME(model, "Zt"))
  list(zt = Matrix::sparseMatrix(i = unlist(i), j = unlist(j), x = unlist(x), dims = c(q, n)),
       new = new)
}

#' The random-effects terms in the model's order: group, coefficients, levels, first row of Zt.
.random_blocks <- function(model) {
  bars <- lme4::findbars(formula(model))
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
  made <- lme4::mkReTrms(list(bar), frame)
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
  asked <- lapply(lme4::findbars(re), function(bar) lme4::mkReTrms(list(bar), frame)$cnms)
  lapply(blocks, function(b) {
    mine <- unlist(lapply(asked, function(a) a[[b$group]]))
    b$coefs %in% mine
  })
}

.block_rows <- function(model, block, wanted, newdata) {
  frame <- .random_frame(model, newdata)
  made <- lme4::mkReTrms(list(block$bar), frame)
  entries <- as(made$Ztlist[[1L]], "TsparseMatrix")
  k <- length(block$coefs)
  level <- levels(made$flist[[1L]])[entries@i %/% k + 1L]
  coef <- entries@i %% k + 1L
  x <- entries@x * wanted[coef]
  at <- match(level, block$levels)
  known <- !is.na(at)
  z <- matrix(0, nrow(newdata), k)
  z[cbind(entries@j + 1L, coef)[!known, , drop = FALSE]] <- x[!known]
  list(i = (block$first + (at - 1L) * k + coef)[known], j = entries@j[known] + 1L, x = x[known],
       new = sigma(model)^2 * rowSums((z %*% block$factor)^2))
}

# The variables of the random effects as model.frame makes them, with the fit's levels and contrasts.
.random_frame <- function(model, newdata) {
  terms <- delete.response(terms(model, random.only = TRUE))
  for (v in setdiff(all.vars(terms), names(newdata))) newdata[[v]] <- NA
  frame <- suppressWarnings(model.frame(terms, newdata, na.action = na.pass))
  inner <- unique(unlist(lapply(lme4::findbars(formula(model)), function(b) all.vars(b[[2L]]))))
  for (v in intersect(inner, names(frame))) {
    old <- model@frame[[v]]
    if (!is.factor(old)) next
    frame[[v]] <- factor(as.character(frame[[v]]), levels = levels(old))
    contrasts(frame[[v]]) <- contrasts(old)
  }
  frame
}

# --- new rows -----------------------------------------------------------------------------------

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
    lme4::findbars(if (is.null(re)) formula(model) else re)
  names_in <- function(part) unique(unlist(lapply(bars, function(b) all.vars(b[[part]]))))
  list(predictors = union(fixed, names_in(2L)), groups = names_in(3L))
}

#' Predictors of the same kind as in the fit, and no level that the model has not seen.
.check_predictors <- function(fit, newdata, names) {
  frame <- fit$model@frame
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

# --- simulation ---------------------------------------------------------------------------------

#' New responses; with a seed, R's own stream of random numbers is left where it was.
simulated <- function(fit, nsim = 1L, seed = NULL, re_form = NULL, use_u = FALSE) {
  args <- list(object = fit$model, nsim = nsim)
  if (!is.null(re_form) && re_form != "NA") .check_drawn_terms(fit$model, .as_re_form(re_form))
  if (use_u) args$use.u <- TRUE else if (!is.null(re_form)) args$re.form <- .as_re_form(re_form)
  sims <- with_seed(seed, do.call(stats::simulate, args))
  dropped <- attr(fit$model@frame, "na.action")
  used <- nrow(fit$model@frame)
  columns <- lapply(sims, function(s) {
    s <- if (is.matrix(s)) s else as.matrix(s)
    if (nrow(s) > used) s <- s[-dropped, , drop = FALSE]
    lapply(seq_len(ncol(s)), function(j) list(
      values = if (is.character(s)) NULL else as.numeric(s[, j]),
      text = if (is.character(s)) as.character(s[, j]),
      name = if (ncol(s) > 1L && !is.null(colnames(s))) colnames(s)[j] else ""))
  })
  names <- rep(names(sims), lengths(columns))
  Map(function(column, name) c(list(simulation = name), column),
      unname(do.call(c, unname(columns))), names)
}

# With some terms kept, lme4 (1.1-31 at least) reads the parameters of the drawn terms from the front
# of theta, where other terms' may stand: the samples of Penicillin get the plates' variance.
.check_drawn_terms <- function(model, re) {
  if (!lme4::isLMM(model) && !lme4::isGLMM(model)) return()
  template <- substitute(. ~ . - XX, list(XX = re[[2L]]))
  drawn <- lme4::findbars(update.formula(.random_part(model), template)[-2L])
  if (!length(drawn)) return()
  made <- lme4::mkReTrms(drawn, model@frame)$cnms
  blocks <- .random_blocks(model)
  right <- unlist(lapply(seq_along(made), function(i) {
    same <- vapply(blocks, function(b) b$group == names(made)[i] && identical(b$coefs, made[[i]]),
                   NA)
    lower <- blocks[[which(same)[1L]]]$factor
    lower[lower.tri(lower, diag = TRUE)]
  }))
  if (!isTRUE(all.equal(unname(right), unname(getME(model, "theta")[seq_along(right)]))))
    refuse("NotSupportedError", "lme4 would draw the random effects that this re_form leaves out ",
           "with the variances of other terms. Draw all (re_form=None) or none (use_u=True).")
}

.random_part <- function(model) {
  bars <- lapply(lme4::findbars(formula(model)), function(b) call("(", b))
  as.formula(call("~", Reduce(function(a, b) call("+", a, b), bars)))
}

#' Evaluate with R's default generators and this seed, then put the user's stream back.
with_seed <- function(seed, expr) {
  if (is.null(seed)) return(expr)
  old <- get0(".Random.seed", globalenv(), inherits = FALSE)
  kind <- RNGkind()
  on.exit({
    RNGkind(kind[1L], kind[2L], kind[3L])
    if (is.null(old)) rm(".Random.seed", envir = globalenv())
    else assign(".Random.seed", old, envir = globalenv())
  })
  RNGkind("default", "default", "default")
  set.seed(seed)
  expr
}
