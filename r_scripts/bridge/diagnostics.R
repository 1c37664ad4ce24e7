# Leverage, influence, dimensions of the random effects, collinearity, and performance's checks.

#' Leverages: hatvalues() of the class.
hat_values <- function(fit) UseMethod("hat_values", fit$model)
hat_values.default <- function(fit)
  refuse_class(fit, "The hat matrix",
               "Fit it by pymlm.lmer or pymlm.lm, where it has no correlation")
hat_values.lm <- function(fit) unname(hatvalues(fit$model))
hat_values.merMod <- function(fit) {
  need_linear_predictor(fit, "The hat matrix", "m.residuals() and m.qq_data() are there")
  if (!length(fixef(fit$model))) return(.hat_of_random_effects(fit$model))
  .unpadded(fit, hatvalues(fit$model))
}

# hatvalues() of lme4 without its second half, that of the fixed effects, for which it has no case.
.hat_of_random_effects <- function(model) {
  L <- getME(model, "L")
  right <- getME(model, "Lambdat") %*% getME(model, "Zt") %*%
    Matrix::Diagonal(x = sqrt(weights(model, type = "prior")))
  unname(Matrix::colSums(solve(L, solve(L, right, system = "P"), system = "L")^2))
}

#' Cook's distances: cooks.distance() of the class.
cooks_distances <- function(fit) UseMethod("cooks_distances", fit$model)
cooks_distances.default <- hat_values.default
cooks_distances.lm <- function(fit) {
  need_fixed_effects(fit, "Cook's distance")
  unname(cooks.distance(fit$model))
}
cooks_distances.merMod <- function(fit) {
  need_linear_predictor(fit, "Cook's distance", "m.residuals() and m.qq_data() are there")
  need_fixed_effects(fit, "Cook's distance")
  .unpadded(fit, cooks.distance(fit$model))
}

# One value a row used; where na.action is na.exclude R pads with NA.
.unpadded <- function(fit, values) {
  frame <- used_frame(fit$model)
  values <- unname(values)
  if (length(values) > nrow(frame)) values[-attr(frame, "na.action")] else values
}

# nlme's random effects, a coefficient of a grouping factor at a time; other classes have none.
.modes_one_by_one <- function(fit) {
  if (!inherits(fit$model, "lme")) refuse_class(fit, "A plot of random effects")
  unlist(lapply(modes_by_group(fit), function(g) lapply(seq_along(g$term), function(j)
    list(group = g$grpvar, term = g$term[j], level = g$level, value = g$condval[, j]))),
    recursive = FALSE)
}

# --- influence by deletion ----------------------------------------------------------------------

# influence() refits by update(), which looks for the data in several places; here they are handed
# over, the used rows only, and the refits run one after the other.
influence_native <- function(fit, ...) UseMethod("influence_native", fit$model)
influence_native.default <- function(fit, ...)
  refuse_class(fit, "influence by deletion", "Refit without the rows: m.update(data=...)")
influence_native.lm <- function(fit, groups = NULL) {
  if (length(groups))
    refuse("NotSupportedError", "R leaves single rows out of a ", kind_of(fit$model),
           ", not groups. ",
           "Refit without a group: m.update(data=...)")
  need_fixed_effects(fit, "influence by deletion")
  influence(fit$model)
}
influence_native.merMod <- function(fit, groups = NULL) {
  need_linear_predictor(fit, "influence", "Refit without the rows: m.update(data=...)")
  need_fixed_effects(fit, "influence by deletion")
  data <- model_data(fit)
  if (is.null(data))
    refuse("DataError",
           "influence refits the model without some of its rows, and its data did not ",
           "come with it. Fit it anew from the data.")
  dropped <- attr(fit$model@frame, "na.action")
  if (length(dropped) && nrow(data) > nrow(fit$model@frame)) data <- data[-dropped, , drop = FALSE]
  # Combined grouping factors, such as a:b, are the model's own.
  known <- c(data, fit$model@flist[setdiff(names(fit$model@flist), names(data))])
  unknown <- setdiff(groups, names(known))
  if (length(unknown))
    refuse("DataError", "groups: '", unknown[1L], "' is no column of the model's data.",
           near_terms(unknown[1L], names(known)), " There are: ",
           paste(names(known), collapse = ", "))
  model <- apart(fit$model)
  # update() inside of influence() does not see what the call names beside the data.
  coding <- model@call$contrasts
  if (!is.null(coding)) model@call$contrasts <- eval(coding, model_home(fit$model))
  args <- c(list(model = model, data = data), influence_alone())
  # One column of text, apart from the model's own, whose kind must stay; lme4 1.1-31 pastes whole
  # rows where it is given several columns.
  if (length(groups)) {
    args$groups <- "pymlm_left_out"
    args$data$pymlm_left_out <- do.call(paste, c(lapply(known[groups], as.character), sep = "."))
  }
  .without_recycling(withCallingHandlers(
    tryCatch(do.call(influence, args), error = function(e) {
      refuse("DataError", "leaving out one ",
             if (length(groups)) paste("level of", .crossed(groups)) else
        "row", " leaves data that the model cannot be fitted to (R: ", conditionMessage(e), ")")
    }), warning = function(w) {
      if (grepl("number of columns of result", conditionMessage(w), fixed = TRUE))
        tryInvokeRestart("muffleWarning")
    }))
}

