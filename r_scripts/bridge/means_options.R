# What may be asked of emmeans beyond the means themselves: how the grid is made, on which scale and
# against what the answers are tested, and which contrasts are taken.

# --- the grid -------------------------------------------------------------------------------------

#' Arguments of ref_grid() that change which rows the grid has.
grid_options <- function(fit, options) {
  out <- list()
  if (!is.null(options$cov_reduce)) out$cov.reduce <- .reducing(fit, options$cov_reduce)
  if (!is.null(options$cov_keep))
    out$cov.keep <- .predictors_named(fit, options$cov_keep, "cov_keep")
  if (!is.null(options$nesting)) out["nesting"] <- list(.checked_nesting(fit, options$nesting))
  if (length(options$counterfactuals))
    out$counterfactuals <- .predictors_named(fit, options$counterfactuals, "counterfactuals")
  if (length(options$nuisance)) out$nuisance <- .predictors_named(fit, options$nuisance, "nuisance")
  if (!is.null(options$vcov)) {
    terms <- names(coefs(fit$model))
    out$vcov. <- matrix(options$vcov, length(terms), dimnames = list(terms, terms))
  }
  out
}

.reductions <- list(mean = mean, median = stats::median, range = range, min = min, max = max,
                    meanint = function(x) emmeans::meanint(x), values = function(x) sort(unique(x)))

# A word, or by covariate a word or a formula "x ~ g": its mean given the others.
.reducing <- function(fit, how) {
  one <- function(h)
    if (grepl("~", h, fixed = TRUE)) eval(parse_formula(h), baseenv()) else .reductions[[h]]
  if (is.list(how)) {
    .predictors_named(fit, names(how), "cov_reduce")
    return(lapply(how, one))
  }
  # As FALSE, emmeans counts such values as it counts levels; above 99 it would take the mean.
  few <- function(x) !is.numeric(x) || length(unique(x)) < 100L
  if (how == "values" && all(vapply(used_frame(fit$model), few, NA))) FALSE else one(how)
}

# emmeans does without a word what it does not find.
.predictors_named <- function(fit, names, argument) {
  known <- .names_in(list(delete.response(terms(fit$model))))
  unknown <- setdiff(names, known)
  if (length(unknown))
    refuse("ArgumentError", argument, ": '", unknown[1L], "' is no predictor of this model.",
           near_terms(unknown[1L], known), " There are: ", paste(known, collapse = ", "))
  names
}

.checked_nesting <- function(fit, nesting) {
  if (isFALSE(nesting)) return(NULL)
  .predictors_named(fit, c(names(nesting), unlist(nesting)), "nesting")
  lapply(nesting, as.character)
}

#' Means of a smaller model, as emmeans projects them: "minimal", "type2", or a formula.
submodel_of <- function(fit, submodel, contrast) {
  if (submodel == "minimal") return(submodel)
  if (submodel == "type2") {
    if (is.null(contrast))
      refuse("ArgumentError",
             "submodel='type2' leaves the intercept out, so only contrasts of its means are ",
             "meaningful: give contrast=, or submodel='minimal'")
    return(submodel)
  }
  formula <- parse_formula(submodel)
  .predictors_named(fit, all.vars(formula), "submodel")
  formula
}

#' The grid on another scale before anything is averaged: emmeans' regrid().
regridded <- function(grid, fit, options) {
  if (is.null(options$regrid)) return(grid)
  args <- c(list(object = grid, transform = options$regrid), .bias(fit, options))
  do.call(emmeans::regrid, args)
}

# n different values determine a polynomial of degree n - 1; emmeans takes any, until memory ends.
.possible_degree <- function(fit, var, degree) {
  name <- .variables_in(var, names(used_frame(fit$model)))[1L]
  x <- model_data(fit)[[name]]
  n <- if (is.null(x)) nobs(fit$model) else length(unique(x[!is.na(x)]))
  if (!is.null(degree) && degree >= n)
    refuse("ArgumentError", "max_degree=", format(degree, scientific = FALSE), ": '", name,
           "' has ", n, " different values, which no polynomial above degree ", n - 1, " needs")
}

# --- scale and null hypothesis --------------------------------------------------------------------

#' Arguments of update() for an emmGrid: what summary() then does with it.
summary_options <- function(fit, options) {
  out <- list()
  for (name in c("adjust", "level", "null", "delta", "side"))
    if (!is.null(options[[name]])) out[[name]] <- options[[name]]
  if (!is.null(options$type)) out$predict.type <- options$type
  if (!is.null(options$infer)) out$infer <- as.logical(options$infer)
  if (is.null(options$regrid)) out <- c(out, .bias(fit, options)) # which is adjusted there
  out
}

#' The transformation that the response is said to have had.
with_transformation <- function(means, options) {
  if (is.null(options$tran)) return(means)
  tran <- options$tran
  if (length(tran$parameters))
    tran <- tryCatch(
      emmeans::make.tran(tran$name, param = as.numeric(tran$parameters)),
      error = function(e) refuse("ArgumentError", "tran: emmeans says: ", conditionMessage(e)))
  else tran <- tran$name
  means <- update(means, tran = tran)
  means@misc[c("tran.mult", "tran.offset", "inv.lbl", "tran2")] <- NULL
  means@misc$inv.lbl <- "response"
  means
}

