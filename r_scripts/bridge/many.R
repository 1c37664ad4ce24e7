# Many fits of one design. The model frame, X and Z are made once, for a linear model the deviance
# function, too; a fit is lme4's optimizer, then lme4's derivatives, checks and mkMerMod(), in the
# order of lmer() and glmer(). Between two responses nothing changes but the response itself, so
# estimates are bit for bit those of lmer() on that response.

#' Make the design of a mixed model.
#'
#' @param formula with the response left out ("~ x + (1 | g)"), or with the one response to fit
#' @param data the predictors, and that response
#' @param family,link,theta,n_agq of a generalized model; family NULL for lmer
many_design <- function(formula, data, reml, control, start, weights, offset, contrasts,
                        family = NULL, link = NULL, theta = NULL, n_agq = 1L) {
  design <- new.env(parent = emptyenv())
  design$env <- new.env(parent = .formula_home)
  parsed <- parse_formula(formula)
  if (length(parsed) == 2L) {
    design$response <- .free_name(".y", c(names(data), all.vars(parsed)))
    parsed <- as.formula(call("~", as.name(design$response), parsed[[2L]]), design$env)
  }
  environment(parsed) <- design$env
  linear <- is.null(family)
  kind <- if (linear) "lmerControl" else "glmerControl"
  args <- .common_arguments(kind, control, NULL, weights, offset)
  design$control <- eval(if (is.null(args$control)) call(kind) else args$control, design$env)
  given <- .contrast_argument(contrasts)
  args$contrasts <- given$written
  for (name in names(given$bindings)) assign(name, given$bindings[[name]], envir = design$env)
  if (!length(design$control$optimizer))
    refuse("NotSupportedError", "optimizer=None fits nothing: evaluate one model with pymlm.lmer")
  if (linear) args$REML <- reml else args$family <- family_call(family, link, theta)
  design$data <- data
  design$linear <- linear
  design$reml <- reml
  design$n_agq <- n_agq
  design$start <- if (!is.null(start)) eval(.as_literal(start), design$env)
  design$call <- .written_call(if (linear) "lFormula" else "glFormula",
                               c(list(formula = parsed, data = quote(.data)), args))
  design$make <- quick_formula(design$call, design$control, design$env)
  design
}

.free_name <- function(name, taken) {
  while (name %in% taken) name <- paste0(name, ".")
  name
}

#' Fit the design's own response to the rows of each group; `data` has the rows of all. Groups whose
#' tables have the same rows are answered together.
many_groups <- function(design, rows, ddf = NULL, modes = FALSE, exact = FALSE) {
  data <- design$data
  on.exit(design$data <- data)
  found <- lapply(seq_along(rows), function(i) {
    design$data <- data[rows[[i]], , drop = FALSE]
    .many_block(design, NULL, i, ddf, modes, exact)
  })
  layout <- vapply(found, function(f) paste(unlist(f$layout), collapse = "\r"), "")
  unname(lapply(split(found, match(layout, unique(layout))), .many_table, design = design))
}

#' Fit the design to every column of Y (NA where a response is missing).
#'
#' Columns that are missing in the same rows make a block: one model frame, one set of names.
#'
#' @param ddf "between-within" to have that rule's degrees of freedom, else NULL
#' @param modes TRUE for the conditional modes, too
#' @param exact TRUE for what the exact degrees of freedom need
many_fit <- function(design, Y, ddf = NULL, modes = FALSE, exact = FALSE) {
  missing <- is.na(Y)
  pattern <- if (any(missing)) apply(missing, 2L, function(m) paste(which(m), collapse = " "))
             else rep("", ncol(Y))
  unname(lapply(split(seq_len(ncol(Y)), match(pattern, unique(pattern))), function(columns)
    .many_table(list(.many_block(design, Y[, columns, drop = FALSE], columns, ddf, modes, exact)),
                design)))
}

# Fits of one design, and what they have in common.
.many_block <- function(design, Y, columns, ddf, modes, exact) {
  # The first response that can be fitted makes the parts; where none can, each says why.
  parts <- NULL
  fits <- lapply(seq_along(columns), function(j) tryCatch({
    if (is.null(parts)) parts <<- .many_parts(design, Y[, j])
    .many_answer(design, parts, if (!is.null(Y)) Y[parts$used, j], ddf, modes)
  }, error = function(e) list(error = conditionMessage(e), class = class(e))))
  failed <- vapply(fits, function(f) !is.null(f$error), NA)
  names <- design$names
  list(
    column = columns, fits = fits, failed = failed,
    layout = if (!all(failed)) list(
      term = colnames(parts$X), theta_name = names$theta, grp = names$grp, var1 = names$var1,
      var2 = names$var2, lower = parts$terms$lower,
      mode_names = if (modes) .mode_names(parts$terms)),
    nobs = nrow(parts$X), said = parts$said,
    exact = if (exact && !all(failed))
      .shared_exact_parts(parts, Y[parts$used, !failed, drop = FALSE], design$reml)
  )
}

