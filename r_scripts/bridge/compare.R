# Comparing models: what R's anova prints, with the rules that R leaves to the user.
#
# 1. Same rows and the same response, or no comparison.
# 2. REML likelihoods compare variances only: where the fixed effects differ, maximum likelihood.
# 3. A likelihood-ratio test needs nested models; without, information criteria only.
# 4. Where a variance is tested, its null value lies on the boundary of the parameter space, and the
#    chi-squared p-value is too large: the mixture stands beside it.

#' One row a model, likelihood-ratio tests between neighbours; anova(m0, m1, ...) of lme4.
#'
#' `orders` says for each model where the first model's rows stand among its own; NULL: at the same
#' places. Python knows the rows and has refused models on different ones.
compare_models <- function(fits, names, refit = TRUE, orders = NULL) {
  models <- lapply(fits, plain_model)
  .check_same_data(models, names, orders)
  .check_same_kind(models, names)
  if (any(vapply(models, is_nlme, NA))) return(.compare_nlme(models, names, refit, orders))
  if (!any(vapply(models, is, NA, "merMod"))) return(.compare_linear(models, names, orders))
  reml <- vapply(models, is_reml, NA)
  if (!refit) .check_reml(models, names, reml, orders)
  table <- .lme4_anova(models, names, refit)
  at <- match(rownames(table), names)
  notes <- if (refit && any(reml))
    paste0("refitted by maximum likelihood (", paste(names[reml], collapse = ", "), "): ",
           .why_refitted(models, reml, orders))
  lost <- NA
  for (i in seq_along(models)[-1L]) {
    two <- at[c(i - 1L, i)]
    tested <- .tested(models[two], orders[two])
    lost[i] <- tested$boundary
    if (!tested$nested) {
      table[i, c("Chisq", "Pr(>Chisq)")] <- NA
      notes <- c(notes, .not_nested_note(rownames(table)[i - 1L], rownames(table)[i],
                                           tested$unknown))
    } else notes <- c(notes, .boundary_note(lost[i], rownames(table)[i]))
  }
  c(comparison_fields(table, lost), list(notes = as.character(notes), refitted = refit && any(reml),
    reml = !refit && any(reml),
    printed = .with_notes(table, notes)))
}

.why_refitted <- function(models, reml, orders) {
  if (all(reml) && all(vapply(seq_along(models)[-1L], function(i)
    .same_means(models[c(1L, i)], orders[c(1L, i)]), NA)))
    "R's default; their fixed effects agree, and refit=False compares them as REML fits"
  else "REML likelihoods of models with different fixed effects cannot be compared"
}

.with_notes <- function(table, notes) {
  waits(table, below = if (length(notes)) paste0("Note: ", notes))
}

.boundary_note <- function(lost, name) {
  if (isTRUE(lost > 1)) paste0(name, ": several variances are tested at once; their mixture of ",
    "chi-squared distributions has no simple weights, and p_value is conservative. ",
    "pb_modcomp() gives one by simulation")
}

#' The columns of a comparison of models, as ModelComparison names them.
comparison_fields <- function(table, lost, level = 0.05) {
  list(term = rownames(table), npar = table[["npar"]], aic = table[["AIC"]], bic = table[["BIC"]],
       loglik = table[["logLik"]], deviance = minus_two_loglik(table), chisq = table[["Chisq"]],
       df = table[["Df"]], p_value = table[["Pr(>Chisq)"]],
       p_value_boundary = boundary_p(table[["Chisq"]], table[["Df"]], lost), level = level,
       critical_value = boundary_critical(table[["Chisq"]], table[["Df"]], 0, level),
       critical_value_boundary = boundary_critical(table[["Chisq"]], table[["Df"]], lost, level),
       formulas = sub("^[^:]*: ", "", utils::tail(attr(table, "heading"), nrow(table))))
}