# E f(eta + e) is not f(E eta): emmeans adds f''(eta) sigma^2 / 2.
.bias <- function(fit, options) {
  if (!isTRUE(options$bias_adjust)) return(NULL)
  if (identical(options$sigma, "own")) { # type="marginal": all that varies around the fixed part
    mixed <- isS4(fit$model) || inherits(fit$model, "lme")
    if (!mixed && inherits(fit$model, "glm")) return(NULL)
    options$sigma <- if (mixed) "total" else "residual"
  }
  list(bias.adjust = TRUE, sigma = standard_deviation(fit, options$sigma, .default_bias_sigma))
}

# Without a word emmeans takes the residual SD of a linear mixed model, where the groups vary, too;
# of a generalized one it takes sigma(), which is 1 and means nothing.
.default_bias_sigma <- function(model) {
  if (inherits(model, "glm") || (isS4(model) && !lme4::isLMM(model)))
    refuse("ArgumentError", "bias_adjust: there is no sigma that goes without saying for a ",
           kind_of(model),
           "; emmeans takes 1. Give sigma=: 'total', the SD of the random effects on ",
           "the link's scale, or a number")
  if (isS4(model) || inherits(model, "lme"))
    advise("bias_adjust: sigma is the residual SD, as emmeans takes it, so the means are of ",
           "groups whose ",
           "random effects are zero. Means over all groups need sigma='total'; say ",
           "sigma='residual' ",
           "where this is meant")
  sigma(model)
}

#' A standard deviation: a number, "residual", or "total": of a response around the fixed part,
#' averaged over the rows. Of a generalized model that is the random effects' on the scale of the
#' link.
standard_deviation <- function(fit, sigma, default) {
  model <- fit$model
  if (is.null(sigma)) return(default(model))
  if (is.numeric(sigma)) return(sigma)
  generalized <- inherits(model, "glm") || (isS4(model) && !lme4::isLMM(model))
  if (sigma == "residual") {
    if (generalized)
      refuse("ArgumentError", "sigma='residual': a ", kind_of(model),
             " has no residual SD on the scale ",
             "of its link. Give 'total' (the random effects') or a number")
    return(stats::sigma(model))
  }
  if (!isS4(model) && !inherits(model, "lme"))
    refuse("ArgumentError",
           "sigma='total' adds the random effects' variance to the residual one; a ",
           kind_of(model), " has none: leave sigma out, or give a number")
  sqrt(mean(.random_variance(model)) + if (generalized) 0 else stats::sigma(model)^2)
}

# Variance of the random effects in every row.
.random_variance <- function(model) UseMethod(".random_variance")
.random_variance.merMod <- function(model) {
  root <- getME(model, "Lambdat") %*% getME(model, "Zt")
  stats::sigma(model)^2 * Matrix::colSums(root^2)
}
.random_variance.lme <- function(model) {
  z <- stats::model.matrix(model$modelStruct$reStruct, nlme_frame(model))
  d <- as.matrix(model$modelStruct$reStruct)
  of <- attr(z, "ncols")
  ends <- cumsum(of)[seq_along(d)]
  per_group <- lapply(seq_along(d), function(i) {
    part <- z[, seq.int(ends[i] - of[i] + 1L, ends[i]), drop = FALSE]
    rowSums((part %*% d[[i]]) * part)
  })
  stats::sigma(model)^2 * Reduce(`+`, per_group)
}

# --- contrasts ------------------------------------------------------------------------------------

#' Contrasts of means: a family, one's own weights, or a family for each factor.
contrasted <- function(means, contrast, options) {
  if (is.list(contrast)) contrast <- .weights_of(means, contrast)
  else .known_families(contrast)
  args <- list(object = means)
  if (isTRUE(options$interaction)) args$interaction <- contrast else args$method <- contrast
  if (!is.null(options$ref)) args$ref <- .checked_ref(means, options$ref)
  if (!is.null(options$simple)) args$simple <- .checked_simple(means, options$simple)
  args <- c(args, .family_options(contrast, options$contrast_options, means))
  # Ratios are for logs; of an inverse given as functions emmeans would ask its name for that.
  if (is.list(means@misc$tran) && is.null(args$ratios)) args$ratios <- FALSE
  do.call(emmeans::contrast, args)
}

.family <- function(name) get0(paste0(name, ".emmc"), asNamespace("emmeans"), mode = "function")

.known_families <- function(names) {
  for (name in names)
    if (is.null(.family(name)))
      refuse("NotSupportedError", "contrast='", name, "' is not known to the installed emmeans (",
             format(utils::packageVersion("emmeans")),
             "); give its weights, or use a newer emmeans")
}

