# What other systems print of a model that lme4 fitted: Stata's mixed, xtreg and estat icc, SAS's
# PROC MIXED, SPSS's MIXED, Mplus. The numbers are R's; the text is made in Python.

#' Everything that the other systems' tables need and summary() lacks.
voice_native <- function(fit) {
  .need_linear(fit, "The other systems' tables")
  need_fixed_effects(fit, "The other systems' table")
  if (is_membership(fit$model))
    refuse("NotSupportedError", "none of the other systems' tables is made for multiple ",
           "membership; use style='r' or 'stargazer'")
  fit$model
}

#' What the systems' information criteria count; the same numbers as in voice_result.
counts_for_criteria <- function(fit) {
  .need_linear(fit, "Information criteria by systems other than R and Stata")
  model <- fit$model
  groups <- .voice_groups(model)
  list(reml = lme4::isREML(model), nobs = nrow(model@frame),
       n_groups = vapply(groups, `[[`, 0L, "n"), nested = .is_nested(model),
       loglik = as.numeric(logLik(model)), n_zero = sum(model@theta == 0),
       n_theta = length(model@theta), rank_x = ncol(getME(model, "X")))
}

voice_result <- function(native, fit) {
  model <- native
  reml <- lme4::isREML(model)
  frame <- model@frame
  X <- getME(model, "X")
  beta <- fixef(model)
  V <- as.matrix(vcov(model))
  groups <- .voice_groups(model)
  components <- component_table(fit)
  # VarCorr() numbers two terms of one factor, and then makes "a.b" of "a b", too.
  terms_of <- c(make.unique(names(model@cnms)), "Residual")
  single <- .single_level(model)
  slopes <- setdiff(names(beta), "(Intercept)")
  wald <- if (length(slopes))
    drop(crossprod(beta[slopes], solve(V[slopes, slopes, drop = FALSE], beta[slopes]))) else NA
  first <- groups[[1L]]$values
  list(
    response = response_text(model),
    data_name = paste(deparse(model@call$data), collapse = ""),
    reml = reml, nobs = nrow(frame),
    n_read = nrow(frame) + length(attr(frame, "na.action")),
    group = vapply(groups, `[[`, "", "name"), n_groups = vapply(groups, `[[`, 0L, "n"),
    size_min = vapply(groups, `[[`, 0, "min"), size_mean = vapply(groups, `[[`, 0, "mean"),
    size_max = vapply(groups, `[[`, 0, "max"),
    nested = .is_nested(model), weighted = any(weights(model) != 1),
    term = names(beta), estimate = unname(beta), std_error = unname(sqrt(diag(V))),
    between = unname(apply(X, 2L, function(x) all(.constant_within(x, first)))),
    label = .column_labels(model),
    numeric_label = .numeric_labels(model),
    labels = unique(.column_labels(model)), label_levels = .label_levels(model),
    wald_chi2 = wald, wald_df = length(slopes),
    loglik = as.numeric(logLik(model)),
    lr_chi2 = max(0, 2 * (as.numeric(logLik(model)) - single$loglik)),
    lr_df = length(model@theta), single_sigma = single$sigma,
    grp = terms_of[match(components$grp, c(names(VarCorr(model)), "Residual"))],
    var1 = components$var1, var2 = components$var2,
    component = components$estimate, component_se = components$std_error,
    component_vcov = components$vcov,
    random_terms = stats::setNames(lapply(model@cnms, as.character), utils::head(terms_of, -1L)),
    n_zero = sum(model@theta == 0), n_theta = length(model@theta), rank_x = ncol(X)
  )
}

.voice_groups <- function(model) {
  names <- unique(names(model@cnms))
  lapply(names, function(name) {
    n <- as.numeric(table(droplevels(model@flist[[name]])))
    list(name = name, n = nlevels(model@flist[[name]]), min = min(n), mean = mean(n),
         max = max(n), values = model@flist[[name]])
  })
}

.is_nested <- function(model) {
  groups <- model@flist[unique(names(model@cnms))]
  groups <- groups[order(vapply(groups, nlevels, 0L), decreasing = TRUE)]
  k <- length(groups)
  k < 2L || all(vapply(seq_len(k - 1L), function(i)
    isNested(groups[[i]], groups[[i + 1L]]), NA))
}

.constant_within <- function(x, g) {
  tapply(x, g, function(v) max(v) - min(v)) <= 1e-10 * max(1, abs(x))
}

# The term of the formula that each column of X came from.
.column_labels <- function(model) {
  X <- getME(model, "X")
  labels <- c("(Intercept)", attr(terms(model), "term.labels"))
  unname(labels[attr(X, "assign") + 1L])
}