# A refit that loses a coefficient for rank deficiency has fewer numbers, and lme4's rbind() fills
# its row with the first of them again: here they stand under their own names, the lost one is NA.
.without_recycling <- function(native) {
  terms <- names(native[["fixed.effects"]])
  fewer <- which(vapply(native[[6L]], nrow, 0L) < length(terms))
  for (i in fewer) {
    found <- rownames(native[[6L]][[i]])
    native[[2L]][i, ] <- replace(rep(NA_real_, length(terms)), match(found, terms),
                                 native[[2L]][i, seq_along(found)])
    native[[6L]][[i]] <- native[[6L]][[i]][match(terms, found), match(terms, found), drop = FALSE]
  }
  if (length(fewer))
    warning("without ", paste(sQuote(native$deleted[fewer], FALSE), collapse = ", "),
            " the other rows do not determine every fixed effect: missing there", call. = FALSE)
  native
}

.crossed <- function(groups) paste(groups, collapse = ".")

influence_result <- function(native, fit, groups = NULL) UseMethod("influence_result", fit$model)
# R's own formulas, which refit nothing: dfbeta is the estimate less that without the row.
influence_result.lm <- function(native, fit, groups = NULL) {
  model <- fit$model
  b <- coefs(model)
  change <- dfbeta(model, infl = native)[, names(b), drop = FALSE]
  n <- nrow(change)
  sigma <- matrix(native$sigma, n, 1L)
  list(
    groups = "case", level = row.names(model.frame(model)), term = names(b),
    cooks_distance = unname(cooks.distance(model, infl = native)),
    coefficients = unname(sweep(-change, 2L, b, "+")), dfbeta = unname(change),
    dfbetas = unname(dfbetas(model, infl = native)[, names(b), drop = FALSE]),
    component = "sigma", components = unname(sigma),
    component_change = unname(sigma - summary(model)$sigma^(!inherits(model, "glm"))),
    converged = rep(TRUE, n), evaluations = rep(0L, n)
  )
}
influence_result.merMod <- function(native, fit, groups = NULL) {
  at <- match("deleted", names(native))
  fixed <- native[[2L]]
  beta <- native[["fixed.effects"]]
  parts <- native[[4L]]
  change <- sweep(fixed, 2L, beta)
  se <- do.call(rbind, lapply(native[[6L]], function(v) sqrt(diag(as.matrix(v)))))
  list(
    groups = if (length(groups)) .crossed(groups) else "case",
    level = as.character(native[[at]]), term = names(beta),
    cooks_distance = unname(cooks.distance(native)),
    coefficients = unname(fixed), dfbeta = unname(change), dfbetas = unname(change / se),
    component = colnames(parts), components = unname(parts),
    component_change = unname(sweep(parts, 2L, native[["var.cov.comps"]])),
    converged = unname(native$converged), evaluations = as.integer(unname(native$function.evals))
  )
}

# --- random effects -----------------------------------------------------------------------------

