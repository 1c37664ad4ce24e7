# Comparing models without lme4: lm and glm by R's anova, nlme's lme and gls by its likelihood
# ratios. The rules are those of compare.R: same rows, nested, and REML for variances only.

# --- lm and glm -----------------------------------------------------------------------------------

# An F test of each model against the one before it, or for a glm of known dispersion chi-squared.
.compare_linear <- function(models, names, orders) {
  at <- order(vapply(models, function(m) m$rank, 0L))
  models <- models[at]
  names <- names[at]
  orders <- orders[at]
  test <- .linear_test(models)
  glm <- inherits(models[[1L]], "glm")
  table <- do.call(anova, c(unname(models), if (glm) list(test = test)))
  if (nrow(table) != length(models))
    refuse("ComparisonError", "R compares models whose responses are written alike: ",
           paste(unique(vapply(models, function(m) deparse1(formula(m)[[2L]]), "")),
                 collapse = ", "))
  tests <- intersect(c("F", "Pr(>F)", "Pr(>Chi)"), names(table))
  notes <- character()
  for (i in seq_along(models)[-1L])
    if (!.tested(models[c(i - 1L, i)], orders[c(i - 1L, i)])$nested) {
    table[i, tests] <- NA
    notes <- c(notes, .not_nested_note(names[i - 1L], names[i]))
  }
  column <- function(...) {
    found <- intersect(c(...), names(table))
    if (length(found)) as.numeric(table[[found[1L]]]) else rep(NA_real_, nrow(table))
  }
  by_f <- test == "F"
  ll <- lapply(models, logLik)
  df <- column("Df")
  df[-1L][df[-1L] == 0] <- NA
  p <- column("Pr(>F)", "Pr(>Chi)")
  chisq <- if (by_f) rep(NA_real_, nrow(table)) else column("Deviance")
  if (!by_f) chisq[is.na(p)] <- NA
  list(term = names, npar = vapply(ll, attr, 0, "df"), aic = vapply(models, AIC, 0),
       bic = vapply(models, BIC, 0), loglik = vapply(ll, as.numeric, 0),
       deviance = -2 * vapply(ll, as.numeric, 0), chisq = chisq, df = df, p_value = p,
       p_value_boundary = p, statistic = if (by_f) column("F") else chisq,
       den_df = if (by_f) ifelse(is.na(p), NA, min(vapply(models, df.residual, 0))),
       statistic_name = if (by_f) "F" else "chisq",
       formulas = vapply(models, .formula_text, ""), notes = notes, refitted = FALSE,
       printed = .with_notes(table, notes))
}

# As anova.glm() of R 4.4 chooses: chi-squared where the dispersion is known.
.linear_test <- function(models) {
  known <- vapply(models, function(m) inherits(m, "glm") &&
    (family(m)$family %in% c("poisson", "binomial") || startsWith(family(m)$family, "Negative")),
    NA)
  if (all(known)) "Chisq" else "F"
}

.not_nested_note <- function(smaller, larger, unknown = FALSE) {
  paste0(smaller, if (isTRUE(unknown)) " is not known to be nested in " else " is not nested in ",
         larger, ": no test, only information criteria")
}

# --- nlme -----------------------------------------------------------------------------------------

#' Is it a model of nlme?
is_nlme <- function(model) inherits(model, c("lme", "gls"))

.compare_nlme <- function(models, names, refit, orders) {
  reml <- vapply(models, is_reml, NA)
  alike <- all(vapply(seq_along(models)[-1L], function(i)
    .same_means(models[c(1L, i)], orders[c(1L, i)]), NA))
  by_reml <- alike && any(reml) && all(reml | vapply(models, inherits, NA, "lm"))
  notes <- character()
  if (any(reml) && !by_reml) {
    why <- if (!alike) "REML likelihoods of models with different fixed effects cannot be compared"
    else "REML and maximum likelihood cannot be compared"
    if (!refit) refuse("ComparisonError", why, ". Leave refit=True, or fit all with reml=False")
    models[reml] <- lapply(models[reml], nlme_by_ml)
    notes <- paste0("refitted by maximum likelihood (", paste(names[reml], collapse = ", "), "): ",
                    why)
  }
  at <- order(vapply(models, function(m) attr(logLik(m), "df"), 0))
  models <- models[at]
  names <- names[at]
  orders <- orders[at]
  table <- .likelihood_table(models, names, by_reml)
  lost <- NA
  for (i in seq_along(models)[-1L]) {
    tested <- .tested(models[c(i - 1L, i)], orders[c(i - 1L, i)])
    lost[i] <- tested$boundary
    if (tested$nested && table$Df[i] > 0) {
      notes <- c(notes, .boundary_note(lost[i], names[i]))
    } else {
      table[i, c("Chisq", "Pr(>Chisq)")] <- NA
      notes <- c(notes, .not_nested_note(names[i - 1L], names[i]))
    }
  }
  c(comparison_fields(table, lost), list(notes = notes, refitted = any(reml) && !by_reml,
    printed = .with_notes(table, notes)))
}

#' The model of nlme, fitted again by maximum likelihood.
nlme_by_ml <- function(model) {
  call <- getCall(model)
  call[[1L]] <- as.name(class(model)[1L]) # lme() writes lme.formula() there, which it hides
  call$method <- "ML"
  eval(call, environment(formula(model)))
}

#' The response of a model of nlme, row by row.
nlme_response <- function(model) {
  eval(formula(model)[[2L]], nlme_frame(model), environment(formula(model)))
}

#' The design matrix of the fixed part of a model of nlme.
nlme_matrix <- function(model) {
  model.matrix(delete.response(terms(formula(model))), nlme_frame(model))
}

# Random terms as random_parts() has them. The rows of `groups` are those of the data.
.nlme_random_parts <- function(model, order = NULL) {
  data <- nlme_frame(model)
  formulas <- formula(model$modelStruct$reStruct)
  blocks <- lapply(names(model$groups), function(name) {
    Z <- model.matrix(formulas[[name]], data)
    Matrix::KhatriRao(methods::as(droplevels(as.factor(model$groups[[name]])), "sparseMatrix"),
                      t(Z))
  })
  names <- lapply(names(model$groups),
                  function(name) colnames(model.matrix(formulas[[name]], data)))
  Gp <- as.integer(c(0, cumsum(vapply(blocks, nrow, 0L))))
  .random_terms(do.call(rbind, blocks), Gp, names, order)
}

# Correlations and variances of the residuals: the same, or those of independence in the smaller.
.same_structure <- function(small, large) {
  if (!is_nlme(small) && !is_nlme(large)) return(TRUE)
  of <- function(m, part) {
    s <- if (is_nlme(m)) m$modelStruct[[part]]
    if (!is.null(s)) paste(class(s)[1L], deparse1(formula(s)))
  }
  all(vapply(c("corStruct", "varStruct"), function(part) {
    is.null(of(small, part)) || identical(of(small, part), of(large, part))
  }, NA))
}
