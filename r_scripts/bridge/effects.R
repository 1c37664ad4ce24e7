# Fixed effects, random effects, variance components, and what is built from them.

#' The fixed effects, by name.
fixef_native <- function(fit, add_dropped = FALSE)
  if (add_dropped) coefs_with_dropped(fit$model) else coefs(fit$model)
fixef_result <- function(native, fit, add_dropped = FALSE)
  list(term = names(native), estimate = unname(native))

#' The variance components: VarCorr() of the class.
varcorr_native <- function(fit) UseMethod("varcorr_native", fit$model)
varcorr_native.default <- function(fit) refuse_class(fit, "VarCorr", "m.sigma is its residual SD")
varcorr_native.merMod <- function(fit) VarCorr(fit$model)

varcorr_result <- function(native, fit) UseMethod("varcorr_result", fit$model)
varcorr_result.merMod <- function(native, fit) {
  structures <- term_structures(fit$model)
  rows <- .varcorr_rows(native)
  list(
    grp = as.character(rows$grp), var1 = as.character(rows$var1), var2 = as.character(rows$var2),
    vcov = rows$vcov, sdcor = rows$sdcor,
    sigma = attr(native, "sc"), use_sigma = isTRUE(attr(native, "useSc")),
    matrices = lapply(seq_along(native), function(i)
      list(grp = names(native)[i], terms = colnames(native[[i]]),
           covariance = unname(matrix(native[[i]], nrow(native[[i]]))),
           structure = paste0(structures[[i]]$class, if (structures[[i]]$hom) "(hom=True)")))
  )
}

# The rows of as.data.frame(VarCorr(model)): per group variances, then covariances; the residual.
# Data frames bound together take ten times as long as the rest of a small summary, so they are made
# here where VarCorr is as lme4 1.1 has it.
.varcorr_rows <- function(x) {
  plain <- vapply(x, function(v) is.matrix(v) && is.numeric(attr(v, "stddev")) &&
                    is.matrix(attr(v, "correlation")), NA)
  if (!inherits(x, "VarCorr.merMod") || !all(plain)) return(as.data.frame(x))
  parts <- lapply(seq_along(x), function(i) {
    v <- x[[i]]
    below <- lower.tri(v)
    k <- nrow(v)
    list(grp = rep(names(x)[i], k + sum(below)),
         var1 = rownames(v)[c(seq_len(k), col(v)[below])],
         var2 = c(rep(NA_character_, k), rownames(v)[row(v)[below]]),
         vcov = c(diag(v), v[below]),
         sdcor = c(attr(v, "stddev"), attr(v, "correlation")[below]))
  })
  if (isTRUE(attr(x, "useSc"))) parts <- c(parts, list(list(
    grp = "Residual", var1 = NA_character_, var2 = NA_character_, vcov = attr(x, "sc")^2,
    sdcor = attr(x, "sc"))))
  together <- function(name) unlist(lapply(parts, `[[`, name), use.names = FALSE)
  list(grp = together("grp"), var1 = together("var1"), var2 = together("var2"),
       vcov = together("vcov"), sdcor = together("sdcor"))
}

#' Conditional modes with their variances: ranef(condVar = TRUE).
ranef_native <- function(fit, cond_var = TRUE) ranef(fit$model, condVar = cond_var)

ranef_result <- function(native, fit, cond_var = TRUE) {
  list(groups = lapply(names(native), function(grp) {
    modes <- native[[grp]]
    v <- if (cond_var) .conditional_covariance(fit$model, grp, modes)
    list(grpvar = grp, level = rownames(modes), term = colnames(modes),
         condval = unname(as.matrix(modes)),
         condsd = if (cond_var) matrix(vapply(seq_along(modes), function(j) sqrt(v[, j, j]),
                                              numeric(nrow(modes))), nrow(modes)),
         condcov = v)
  }))
}

# Levels by terms by terms. With several terms on one factor lme4 gives an array a term and nothing
# between the terms, which the data tie together all the same: sigma^2 Lambda (Lambda'Z'WZ Lambda +
# I)^-1 Lambda', as lme4's own condVar() has it (Bates et al. 2015, eq. 58).
.conditional_covariance <- function(model, grp, modes) {
  given <- attr(modes, "postVar")
  if (!is.list(given)) return(unname(aperm(given, c(3L, 1L, 2L))))
  terms <- which(names(model@flist)[attr(model@flist, "assign")] == grp)
  sizes <- lengths(model@cnms)[terms]
  levels <- seq_len(nrow(modes))
  rows <- do.call(cbind, lapply(seq_along(terms), function(i)
    outer((levels - 1L) * sizes[i], getME(model, "Gp")[terms[i]] + seq_len(sizes[i]), `+`)))
  Lambdat <- getME(model, "Lambdat")[, as.vector(rows), drop = FALSE]
  solved <- solve(getME(model, "L"), Lambdat, system = "A")
  k <- ncol(rows)
  of <- function(j) (j - 1L) * length(levels) + levels
  out <- array(0, c(length(levels), k, k))
  for (i in seq_len(k)) for (j in seq_len(i)) {
    out[, i, j] <- out[, j, i] <- sigma(model)^2 *
      Matrix::colSums(Lambdat[, of(i), drop = FALSE] * solved[, of(j), drop = FALSE])
  }
  out
}