# The answers of blocks with one layout as vectors and matrices, a column a fit.
.many_table <- function(blocks, design) {
  fits <- unlist(lapply(blocks, `[[`, "fits"), recursive = FALSE)
  columns <- unlist(lapply(blocks, `[[`, "column"))
  failed <- unlist(lapply(blocks, `[[`, "failed"))
  good <- fits[!failed]
  out <- list(
    column = columns[!failed], failed = columns[failed],
    errors = vapply(fits[failed], function(f) enc2utf8(f$error), ""),
    classes = vapply(fits[failed], function(f) f$class[1L], "")
  )
  if (!length(good)) return(out)
  number <- function(name) vapply(good, function(f) as.numeric(f[[name]]), 0)
  rows <- function(name) {
    n <- length(good[[1L]][[name]])
    matrix(vapply(good, function(f) as.numeric(f[[name]]), numeric(n)), n)
  }
  flagged <- which(vapply(good, function(f) !is.null(f$convergence), NA))
  # Of a block all failed, or those that did not share what was said of its frame.
  own <- rep(seq_along(blocks), vapply(blocks, function(b) sum(!b$failed), 0L))
  exact <- lapply(blocks, `[[`, "exact")
  c(out, blocks[[1L]]$layout, list(
    linear = design$linear, theta = rows("theta"), estimate = rows("beta"),
    std_error = rows("std_error"), df = if (!is.null(good[[1L]]$df)) rows("df"),
    vcov = rows("vcov"), sdcor = rows("sdcor"),
    nobs = vapply(blocks, function(b) as.numeric(b$nobs), 0)[own],
    sigma = number("sigma"), loglik = number("loglik"), aic = number("aic"), bic = number("bic"),
    reml_criterion = if (design$linear && design$reml) number("criterion"),
    deviance = number("deviance"), df_residual = number("df_residual"), npar = number("npar"),
    singular = vapply(good, function(f) f$singular, NA), max_gradient = number("max_gradient"),
    flagged = flagged, convergence = lapply(good[flagged], function(f) f$convergence),
    said = Map(function(f, b) as.character(c(blocks[[b]]$said, f$said)), good, own),
    modes = if (!is.null(good[[1L]]$modes)) rows("modes"),
    exact = if (length(exact) == 1L) exact[[1L]] else if (!is.null(exact[[1L]])) exact
  ))
}

# What lme4 makes before it optimizes, for responses that are missing in the same rows as y.
.many_parts <- function(design, y) {
  data <- design$data
  if (!is.null(design$response)) data[[design$response]] <- y
  assign(".data", data, envir = design$env)
  on.exit(rm(".data", envir = design$env))
  said <- heard(made <- design$make())
  dropped <- attr(made$fr, "na.action")
  parts <- new.env(parent = emptyenv())
  parts$used <- if (length(dropped)) seq_len(nrow(data))[-dropped] else seq_len(nrow(data))
  parts$said <- said
  parts$made <- made
  parts$X <- made$X
  parts$terms <- made$reTrms
  # lme4's C++ writes new parameters into these where they lie.
  parts$theta <- made$reTrms$theta + 0
  parts$factor <- made$reTrms$Lambdat@x + 0
  if (!design$linear) return(parts)
  parts$devfun <- .lmer_function(design, parts, made$fr)
  rho <- environment(parts$devfun)
  # mkLmerDevfun() starts some models where the response says. Where lme4 starts elsewhere than we
  # would, the function is made anew for every response.
  parts$kept <- identical(as.numeric(rho$pp$theta),
                          as.numeric(.first_theta(parts, rho$resp$y, design$start)))
  parts
}

.terms_afresh <- function(parts) {
  terms <- parts$terms
  terms$theta <- parts$theta + 0
  terms$Lambdat@x <- parts$factor + 0
  terms
}

.lmer_function <- function(design, parts, frame) {
  methods_bound(quick_devfun("mkLmerDevfun")(
    frame, parts$X, .terms_afresh(parts), REML = design$reml, start = design$start,
    control = design$control))
}

# Where mkLmerDevfun() of lme4 starts the optimizer: with intercepts alone, at the ratio of the
# group means' variance to the rest.
.first_theta <- function(parts, y, start) {
  terms <- parts$terms
  if (!is.null(start) || !all(terms$cnms == "(Intercept)") ||
      length(terms$flist) != length(terms$lower)) return(parts$theta)
  # var(ave(y, f)), without the copying of ave()
  v <- vapply(terms$flist, function(f) stats::var(vapply(split(y, f), mean.default, 0)[f]), 0)
  rest <- stats::var(y) - sum(v)
  if (!is.na(rest) && rest > 0 && all(v / rest >= terms$lower^2)) unname(sqrt(v / rest))
  else parts$theta
}