# TRUE for a column that is a product of numeric variables, which Stata writes c.a#c.b.
.numeric_labels <- function(model) {
  used <- .variables_of_terms(model)
  unname(vapply(.column_labels(model), function(label)
    all(vapply(model@frame[used[[label]]], is.numeric, NA)), NA))
}

# Levels of each term: the product of its factors'.
.label_levels <- function(model) {
  used <- .variables_of_terms(model)
  unname(vapply(unique(.column_labels(model)), function(label)
    prod(vapply(model@frame[used[[label]]], function(v)
      if (is.numeric(v)) 1 else length(unique(v)), 0)), 0))
}

# The columns of the model's frame that each term uses. A frame's columns bear the variables' own
# names, the table of factors writes them as code (`a b`, `a\\b`), in the same order.
.variables_of_terms <- function(model) {
  fixed <- delete.response(terms(model, fixed.only = TRUE))
  names <- vapply(as.list(attr(fixed, "variables"))[-1L], function(v)
    paste(deparse(v, width.cutoff = 500L, backtick = !is.name(v)), collapse = " "), "")
  uses <- attr(fixed, "factors") > 0L
  labels <- attr(fixed, "term.labels")
  used <- lapply(seq_along(labels), function(k) names[uses[, k]])
  c(list("(Intercept)" = character()), stats::setNames(used, labels))
}

# The model without random effects, by the same criterion.
.single_level <- function(model) {
  X <- getME(model, "X")
  y <- getME(model, "y") - getME(model, "offset")
  w <- weights(model)
  linear <- lm(y ~ 0 + X, weights = w)
  list(loglik = as.numeric(logLik(linear, REML = lme4::isREML(model))), sigma = sigma(linear))
}

#' Variances and covariances with standard errors.
#'
#' lmerTest's covariance matrix of (theta, sigma), carried over by the delta method: a term's
#' covariance matrix is sigma^2 L L'. NA where the term is singular, for a boundary has no Wald
#' standard error.
component_table <- function(fit) {
  model <- fit$model
  rows <- as.data.frame(VarCorr(model), order = "lower.tri")
  rows <- rows[order(is.na(rows$var1), match(rows$grp, c(names(VarCorr(model)), "Residual")),
                     !is.na(rows$var2)), ]
  varpar <- as.numeric(lmertest_model(fit)@vcov_varpar)
  varpar <- matrix(varpar, length(model@theta) + 1L)
  jacobian <- .vcov_jacobian(model)
  at <- match(.component_key(rows), .component_key(jacobian$rows))
  J <- jacobian$J[at, , drop = FALSE]
  vcov <- J %*% varpar %*% t(J)
  se <- sqrt(diag(vcov))
  flat <- .singular_groups(model)
  se[rows$grp %in% flat | se == 0] <- NA
  list(grp = rows$grp, var1 = rows$var1, var2 = rows$var2, estimate = rows$vcov, std_error = se,
       vcov = unname(vcov))
}

.singular_groups <- function(model, tol = 1e-4) {
  factors <- getME(model, "Tlist")
  names(VarCorr(model))[vapply(factors, function(f) any(diag(as.matrix(f)) < tol), NA)]
}

#' Degrees of freedom by SAS's containment rule, its default where there is a RANDOM statement.
#'
#' A fixed effect that a random effect contains (the intercept in a random intercept, x in a random
#' slope of x, a factor in an interaction that groups) has the smallest rank contribution of these
#' to [X Z], taken in order, outer factors first; any other N - rank[X Z] (SAS/STAT User's Guide,
#' "Containment Degrees of Freedom").
containment <- function(fit) {
  model <- fit$model
  X <- Matrix::Matrix(getME(model, "X"), sparse = TRUE)
  parts <- .effects_of_z(model)
  parts <- parts[order(vapply(parts, function(part) ncol(part$Z), 0L))]
  rank <- function(k) # of X and the first k random effects
    as.integer(Matrix::rankMatrix(do.call(cbind, c(list(X), lapply(parts[seq_len(k)], `[[`, "Z"))),
                                  method = "qr"))
  ranks <- vapply(0:length(parts), rank, 0L)
  contribution <- diff(ranks)
  coef <- vapply(parts, `[[`, "", "coef")
  whole <- names(model@frame)
  factors <- lapply(vapply(parts, `[[`, "", "group"), function(g)
    if (g %in% whole) g else column_names_in(g)[[1L]])
  variables <- column_names_in(c("", attr(terms(model), "term.labels")))
  of <- variables[attr(model.matrix(model), "assign") + 1L]
  names(of) <- colnames(model.matrix(model))
  vapply(names(fixef(model)), function(term) {
    grouped <- vapply(factors, function(f) length(of[[term]]) > 0L && all(of[[term]] %in% f), NA)
    inside <- coef == term | coef == "(Intercept)" & grouped
    if (any(inside)) min(contribution[inside]) else nrow(X) - ranks[length(ranks)]
  }, 0, USE.NAMES = FALSE)
}