# lme4 compares the data's names in the calls; whether the data agree was checked by their values.
.lme4_anova <- function(models, names, refit) {
  models <- lapply(models, .with_data_name, name = .data_symbol(models[[1L]]))
  first <- which(vapply(models, is, NA, "merMod"))[1L]
  order <- c(first, setdiff(seq_along(models), first))
  # Ties in the number of parameters stay in the order given, whatever stands first here.
  method <- utils::getS3method("anova", "merMod", envir = asNamespace("lme4"))
  suppressMessages(do.call(method, c(unname(models[order]), list(refit = refit,
                                                                 model.names = names[order]))))
}

.data_symbol <- function(model) if (isS4(model)) model@call$data else model$call$data
.with_data_name <- function(model, name) {
  if (isS4(model)) model@call$data <- name else model$call$data <- name
  model
}

#' Was the model fitted by REML?
is_reml <- function(model) {
  if (is_nlme(model)) identical(model$method, "REML")
  else is(model, "merMod") && lme4::isREML(model)
}

# --- the rules ------------------------------------------------------------------------------------

.check_same_data <- function(models, names, orders = NULL) {
  responses <- lapply(models, .used_response)
  a <- responses[[1L]]
  for (i in seq_along(models)[-1L]) {
    b <- responses[[i]]
    if (nrow(a) != nrow(b))
      refuse("ComparisonError", names[1L], " and ", names[i],
             " were fitted to different numbers of ",
             "rows: ", nrow(a), " and ", nrow(b))
    b <- .in_order(b, orders[[i]])
    differ <- if (ncol(b) != ncol(a)) nrow(a)
    else sum(rowSums(abs(b - a) > 1e-12 * max(abs(a), 1)) > 0)
    if (differ)
      refuse("ComparisonError", names[1L], " and ", names[i], " have different responses: they ",
             "differ in ", differ, " of ", nrow(a),
             " rows. Likelihoods of different responses (or ",
             "of one on another scale) cannot be compared")
  }
}

#' The same model by maximum likelihood.
refitted_by_ml <- function(model) if (is_nlme(model)) nlme_by_ml(model) else lme4::refitML(model)

.formula_text <- function(model) {
  text <- paste(deparse(formula(model), width.cutoff = 500L), collapse = " ")
  if (!is_nlme(model)) return(text)
  call <- getCall(model)
  parts <- intersect(c("random", "correlation", "weights"), names(call))
  paste(c(text, vapply(parts, function(p) paste(p, "=", deparse1(call[[p]])), "")), collapse = ", ")
}

.used_response <- function(model) {
  if (is_nlme(model)) return(matrix(as.numeric(nlme_response(model))))
  y <- model.response(if (isS4(model)) model@frame else model.frame(model))
  if (is.matrix(y)) y else matrix(as.numeric(y))
}

.in_order <- function(X, order) if (is.null(order)) X else X[order, , drop = FALSE]

.check_same_kind <- function(models, names) {
  by_nlme <- vapply(models, is_nlme, NA)
  if (any(by_nlme) && any(vapply(models, is, NA, "merMod")))
    refuse("NotSupportedError", "R compares models of nlme (",
           paste(names[by_nlme], collapse = ", "),
           ") and of lme4 among themselves only: fit all with one of the two")
  linear <- vapply(models, function(m) if (isS4(m)) lme4::isLMM(m) else !inherits(m, "glm"), NA)
  if (length(unique(linear)) > 1L)
    refuse("ComparisonError", "a linear and a generalized model cannot be compared by likelihood: ",
           paste(names[linear], collapse = ", "), " against ",
           paste(names[!linear], collapse = ", "))
  .check_quadrature(models, names)
}

# With more than one point of quadrature lme4 gives log-likelihoods less that of a saturated model.
# R refuses to compare such a fit with a glm, and says nothing of one with fewer points.
.check_quadrature <- function(models, names) {
  several <- vapply(models, function(m)
    isS4(m) && lme4::isGLMM(m) && m@devcomp$dims[["nAGQ"]] > 1L, NA)
  if (!any(several) || all(several)) return()
  refuse("ComparisonError", paste(names[several], collapse = ", "), " was fitted with several ",
         "points of quadrature: lme4 then leaves a constant out of the log-likelihood, which ",
         paste(names[!several], collapse = ", "),
         " has. Fit all with the same n_agq (1 beside a glm)")
}