#' Principal components of the random effects: lme4's rePCA().
re_pca_native <- function(fit) UseMethod("re_pca_native", fit$model)
re_pca_native.default <- function(fit) refuse_class(fit, "rePCA", "It is of lme4's random effects")
re_pca_native.merMod <- function(fit) lme4::rePCA(fit$model)

re_pca_result <- function(native, fit) {
  cnms <- fit$model@cnms
  list(groups = lapply(names(native), function(g) {
    variance <- native[[g]]$sdev^2
    share <- if (sum(variance) > 0) variance / sum(variance) else rep(NA_real_, length(variance))
    list(grpvar = g, term = unlist(cnms[names(cnms) == g], use.names = FALSE),
         std_dev = native[[g]]$sdev, proportion = share,
         cumulative = cumsum(share), rotation = unname(as.matrix(native[[g]]$rotation)))
  }))
}

#' Sample and normal quantiles, by qqnorm's plotting positions, of residuals or random effects.
qq_points <- function(fit, what, type = "pearson") {
  if (what == "residuals") {
    r <- .unpadded(fit, residual_values(fit, type = type))
    return(list(.qq("Residual", "", row.names(used_frame(fit$model)), r, NULL)))
  }
  if (!isS4(fit$model)) return(lapply(.modes_one_by_one(fit), function(m)
    .qq(m$group, m$term, m$level, m$value, NULL)))
  modes <- as.data.frame(ranef(fit$model, condVar = TRUE))
  blocks <- unique(modes[c("grpvar", "term")])
  lapply(seq_len(nrow(blocks)), function(i) {
    mine <- modes[modes$grpvar == blocks$grpvar[i] & modes$term == blocks$term[i], ]
    .qq(blocks$grpvar[i], as.character(blocks$term[i]), as.character(mine$grp), mine$condval,
        mine$condsd)
  })
}

.qq <- function(group, term, label, sample, sd) {
  theoretical <- qnorm(ppoints(length(sample)))[order(order(sample))]
  list(grpvar = group, term = term, label = label, sample = unname(sample),
       theoretical = theoretical, std_error = sd)
}

# --- fixed effects ------------------------------------------------------------------------------

# Generalized variance inflation factors: Fox & Monette 1992, doi:10.1080/01621459.1992.10475190,
# from the correlation of the fixed effects' estimates, as car::vif does.
vif_values <- function(fit) {
  need_linear_predictor(fit, "Variance inflation", "m.vcov() shows how the parameters depend")
  model <- fit$model
  v <- coefs_vcov(model)
  columns <- design(model) # without those that were dropped for rank deficiency
  terms <- columns$terms
  keep <- columns$assign > 0L
  assign <- columns$assign[keep]
  if (length(unique(assign)) < 2L)
    refuse("NotSupportedError", "variance inflation needs two terms or more; the model has ",
           length(unique(assign)))
  r <- cov2cor(v[keep, keep, drop = FALSE])
  present <- sort(unique(assign))
  det_all <- det(r)
  gvif <- vapply(present, function(t) {
    mine <- assign == t
    det(r[mine, mine, drop = FALSE]) * det(r[!mine, !mine, drop = FALSE]) / det_all
  }, 0)
  df <- as.numeric(table(factor(assign, present)))
  list(term = terms[present], vif = gvif, df = df, scaled_vif = gvif^(1 / (2 * df)))
}

# --- performance's checks -----------------------------------------------------------------------

# How performance and R say that another package is needed.
.lacking_package <- "(?:Package `|there is no package called .)([A-Za-z0-9.]+)(?:` required|.$)"