# One random effect of SAS per coefficient and factor: its columns of Z.
.effects_of_z <- function(model) {
  Zt <- getME(model, "Zt")
  gp <- getME(model, "Gp")
  out <- list()
  for (i in seq_along(model@cnms)) {
    terms <- model@cnms[[i]]
    rows <- (gp[i] + 1L):gp[i + 1L]
    for (j in seq_along(terms)) {
      out[[length(out) + 1L]] <- list(
        coef = terms[j], group = names(model@cnms)[i],
        Z = Matrix::t(Zt[rows[seq(j, length(rows), by = length(terms))], , drop = FALSE]))
    }
  }
  out
}

#' t tests and type III F tests with the df that a system uses. Containment may leave no df: SAS
#' then prints no p-value, and R's distributions say NaN.
voice_tests <- function(fit, ddf) {
  if (ddf == "containment") suppressWarnings(.voice_tests(fit, ddf)) else .voice_tests(fit, ddf)
}

.voice_tests <- function(fit, ddf) {
  model <- fit$model
  t <- if (ddf == "containment") {
    plain <- coef(.plain_summary(fit))
    df <- containment(fit)
    cbind(plain[, 1:2, drop = FALSE], df = df, plain[, "t value", drop = FALSE],
          "Pr(>|t|)" = 2 * pt(-abs(plain[, "t value"]), df))
  } else coef(summary_native(fit, ddf))
  list(fixed = fixed_effects(t, if (ddf == "containment") NULL else ddf),
       type3 = .type3(fit, ddf, t[, "df"]),
       intercept = if (ddf != "containment" && "(Intercept)" %in% rownames(t))
         .type3_intercept(fit, ddf))
}

# SPSS's type III test of the intercept: averaged over the levels of every factor, covariates at 0.
.type3_intercept <- function(fit, ddf) {
  model <- fit$model
  frame <- model@frame
  fixed <- delete.response(terms(model, fixed.only = TRUE))
  X <- model.matrix(model)
  L <- as.numeric(attr(X, "assign") == 0L)
  used <- .variables_of_terms(model)
  contrasts <- attr(X, "contrasts")
  for (k in seq_along(attr(fixed, "term.labels"))) {
    values <- frame[used[[attr(fixed, "term.labels")[k]]]]
    if (any(vapply(values, is.numeric, NA))) next
    grid <- expand.grid(lapply(values, function(v) which(!duplicated(v))))
    rows <- frame[rep(1L, nrow(grid)), , drop = FALSE]
    rows[names(values)] <- Map(`[`, values, grid)
    rows <- structure(rows, terms = fixed)
    coded <- model.matrix(fixed, rows, contrasts.arg = contrasts)
    mine <- which(attr(X, "assign") == k)
    L[mine] <- colMeans(coded)[colnames(X)[mine]]
  }
  row <- .contest_row(fit, L[match(names(fixef(model)), colnames(X))], 0, ddf, 0.95)
  list(df = row$df, statistic = row[[4L]]^2, p_value = row[[7L]])
}

.type3 <- function(fit, ddf, df) {
  model <- fit$model
  if (!length(attr(terms(model), "term.labels"))) return(NULL)
  if (ddf %in% c("Satterthwaite", "Kenward-Roger")) {
    model <- if (ddf == "Kenward-Roger") kenward_roger_model(fit) else lmertest_model(fit)
    a <- no_fallback(anova(model, type = "III", ddf = ddf))
    a <- a[!is.na(a$NumDF), ] # a term whose columns were dropped for rank deficiency
    return(list(term = rownames(a), num_df = a$NumDF, den_df = a$DenDF, statistic = a$`F value`,
                p_value = a$`Pr(>F)`))
  }
  tests <- Filter(nrow, .contrasts_of_type(model, "III"))
  beta <- fixef(model)
  V <- as.matrix(vcov(model))
  rows <- lapply(tests, function(L) {
    b <- L %*% beta
    q <- nrow(L)
    used <- which(colSums(abs(L)) > 1e-8)
    den <- min(df[used])
    f <- drop(crossprod(b, solve(L %*% V %*% t(L), b))) / q
    c(q, den, f, pf(f, q, den, lower.tail = FALSE))
  })
  m <- do.call(rbind, rows)
  list(term = names(tests), num_df = m[, 1L], den_df = m[, 2L], statistic = m[, 3L],
       p_value = m[, 4L])
}