.check_reml <- function(models, names, reml, orders) {
  mixed <- vapply(models, is, NA, "merMod")
  if (!any(reml)) return()
  if (any(!reml & mixed))
    refuse("ComparisonError", "REML and maximum likelihood cannot be compared: ",
           paste(names[reml], collapse = ", "), " was fitted by REML, ",
           paste(names[!reml & mixed], collapse = ", "), " by ML. Leave refit=True")
  if (any(!mixed))
    refuse("ComparisonError", "anova() of R takes an lm's likelihood as ML, a REML fit's not: ",
           "leave refit=True, or compare ", names[!mixed][1L], " by lrt(), which takes both as ",
           "REML")
  for (i in seq_along(models)[-1L]) if (!.same_means(models[c(1L, i)], orders[c(1L, i)]))
    refuse("ComparisonError", "the fixed effects of ", names[1L], " and ", names[i],
           " differ, and ",
           "REML likelihoods of such models cannot be compared (REML takes another likelihood for ",
           "each set of fixed effects). Leave refit=True, which refits by maximum likelihood")
}

# X of two models, rows in the same order; of full rank, as lme4 has them.
.fixed_matrices <- function(models, orders) {
  lapply(1:2, function(i)
    .in_order(.fixed_matrix(models[[i]]), .design_order(models[[i]], orders[[i]])))
}

.fixed_matrix <- function(model) if (is_nlme(model)) nlme_matrix(model) else model.matrix(model)

# The order of the rows of X and Z: a nonlinear model has a block of them for each parameter.
.design_order <- function(model, rows = NULL) {
  if (!isS4(model) || !lme4::isNLMM(model)) return(rows)
  n <- nrow(model@frame)
  if (is.null(rows)) rows <- seq_len(n)
  unlist(lapply(order(model@resp$pnames), function(block) (block - 1L) * n + rows))
}

#' Is every column of X0 in the space of X1?
within_space <- function(X0, X1) qr(X1)$rank == qr(cbind(X1, X0))$rank

.same_means <- function(models, orders) {
  X <- .fixed_matrices(models, orders)
  within_space(X[[1L]], X[[2L]]) && within_space(X[[2L]], X[[1L]])
}

# Is the first of two models nested in the second, and how many dimensions of the second's random
# effects are without variance under the first?
.tested <- function(models, orders = NULL) {
  if (is_structured(models[[2L]]) && !.same_random_part(models))
    return(list(nested = FALSE, boundary = NA, unknown = TRUE))
  parts <- lapply(1:2, function(i) random_parts(models[[i]], orders[[i]]))
  lost <- boundary_dimension(parts[[1L]], parts[[2L]])
  X <- .fixed_matrices(models, orders)
  nested <- !is.na(lost) && within_space(X[[1L]], X[[2L]]) &&
    .same_family(models[[1L]], models[[2L]]) && .same_structure(models[[1L]], models[[2L]]) &&
    .same_given(models, orders, X[[2L]])
  list(nested = nested, boundary = if (nested) lost else NA)
}

# What lies within the covariances of a structure (cs, ar1 ...) is known of the same random part
# alone; within unstructured ones lie all structures of the same coefficients.
.same_random_part <- function(models) {
  written <- function(m) if (isS4(m)) sort(vapply(written_bars(formula(m)), deparse1, ""))
  identical(written(models[[1L]]), written(models[[2L]]))
}

# Prior weights agree, and the offsets do up to what the larger model's coefficients can make up
# for.
.same_given <- function(models, orders, X) {
  if (isS4(models[[1L]]) && lme4::isNLMM(models[[1L]])) return(TRUE)
  if (any(vapply(models, is_nlme, NA))) # which have neither: an lm beside them must not
    return(!any(vapply(models, function(m) length(m$weights) || length(m$offset), NA)))
  known <- function(i, what) {
    m <- models[[i]]
    x <- if (what == "offset") { if (isS4(m)) getME(m, "offset") else m$offset }
    else if (isS4(m)) weights(m) else if (inherits(m, "glm")) m$prior.weights else m$weights
    x <- if (length(x)) unname(as.numeric(x)) else rep(as.numeric(what == "weights"), nrow(X))
    if (is.null(orders[[i]])) x else x[orders[[i]]]
  }
  change <- known(1L, "offset") - known(2L, "offset")
  left <- if (any(change != 0)) qr.resid(qr(X), change) else 0
  max(abs(left)) <= 1e-8 * max(abs(change), 1) &&
    isTRUE(all.equal(known(1L, "weights"), known(2L, "weights")))
}