#' The coefficients: by group, of mixed models.
coef_native <- function(fit) UseMethod("coef_native", fit$model)
coef_native.merMod <- function(fit) coefficients_by_group(fit$model)
coef_result <- function(native, fit) UseMethod("coef_result", fit$model)
coef_result.merMod <- function(native, fit) {
  list(groups = lapply(names(native), function(grp)
    list(grpvar = grp, level = rownames(native[[grp]]), term = colnames(native[[grp]]),
         values = unname(as.matrix(native[[grp]])))))
}

#' The covariance of the estimates; a method of degrees of freedom must be one of the class.
vcov_native <- function(fit, ...) UseMethod("vcov_native", fit$model)
vcov_native.default <- function(fit, ddf = NULL) {
  if (!is.null(ddf)) checked_ddf(fit, ddf)
  if (identical(ddf, "Kenward-Roger")) kenward_roger_vcov(fit) else vcov(fit$model)
}
vcov_result <- function(native, fit, ...) {
  list(term = colnames(native) %||% names(coefs(fit$model)), values = unname(as.matrix(native)))
}

#' The joint covariance matrix of (b-hat - b, beta-hat), the conditional modes first, as lme4 2
#' names them. Its own vcov(full = TRUE) leaves the factor's permutation out, which crossed factors
#' have.
full_vcov_native <- function(fit) UseMethod("full_vcov_native", fit$model)
full_vcov_native.default <- function(fit)
  refuse_class(fit, "vcov(full=True)", "It is of a mixed model's random effects, too: ask m.vcov()")
full_vcov_native.merMod <- function(fit) {
  model <- fit$model
  need_linear_predictor(fit, "The joint covariance", "m.vcov() is that of the fixed effects")
  .need_memory_of_full(model)
  part <- getME(model, c("L", "Lambdat", "RX", "RZX"))
  modes <- as.matrix(solve(part$L, solve(part$L, part$Lambdat, system = "P"), system = "L"))
  means <- t(as.matrix(part$RX))
  inverse <- rbind(
    cbind(modes, matrix(0, nrow(modes), ncol(means))),
    cbind(-forwardsolve(means, as.matrix(crossprod(part$RZX, modes))),
          forwardsolve(means, diag(ncol(means)))))
  names <- c(.named_modes(model), names(fixef(model)))
  stats::sigma(model)^2 * `dimnames<-`(crossprod(inverse), list(names, names))
}
full_vcov_result <- function(native, fit) list(term = colnames(native), values = unname(native))

# Columns of Z: "Subject.308.Days".
.named_modes <- function(model) {
  one <- function(coefs, grp, at) c(outer(coefs, levels(model@flist[[at]]),
                                          function(coef, level) paste(grp, level, coef, sep = ".")))
  unlist(Map(one, model@cnms, names(model@cnms), attr(model@flist, "assign")), use.names = FALSE)
}

.need_memory_of_full <- function(model, available = available_memory()) {
  size <- nrow(getME(model, "Lambdat")) + length(fixef(model))
  needed <- 5 * 8 * size^2 # the factor, its inverse, their product, and what crosses to Python
  if (needed > available)
    refuse("NotSupportedError", "the joint covariance of ", size, " effects would ",
"need about ", in_gb(needed), " of memory; ", in_gb(available), " are free. predict(interval=) ",
"gives the standard errors of single rows")
}

#' pbkrtest's adjusted covariance of the fixed effects, computed once for each engine.
kenward_roger_vcov <- function(fit) {
  .need_reml(fit)
  if (uses_exact(fit)) return(exact_object(fit, "vcovAdj"))
  kept(fit, "vcovAdj", {
    check_kenward_roger_memory(fit)
    .warn_of_weights(fit$model)
    pbkrtest::vcovAdj(plain_model(fit))
  })
}

# pbkrtest 0.5.2 takes the covariance of the fixed effects from the weighted fit, but leaves the
# weights out of the matrices that it differentiates; sleepstudy's df become a third too large.
.warn_of_weights <- function(model) {
  w <- stats::weights(model)
  if (any(w != 1)) warning(
    "pbkrtest ignores prior weights where it differentiates the covariance matrix: its adjusted ",
    "covariance and degrees of freedom are R's, but not the method's. engine='exact' takes the ",
    "weights into account", call. = FALSE)
}

#' The design matrix of the fixed part, or of the random one.
model_matrix_native <- function(fit, type = "fixed") {
  model <- fit$model
  if (isS4(model)) return(model.matrix(model, type = type))
  if (type == "random") refuse_class(fit, "A model matrix of random effects")
  if (inherits(model, "lm")) return(model.matrix(model))
  model.matrix(terms(model), nlme_frame(model), contrasts.arg = lapply(model$contrasts, identity))
}
model_matrix_result <- function(native, fit, type = "fixed") {
  list(term = colnames(native), values = unname(as.matrix(native)))
}

#' Fitted values, a number each row that was used.
fitted_values <- function(fit, ...) unname(as.numeric(fitted(fit$model, ...)))

#' Residuals of a type, a number each row that was used.
residual_values <- function(fit, ...) UseMethod("residual_values", fit$model)
residual_values.merMod <- function(fit, type) {
  if (type == "scaled") return(unname(residuals(fit$model, type = "pearson", scaled = TRUE)))
  unname(residuals(fit$model, type = type))
}