# One response's model. It shares the design's matrices, so it is good until the next fit.
.many_model <- function(design, parts, y) {
  if (!is.null(y) && length(unique(y)) < 2L) stop("Response is constant", call. = FALSE)
  if (design$linear) .many_lmer(design, parts, y) else .many_glmer(design, parts, y)
}

.many_lmer <- function(design, parts, y) {
  control <- design$control
  start <- design$start
  quick <- quick_lme4()
  devfun <- parts$devfun
  rho <- environment(devfun)
  if (is.null(y) || !parts$kept) {
    if (!is.null(y)) devfun <- .lmer_function(design, parts, .with_response(design, parts, y))
    rho <- environment(devfun)
  } else {
    rho$resp$setResp(y)
    if (is.null(start)) start <- .first_theta(parts, y, NULL)
  }
  opt <- quick$optimizeLmer(
    devfun, optimizer = control$optimizer, restart_edge = control$restart_edge,
    boundary.tol = control$boundary.tol, control = control$optCtrl, start = start,
    calc.derivs = control$calc.derivs, use.last.params = control$use.last.params)
  .many_mer_mod(design, parts, rho, opt)
}

.many_glmer <- function(design, parts, y) {
  control <- design$control
  start <- design$start
  quick <- quick_lme4()
  n_agq <- design$n_agq
  first <- control$nAGQ0initStep
  frame <- if (is.null(y)) parts$made$fr else .with_response(design, parts, y)
  terms <- .terms_afresh(parts)
  devfun <- quick_devfun("mkGlmerDevfun")(
    frame, parts$X, terms, parts$made$family, control = control, nAGQ = if (first) 0L else 1L)
  if (first)
    opt <- quick$optimizeGlmer(
      methods_bound(devfun), optimizer = control$optimizer[[1L]],
      restart_edge = if (n_agq == 0L) control$restart_edge else FALSE,
      boundary.tol = if (n_agq == 0L) control$boundary.tol else 0, control = control$optCtrl,
      start = start, nAGQ = 0, calc.derivs = FALSE)
  if (n_agq > 0L) {
    devfun <- lme4::updateGlmerDevfun(devfun, terms, nAGQ = n_agq)
    if (first) start <- .start_at(start, opt$par)
    opt <- quick$optimizeGlmer(
      methods_bound(devfun), optimizer = control$optimizer[[2L]],
      restart_edge = control$restart_edge,
      boundary.tol = control$boundary.tol, control = control$optCtrl, start = start, nAGQ = n_agq,
      stage = 2, calc.derivs = control$calc.derivs, use.last.params = control$use.last.params)
  }
  .many_mer_mod(design, parts, environment(devfun), opt)
}

# lme4's updateStart(): the first stage's theta, the user's fixed effects.
.start_at <- function(start, theta) {
  if (!is.list(start)) return(theta)
  start$theta <- theta
  start
}

.with_response <- function(design, parts, y) {
  frame <- parts$made$fr
  frame[[design$response]] <- y
  frame
}

.many_mer_mod <- function(design, parts, rho, opt) {
  derivs <- attr(opt, "derivs")
  checked <- if (design$linear || !is.null(derivs)) lme4:::checkConv(
    derivs, opt$par, ctrl = design$control$checkConv, lbound = rho$lower)
  quick_lme4()$mkMerMod(rho, opt, parts$terms, parts$made$fr, design$call, checked)
}

# What a table needs of one fit.
.many_answer <- function(design, parts, y, ddf, modes) {
  model <- NULL
  said <- heard(model <- .many_model(design, parts, y))
  said <- said[!vapply(said, .all_said, NA, .said_of_convergence(model))]
  info <- model@optinfo
  gradient <- info$derivs$gradient
  code <- info$conv$opt
  singular <- lme4::isSingular(model)
  # convergence() in full is for the fits of which there is something to say.
  flagged <- singular || length(info$conv$lme4$messages) || length(info$warnings) ||
    (!is.null(code) && code[1L] != 0)
  sigma <- sigma(model)
  varcorr <- lme4::VarCorr(model)
  .name_parts(design, parts$terms$cnms, model, varcorr)
  scaled <- design$names$scaled
  reml <- lme4::isREML(model)
  loglik <- logLik(model)
  list(
    theta = model@theta + 0, beta = model@beta, sigma = sigma,
    std_error = if (design$linear) sigma * sqrt(diag(model@pp$unsc()))
      else sqrt(diag(as.matrix(vcov(model, correlation = FALSE)))),
    df = if (!is.null(ddf)) ddf_values(as_fit(model), ddf),
    vcov = c(unlist(lapply(varcorr, .in_table_order), use.names = FALSE), if (scaled) sigma^2),
    sdcor = c(unlist(lapply(varcorr, function(v)
      .in_table_order(attr(v, "correlation"), attr(v, "stddev"))), use.names = FALSE),
      if (scaled) sigma),
    loglik = loglik, aic = AIC(loglik), bic = BIC(loglik),
    criterion = if (reml) lme4::REMLcrit(model),
    deviance = if (reml) deviance(model, REML = FALSE) else deviance(model),
    df_residual = df.residual(model), npar = attr(loglik, "df"), said = said, singular = singular,
    max_gradient = if (is.null(gradient)) NA_real_ else max(abs(gradient)),
    convergence = if (flagged) convergence(list(model = model)),
    modes = if (modes) model@pp$b(1)
  )
}