.same_family <- function(m0, m1) {
  of <- function(m) if (is_nlme(m) || (isS4(m) && lme4::isLMM(m))) "gaussian identity"
  else if (isS4(m) && lme4::isNLMM(m)) nonlinear_text(m)
  else {
    f <- family(m)
    paste(sub("\\(.*", "", f$family), f$link)
  }
  of(m0) == of(m1)
}

# --- variances on the boundary --------------------------------------------------------------------

#' The random terms of a model as far as their covariance goes: V = sum of gamma_r Z E_r Z'.
random_parts <- function(model, order = NULL) {
  if (inherits(model, "lme")) return(.nlme_random_parts(model, order))
  if (!isS4(model)) return(list(terms = list(), n = length(stats::fitted(model))))
  .random_terms(getME(model, "Zt"), getME(model, "Gp"), model@cnms, .design_order(model, order))
}

.random_terms <- function(Zt, Gp, cnms, order = NULL) {
  if (!is.null(order)) Zt <- Zt[, order, drop = FALSE]
  list(n = ncol(Zt), terms = lapply(seq_along(cnms), function(t)
    list(Zt = Zt[(Gp[t] + 1L):Gp[t + 1L], , drop = FALSE], k = length(cnms[[t]]))))
}

#' Dimensions of the larger model's random effects that have no variance under the smaller one;
#' NA when the smaller model's covariances are not among the larger's.
#'
#' Every V of the smaller model must be a V of the larger: its matrices Z E_r Z' must lie in the
#' span of the larger's and I. That is asked of the quadratic forms v'Z E_r Z'w for enough random v
#' and w, so nothing n x n is made. The larger's covariance matrices that stand for the smaller
#' model (all of its own the identity) then tell by their rank what is on the boundary.
boundary_dimension <- function(small, large) {
  if (!length(large$terms)) return(if (length(small$terms)) NA else 0)
  dims <- vapply(large$terms, function(t) t$k, 0L)
  if (!length(small$terms)) return(sum(dims))
  size <- function(p) sum(vapply(p$terms, function(t) t$k * (t$k + 1) / 2, 0))
  m <- ceiling(sqrt(2 * (size(large) + size(small) + 10)))
  probes <- with_seed(1L, matrix(stats::rnorm(large$n * m), large$n))
  F1 <- .quadratic_forms(large, probes)
  F0 <- .quadratic_forms(small, probes)
  unit <- crossprod(probes)[upper.tri(diag(m), diag = TRUE)]
  basis <- qr(cbind(F1$forms, unit / sqrt(sum(unit^2))), tol = 1e-9)
  if (max(abs(qr.resid(basis, F0$forms))) > 1e-6) return(NA)
  target <- rowSums(F0$forms[, F0$diagonal, drop = FALSE])
  weights <- qr.coef(basis, target)[seq_along(F1$diagonal)]
  weights[is.na(weights)] <- 0
  .missing_rank(weights, dims)
}

# Values of v'Z E Z'w for all pairs of probes, one column an element of a term's covariance matrix.
# Coefficients are scaled to forms of length 1, so that their units do not matter.
.quadratic_forms <- function(parts, probes) {
  keep <- upper.tri(diag(ncol(probes)), diag = TRUE)
  forms <- list()
  diagonal <- logical()
  for (term in parts$terms) {
    u <- as.matrix(term$Zt %*% probes)
    rows <- lapply(seq_len(term$k), function(a) {
      r <- u[seq(a, nrow(u), by = term$k), , drop = FALSE]
      r / sum(crossprod(r)[keep]^2)^0.25
    })
    for (b in seq_len(term$k)) for (a in b:term$k) {
      cross <- crossprod(rows[[a]], rows[[b]])
      forms[[length(forms) + 1L]] <- (if (a == b) cross else cross + t(cross))[keep]
      diagonal[length(forms)] <- a == b
    }
  }
  list(forms = do.call(cbind, forms), diagonal = diagonal)
}