# Options of the family itself (reverse, exclude, max.degree ...) and of contrast().
.family_options <- function(contrast, given, means) {
  if (!length(given)) return(NULL)
  own <- if (is.character(contrast))
    unlist(lapply(contrast, function(n) names(formals(.family(n)))))
  known <- setdiff(c(own, "ratios", "scale", "offset", "name", "enhance.levels"), c("levs", "..."))
  names(given) <- gsub("_", ".", names(given), fixed = TRUE)
  unknown <- setdiff(names(given), known)
  if (length(unknown))
    refuse("ArgumentError", "contrast_options: ",
           if (is.character(contrast)) paste0("'", contrast[1L], "'"),
           " has no option '", unknown[1L], "'. There are: ", paste(known, collapse = ", "))
  for (name in intersect(c("exclude", "include", "ref"), names(given)))
    given[[name]] <- .checked_ref(means, given[[name]], name)
  if ("wts" %in% names(given) && length(given$wts) != length(.mean_labels(means)))
    refuse("ArgumentError", "contrast_options: wts has ", length(given$wts), " numbers for ",
           length(.mean_labels(means)), " means: ", paste(.mean_labels(means), collapse = ", "))
  given
}

# Weights in the means' order, or by the means' names.
.weights_of <- function(means, contrast) {
  labels <- .mean_labels(means)
  lapply(stats::setNames(names(contrast), names(contrast)), function(name) {
    given <- contrast[[name]]
    if (is.list(given)) {
      unknown <- setdiff(names(given), labels)
      if (length(unknown))
        refuse("ArgumentError", "contrast '", name, "': there is no mean '", unknown[1L],
               "'. There are: ",
               paste(labels, collapse = ", "))
      by_name <- stats::setNames(numeric(length(labels)), labels)
      by_name[names(given)] <- as.numeric(unlist(given))
      return(unname(by_name))
    }
    if (length(given) != length(labels))
      refuse("ArgumentError", "contrast '", name, "' has ", length(given), " coefficients for ",
             length(labels), " means: ", paste(labels, collapse = ", "))
    as.numeric(given)
  })
}

# Numbers of means, by number or name: emmeans itself does not know levels such as "2" by name.
.checked_ref <- function(means, ref, argument = "ref") {
  labels <- .mean_labels(means)
  at <- if (is.character(ref)) match(ref, labels) else as.integer(ref)
  wrong <- which(!at %in% seq_along(labels))
  if (length(wrong))
    refuse("ArgumentError", argument, ": there is no mean ", ref[wrong[1L]], ". It is one of 1 to ",
           length(labels), ". There are: ", paste(sQuote(labels, FALSE), collapse = ", "))
  at
}

# For a name that it does not know emmeans compares nothing with nothing.
.checked_simple <- function(means, simple) {
  unknown <- setdiff(simple, names(means@levels))
  if (length(unknown))
    refuse("ArgumentError", "simple: '", unknown[1L],
           "' is none of the means' factors. There are: ",
           paste(names(means@levels), collapse = ", "))
  simple
}

# What contrasts compare, within the first of the `by` groups.
.mean_labels <- function(means) {
  by <- means@misc$by.vars
  block <- if (length(by)) interaction(means@grid[by], drop = TRUE) else rep(1L, nrow(means@grid))
  rows <- which(block == block[1L])
  do.call(paste, c(unname(means@grid[rows, setdiff(means@misc$pri.vars, by), drop = FALSE]),
                   sep = " "))
}

# --- standardized effects -------------------------------------------------------------------------

#' Standardized effects: emmeans' eff_size().
eff_size_native <- function(fit, specs, by = NULL, at = NULL, contrast = "pairwise", sigma = NULL,
                            edf = NULL, options = list(), ddf = NULL) {
  means <- means_of(fit, specs, by, at, options, ddf)
  sigma <- standard_deviation(fit, sigma, .effect_sigma)
  edf <- if (is.null(edf)) .effect_edf(fit$model) else edf
  if (is.list(contrast)) contrast <- .weights_of(means, contrast) else .known_families(contrast)
  args <- list(object = means, sigma = sigma, edf = edf, method = contrast)
  if (!is.null(options$ref)) args$ref <- .checked_ref(means, options$ref)
  args <- c(args, .family_options(contrast, options$contrast_options, means))
  effects <- suppressWarnings(do.call(emmeans::eff_size, args)) # of a sigma for a logged response
  found <- summary_options(fit, options)
  if (length(found)) do.call(update, c(list(object = effects), found)) else effects
}
eff_size_result <- function(native, fit, ..., ddf = NULL) {
  grid_result(native, "estimate", ddf_of_means(fit, ddf))
}

.effect_sigma <- function(model) {
  if (inherits(model, "lm") && !inherits(model, "glm")) return(sigma(model))
  refuse("ArgumentError", "effect sizes are differences over an SD, and a ", kind_of(model),
         " leaves a ",
         "choice. Give sigma=: 'residual' (between rows of a group), 'total' (between rows of the ",
         "population, which Cohen's d mostly means), or a number")
}

.effect_edf <- function(model) {
  if (inherits(model, "lm")) return(model$df.residual)
  refuse("ArgumentError", "edf=, the degrees of freedom behind sigma, widens the intervals by the ",
         "uncertainty of sigma. Of a mixed model take the smallest df of the means ",
           "(m.emmeans(...).df), ",
         "which is careful, or float('inf') for a sigma that is known")
}