#' One of performance's checks of assumptions.
check_native <- function(fit, what, seed = 1L) {
  .need_checkable(fit, what)
  if (what == "heteroscedasticity") return(.score_test(fit))
  need_package("performance", "this check")
  check <- switch(what,
    normality = performance::check_normality,
    random_effects = function(m) performance::check_normality(m, effects = "random"),
    homogeneity = performance::check_homogeneity,
    autocorrelation = performance::check_autocorrelation,
    overdispersion = performance::check_overdispersion,
    zero_inflation = performance::check_zeroinflation,
    outliers = performance::check_outliers
  )
  said <- character()
  found <- tryCatch(
    withCallingHandlers(
      with_seed(seed, check(without_dropped(apart(fit$model)))),
      message = function(m) said <<- c(said, conditionMessage(m))),
    error = function(e) {
      said <<- c(said, conditionMessage(e))
      NULL
    })
  lacking <- regmatches(said, regexec(.lacking_package, said, perl = TRUE))
  for (hit in lacking) if (length(hit)) need_package(hit[2L], "this check of performance's")
  if (is.null(found))
    refuse("NotSupportedError", "performance has no check of ", gsub("_", " ", what),
           " for this model",
           switch(what,
             homogeneity = paste(
               ": it compares the variances of the groups that categorical predictors",
                                 "make, and needs two rows in each. Ask for 'heteroscedasticity'"),
             overdispersion = , zero_inflation = paste(
               ": it is of counts, of family poisson or negative binomial, or binomial ",
                "with several",
               "trials a row"),
             ". m.qq_data() and mlm.plot.check(m) show more"))
  found
}

# What performance stops at in words of R's, or answers with another check's numbers: it takes the
# random effects of an lm for its residuals, and of an lme finds no outliers by no method.
.need_checkable <- function(fit, what) {
  model <- fit$model
  nlme <- inherits(model, c("lme", "gls"))
  no <- function(...) refuse("NotSupportedError", ...)
  linear <- !inherits(model, "glm") && (!isS4(model) || is_lmm(model))
  if (what == "random_effects" && (inherits(model, c("lm", "gls"))))
    no("this model has no random effects",
       if (!nlme && linear) "; check 'normality' is of its residuals")
  if (nlme && what %in% c("normality", "random_effects", "outliers", "homogeneity") ||
      inherits(model, "gls") && what == "autocorrelation")
    no("performance has no check of ", gsub("_", " ", what),
       " for models of nlme: m.qq_data() and ",
       "mlm.plot.check(m) show the quantiles", if (what == "homogeneity")
         ", and check 'heteroscedasticity' tests the variance against fitted values")
  if (is_nlmm(model) && what != "random_effects")
    no("performance checks linear predictors, which a nonlinear model has not: ",
     "mlm.plot.check(m) draws ",
       "its residuals, check 'random_effects' is of the random ones")
  if (what == "normality" && !linear)
    no("residuals of a generalized model are not normal by design; ",
     "check 'random_effects' is of those, ",
       "check 'overdispersion' of counts")
}

# performance 0.10 takes -2 log L for a mixed model's residual sum of squares here, and finds any
# model heteroscedastic. Score test of variance against fitted values: Breusch & Pagan 1979,
# doi:10.2307/1911963; Cook & Weisberg 1983, doi:10.1093/biomet/70.1.1.
.score_test <- function(fit) {
  if (inherits(fit$model, "glm") || isS4(fit$model) && !is_lmm(fit$model))
    refuse("NotSupportedError", "the variance of a generalized model follows its mean by design; ",
           "check 'overdispersion' instead")
  r <- .unpadded(fit, as.numeric(residuals(fit$model, type = "pearson")))
  fitted <- .unpadded(fit, as.numeric(fitted(fit$model)))
  u <- r^2 / mean(r^2)
  explained <- sum((fitted(lm(u ~ fitted)) - mean(u))^2) / 2
  structure(list(statistic = c("chi-squared" = explained), parameter = c(df = 1),
                 p.value = pchisq(explained, 1, lower.tail = FALSE),
                 method = "Score test of residual variance against fitted values",
                 data.name = "Pearson residuals"), class = "htest")
}

check_result <- function(native, fit, what, seed = 1L) {
  if (inherits(native, "htest"))
    return(list(check = what, values = list(statistic = unname(native$statistic),
                                            df = unname(native$parameter),
                                            p_value = native$p.value)))
  plain <- unclass(native)
  attributes(plain) <- if (is.list(plain)) list(names = names(plain))
  outliers <- what == "outliers"
  values <- if (outliers) list(n_outliers = as.numeric(sum(plain))) else
    lapply(as.list(plain), as.numeric)
  if (what == "random_effects") names(values) <- attr(native, "re_groups")
  else if (is.null(names(values))) names(values) <- "p_value"
  names(values) <- gsub(".", "_", names(values), fixed = TRUE)
  list(check = what, values = values, rows = if (outliers) which(plain) - 1L)
}