# Names of theta, and grp, var1 and var2 of as.data.frame(VarCorr()), which takes longer than a
# small fit's optimizer; the same for every fit whose terms have the same coefficients.
.name_parts <- function(design, cnms, model, varcorr) {
  if (!is.null(design$names) && identical(design$names$cnms, cnms)) return(invisible())
  parts <- Map(function(v, g) {
    names <- rownames(v)
    low <- lower.tri(v)
    list(grp = rep(g, length(names) + sum(low)), var1 = c(names, names[col(v)[low]]),
         var2 = c(rep(NA, length(names)), names[row(v)[low]]))
  }, varcorr, names(varcorr))
  scaled <- has_scale(model)
  joined <- function(name, last)
    as.character(c(unlist(lapply(parts, `[[`, name), use.names = FALSE), if (scaled) last))
  design$names <- list(cnms = cnms, theta = names(getME(model, "theta")), scaled = scaled,
                       grp = joined("grp", "Residual"), var1 = joined("var1", NA),
                       var2 = joined("var2", NA))
}

# A term's matrix as as.data.frame(VarCorr()) lists it: the diagonal, then the lower triangle.
.in_table_order <- function(m, diagonal = diag(m)) c(diagonal, m[lower.tri(m)])

.mode_names <- function(terms) {
  level <- lapply(attr(terms$flist, "assign"), function(a) levels(terms$flist[[a]]))
  size <- lengths(terms$cnms)
  list(
    grpvar = unlist(Map(rep, names(terms$cnms), lengths(level) * size), use.names = FALSE),
    term = unlist(Map(rep, terms$cnms, lengths(level)), use.names = FALSE),
    grp = unlist(Map(function(l, k) rep(l, each = k), level, size), use.names = FALSE)
  )
}

# exact_parts() of all fits of a block: the matrices once, the responses as a matrix. theta and the
# factor are a pair of lme4's, of the last fit.
.shared_exact_parts <- function(parts, Y, reml) {
  slots <- function(m) list(i = m@i, p = m@p, x = m@x + 0, dim = dim(m))
  rho <- environment(parts$devfun)
  list(X = unname(parts$X), zt = slots(parts$terms$Zt), lambdat = slots(rho$pp$Lambdat),
       lind = rho$pp$Lind, theta = rho$pp$theta + 0, gp = unname(parts$terms$Gp),
       n_coef = unname(lengths(parts$terms$cnms)),
       y = if (is.null(Y)) as.numeric(rho$resp$y) else as.numeric(Y),
       offset = as.numeric(rho$resp$offset), weights = as.numeric(rho$resp$weights), reml = reml)
}

#' What lme4's checks say of each fit by derivatives that it did not make itself; of singular fits
#' it says so before, and no more.
many_checks <- function(design, lower, theta, gradient, hessians) {
  lapply(seq_along(hessians), function(j) {
    derivs <- list(gradient = gradient[, j], Hessian = hessians[[j]])
    found <- suppressMessages(suppressWarnings(lme4:::checkConv(
      derivs, theta[, j], ctrl = design$control$checkConv, lbound = lower)))
    as.character(if (length(found$code)) found$messages)
  })
}

#' Tests and intervals of many coefficient tables at once, as summary() makes them: t with degrees
#' of freedom, else z (or, `tests` FALSE, lme4's t without a p-value).
many_tests <- function(estimate, std_error, df = NULL, tests = TRUE, level = 0.95) {
  statistic <- estimate / std_error
  wide <- if (is.null(df)) qnorm((1 + level) / 2) else qt((1 + level) / 2, df)
  list(statistic = statistic,
       p_value = if (!is.null(df)) 2 * pt(abs(statistic), df, lower.tail = FALSE)
         else if (tests) 2 * pnorm(abs(statistic), lower.tail = FALSE),
       conf_low = estimate - wide * std_error, conf_high = estimate + wide * std_error)
}

#' p-values adjusted over fits, term by term.
many_adjusted <- function(p, method) p.adjust(p, method)
