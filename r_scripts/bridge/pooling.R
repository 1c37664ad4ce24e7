# Pooling and shrinkage: complete, no and partial pooling; conditional modes and their weights.

#' Complete and no pooling of `formula` by group; partial pooling is lmer()'s affair.
#'
#' @param vary "all": intercept and the terms that vary within groups are each group's own;
#' "intercept"
#'   or "slope": that alone. `own` names the terms, `whole` says that nothing is common.
pooled_fits <- function(formula, data, by, vary) {
  f <- eval(parse_formula(formula), .formula_home)
  vars <- all.vars(f)
  data <- data[stats::complete.cases(data[c(vars, by)]), , drop = FALSE]
  g <- droplevels(as.factor(data[[by]]))
  complete <- lm(f, data)
  estimated <- !is.na(coef(complete))
  X <- model.matrix(complete)[, estimated, drop = FALSE]
  term <- attr(model.matrix(complete), "assign")[estimated]
  varies <- unique(term[.varies_within(X, g)])
  own <- if (vary == "intercept") integer() else varies
  if (vary == "slope") .check_slopes(complete, own, by)
  whole <- vary == "all" && all(term %in% c(0L, own))
  none <- if (whole) .regression_per_group(f, data, g, colnames(X))
  else .own_and_common(complete, X, g, term %in% own,
                       vary == "intercept" || (vary == "all" && attr(terms(f), "intercept") == 1L))
  list(level = levels(g), n = as.integer(table(g)), term = colnames(X),
       complete = unname(coef(complete)[estimated]),
       none = unname(none$estimate), none_se = unname(none$std_error), whole = whole,
       own = attr(terms(complete), "term.labels")[own], common = colnames(X)[!term %in% c(0L, own)])
}

.varies_within <- function(X, g) {
  apply(X, 2L, function(x) any(abs(x - stats::ave(x, g)) > 1e-10 * max(abs(x))))
}

.check_slopes <- function(model, own, by) {
  if (!length(own))
    refuse("DataError", "no predictor varies within ", by,
           ": there is no slope of each group's own")
  labels <- attr(terms(model), "term.labels")[own]
  classes <- attr(terms(model), "dataClasses")
  for (label in labels)
    for (v in rownames(attr(terms(model), "factors"))[attr(terms(model), "factors")[, label] > 0])
    if (!grepl("numeric|matrix", classes[[v]]))
      refuse("NotSupportedError", "vary='slope' is about numeric predictors, and ", v, " is a ",
             classes[[v]],
             ": without an intercept it would have one of each level's own. Code it as 0 and 1")
}

# lm() in each group, as lme4::lmList does, with the residual SD pooled over groups. A coefficient
# that a group cannot estimate is NA.
.regression_per_group <- function(f, data, g, terms) {
  fits <- lapply(levels(g), function(l) tryCatch(lm(f, data[g == l, , drop = FALSE]),
                                                 error = function(e) NULL))
  rss <- sum(vapply(fits, function(m) if (is.null(m)) 0 else sum(residuals(m)^2), 0))
  df <- sum(vapply(fits, function(m) if (is.null(m)) 0L else m$df.residual, 0L))
  sigma <- if (df > 0) sqrt(rss / df) else NA_real_
  estimate <- se <- matrix(NA_real_, nlevels(g), length(terms), dimnames = list(NULL, terms))
  for (i in seq_along(fits)) {
    if (is.null(fits[[i]])) next
    b <- coef(fits[[i]])
    b <- b[!is.na(b) & names(b) %in% terms]
    estimate[i, names(b)] <- b
    # As summary.lm, which warns of a perfect fit where a group has few rows.
    Q <- fits[[i]]$qr
    p <- seq_len(fits[[i]]$rank)
    named <- names(coef(fits[[i]]))[Q$pivot[p]]
    se[i, named] <- sigma * sqrt(diag(chol2inv(Q$qr[p, p, drop = FALSE])))
  }
  list(estimate = estimate, std_error = se)
}

# One regression in which some columns, and perhaps the intercept, have a coefficient a group.
.own_and_common <- function(model, X, g, own, own_intercept) {
  frame <- model.frame(model)
  y <- model.response(frame) - (model.offset(frame) %||% 0)
  J <- nlevels(g)
  D <- model.matrix(~ 0 + g)
  if (J == 1L) D <- matrix(1, nrow(X), 1L)
  intercept <- colnames(X) == "(Intercept)"
  common <- !own & !(intercept & own_intercept)
  parts <- c(if (own_intercept) list(D), lapply(which(own), function(j) D * X[, j]),
             list(X[, common, drop = FALSE]))
  M <- do.call(cbind, parts)
  m <- lm(y ~ 0 + M)
  b <- coef(m)
  s <- rep(NA_real_, length(b))
  s[!is.na(b)] <- sqrt(diag(vcov(m)))[names(b)[!is.na(b)]]
  blocks <- c(if (own_intercept) "(Intercept)", colnames(X)[own])
  place <- function(v) {
    out <- matrix(NA_real_, J, ncol(X), dimnames = list(NULL, colnames(X)))
    for (i in seq_along(blocks)) if (blocks[i] %in% colnames(X))
      out[, blocks[i]] <- v[(i - 1L) * J + seq_len(J)]
    if (any(common)) out[, common] <- rep(utils::tail(v, sum(common)), each = J)
    out
  }
  list(estimate = place(b), std_error = place(s))
}