# How many dimensions the covariance matrices lack whose lower triangles `weights` holds.
.missing_rank <- function(weights, dims) {
  at <- 0L
  lost <- 0
  for (k in dims) {
    size <- k * (k + 1L) / 2L
    m <- matrix(0, k, k)
    m[lower.tri(m, diag = TRUE)] <- weights[at + seq_len(size)]
    m <- m + t(m) - diag(diag(m), k)
    lost <- lost + sum(eigen(m, symmetric = TRUE, only.values = TRUE)$values < 1e-6)
    at <- at + size
  }
  lost
}

# --- one likelihood-ratio test --------------------------------------------------------------------

#' Likelihood-ratio test of two models. As REML where both are and their means agree (an lm counts
#' as either), else by maximum likelihood.
lrt_models <- function(fits, names, boundary = "auto", orders = NULL, level = 0.05) {
  models <- lapply(fits, plain_model)
  .check_same_data(models, names, orders)
  .check_same_kind(models, names)
  size <- vapply(models, function(m) attr(logLik(m), "df"), 0)
  at <- order(size)
  models <- models[at]
  names <- names[at]
  orders <- orders[at]
  tested <- .tested(models, orders)
  if (!tested$nested)
    refuse("ComparisonError", names[1L],
           if (isTRUE(tested$unknown)) " is not known to be nested in " else
             " is not nested in ", names[2L], " (means, covariances, ",
           "family, prior weights and offset count): there is no likelihood-ratio test. anova() ",
           "gives their information criteria")
  reml <- vapply(models, is_reml, NA)
  if (anyNA(vapply(models, logLik, 0)))
    refuse("ComparisonError", "a quasi-family has no likelihood, so there is no likelihood-ratio ",
           "test. anova() gives an F test")
  by_reml <- reml[2L] && (reml[1L] || inherits(models[[1L]], "lm")) &&
    .same_means(models, orders)
  if (!by_reml) models[reml] <- lapply(models[reml], refitted_by_ml)
  lost <- switch(as.character(boundary), auto = tested$boundary, "TRUE" = 1, "FALSE" = NA)
  table <- .likelihood_table(models, names, by_reml)
  notes <- c(if (any(reml) && !by_reml) "refitted by maximum likelihood: the fixed effects differ",
             .boundary_note(lost, names[2L]))
  c(comparison_fields(table, c(NA, lost), level),
    list(notes = as.character(notes), refitted = any(reml) && !by_reml, reml = by_reml,
         printed = .with_notes(table, c(mixture_note(table, lost, level), notes))))
}

.likelihood_table <- function(models, names, by_reml) {
  ll <- lapply(models, function(m)
    if (inherits(m, "lm") && !inherits(m, "glm")) logLik(m, REML = by_reml) else logLik(m))
  npar <- vapply(ll, attr, 0, "df")
  values <- vapply(ll, as.numeric, 0)
  chisq <- c(NA, max(0, 2 * diff(values)))
  df <- c(NA, diff(npar))
  table <- data.frame(npar = npar, AIC = vapply(ll, AIC, 0), BIC = vapply(ll, BIC, 0),
                      logLik = values, deviance = -2 * values, Chisq = chisq, Df = df,
                      `Pr(>Chisq)` = ifelse(df == 0, NA, pchisq(chisq, df, lower.tail = FALSE)),
                      row.names = names, check.names = FALSE)
  formulas <- vapply(models, .formula_text, "")
  structure(table, class = c("anova", "data.frame"),
            heading = c(paste("Likelihood-ratio test by", if (by_reml) "REML" else
              "maximum likelihood"), "Models:", paste(names, formulas, sep = ": ")))
}