#' Standard errors of coef(model)[[group]], levels by terms: of fixed effect plus conditional mode
#' less what they estimate, both uncertain and correlated; the variances are taken as known, as
#' ranef() takes them.
coef_errors <- function(fit, group) {
  model <- fit$model
  fixed <- names(fixef(model))
  block <- match(group, names(model@flist)[attr(model@flist, "assign")])
  random <- as_in_fixed(model@cnms[[block]], fixed)
  l <- nlevels(model@flist[[group]])
  k <- length(random)
  errors <- vapply(seq_along(fixed), function(t) {
    x <- matrix(0, l, length(fixed))
    x[, t] <- 1
    at <- match(fixed[t], random)
    z <- if (!is.na(at)) list(new = 0, zt = Matrix::sparseMatrix(
      i = model@Gp[block] + (seq_len(l) - 1L) * k + at, j = seq_len(l), x = 1,
      dims = c(nrow(getME(model, "Zt")), l)))
    sqrt(.prediction_variance(model, x, z))
  }, numeric(l))
  list(level = levels(model@flist[[group]]), term = fixed, values = matrix(errors, l))
}

#' Conditional modes, their intervals, and what they are weighted from.
#'
#' lambda = 1 - Var(u | y) / tau^2, which is tau^2 / (tau^2 + sigma^2 / n_j) for one random
#' intercept; the conditional variance takes beta and the variances as known, as ranef() does.
shrinkage_native <- function(fit) {
  need_linear_predictor(fit, "Shrinkage", "m.ranef() has the conditional modes with their SDs")
  ranef(fit$model, condVar = TRUE)
}

shrinkage_result <- function(native, fit) {
  model <- fit$model
  parts <- ranef_result(native, fit)$groups
  V <- VarCorr(model)
  tau2 <- unlist(lapply(seq_along(V), function(i)
    stats::setNames(diag(as.matrix(V[[i]])), paste(names(model@cnms)[i], colnames(V[[i]]),
                                                   sep = "\r"))))
  single <- length(model@cnms) == 1L && identical(model@cnms[[1L]], "(Intercept)") &&
    lme4::isLMM(model) && !is_membership(model)
  # A random coefficient's mean is found under its own name, too.
  random <- unique(unlist(model@cnms, use.names = FALSE))
  also <- stats::setNames(as_in_fixed(random, names(fixef(model))), random)
  also <- also[also %in% names(fixef(model)) & also != random]
  list(groups = lapply(parts, function(p) {
    v <- unname(tau2[paste(p$grpvar, p$term, sep = "\r")])
    counts <- .rows_of_levels(model, p$grpvar)[p$level]
    p$condcov <- NULL # only the standard deviations are shown
    own <- if (single) .unpooled_means(model, p$grpvar, p$level)
    c(p, list(n = as.numeric(counts), tau2 = v, sum_weights = own$weight,
              unpooled = own$mean, least_squares = .least_squares(model, p)))
  }), sigma2 = sigma(model)^2, fixed = c(unname(fixef(model)), unname(fixef(model)[also])),
  term = c(names(fixef(model)), names(also)), single = single)
}

.rows_of_levels <- function(model, name) {
  if (is_membership(model) && name %in% membership_names(model))
    return(Matrix::rowSums(.membership_rows(model, name) != 0))
  table(model@flist[[name]])
}

.membership_rows <- function(model, name) {
  gp <- getME(model, "Gp")
  i <- match(name, names(model@cnms))
  k <- length(model@cnms[[i]])
  rows <- (gp[i] + 1L):gp[i + 1L]
  out <- getME(model, "Zt")[rows[seq(1L, length(rows), by = k)], , drop = FALSE]
  rownames(out) <- levels(model@flist[[name]])
  out
}

# Means of y - X b by group, weighted by the prior weights: no pooling of the group's deviation.
.unpooled_means <- function(model, name, levels) {
  r <- getME(model, "y") - getME(model, "offset") - as.numeric(getME(model, "X") %*% fixef(model))
  w <- weights(model)
  g <- model@flist[[name]]
  weight <- tapply(w, g, sum)[levels]
  list(mean = as.numeric(tapply(w * r, g, sum)[levels] / weight), weight = as.numeric(weight))
}

# No pooling of the deviations of every level of a factor: weighted least squares, on the level's
# own rows of the random design, of what the fixed effects and the other factors leave. NA where a
# level has too few rows, or does not vary.
.least_squares <- function(model, part) {
  out <- matrix(NA_real_, length(part$level), length(part$term))
  if (!lme4::isLMM(model) || is_membership(model)) return(out)
  of <- which(names(model@cnms)[attr(model@flist, "assign")] == part$grpvar |
                names(model@flist)[attr(model@flist, "assign")] == part$grpvar)
  Z <- do.call(cbind, lapply(getME(model, "mmList")[of], as.matrix))
  colnames(Z) <- unlist(model@cnms[of])
  g <- model@flist[[part$grpvar]]
  b <- matrix(part$condval, length(part$level), dimnames = list(part$level, part$term))
  Z <- Z[, part$term, drop = FALSE]
  left <- residuals(model, type = "response") + rowSums(Z * b[as.character(g), , drop = FALSE])
  w <- sqrt(weights(model))
  rows <- split(seq_along(g), factor(g, part$level))
  for (i in seq_along(rows)) {
    r <- rows[[i]]
    if (length(r) < ncol(Z)) next
    out[i, ] <- lm.fit(Z[r, , drop = FALSE] * w[r], left[r] * w[r])$coefficients
  }
  out
}

#' Residuals of the pooled regression, and which rows it used.
pooled_residuals <- function(formula, data) {
  f <- eval(parse_formula(formula), .formula_home)
  m <- lm(f, data, na.action = na.exclude)
  list(residual = as.numeric(residuals(m)), fitted = as.numeric(fitted(m)))
}
