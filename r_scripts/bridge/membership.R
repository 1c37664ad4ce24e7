# Multiple membership by lme4's modular functions: lFormula makes everything but Z; the rows of Zt
# that belong to a membership factor are then replaced by weights instead of zeros and ones.
#
# The fit's call names a function `multiple_membership` that lives beside the data in the formula's
# environment, so update(), drop1(), profile() and their like refit the right model, also after
# saveRDS() in an R without pymlm. The membership factor itself is no column of the model's data:
# what would make Z anew from such a column (predict with new data, simulate) stops, instead of
# answering for another model.

#' Fit with weights in Z.
#'
#' @param memberships named list; per factor the units' names and the non-zero weights as triplets
fit_membership <- function(formula, data, data_name, memberships, reml, weights, offset,
                           contrasts, control, start) {
  parsed <- parse_formula(formula)
  .check_membership_terms(parsed, names(memberships))
  env <- new.env(parent = .formula_home)
  env$multiple_membership <- .membership_function(lapply(memberships, .membership_matrix,
                                                         rows = row.names(data)))
  given <- .contrast_argument(contrasts)
  for (name in names(given$bindings)) assign(name, given$bindings[[name]], envir = env)
  assign(data_name, data, envir = env)
  args <- list(formula = parsed, data = as.name(data_name))
  if (!reml) args$REML <- FALSE
  args$control <- control_call("lmerControl", control)
  if (!is.null(start)) args$start <- .as_literal(start)
  if (!is.null(weights)) args$weights <- as.name(weights)
  if (!is.null(offset)) args$offset <- as.name(offset)
  if (!is.null(given)) args$contrasts <- given$written
  as_fit(.guarded(eval(.written_call("multiple_membership", args), env)))
}

.membership_matrix <- function(m, rows) {
  Matrix::sparseMatrix(i = as.integer(m$row), j = as.integer(m$column), x = as.numeric(m$weight),
                       dims = c(length(rows), length(m$unit)), dimnames = list(rows, m$unit))
}

# The name of a membership factor stands alone behind a bar, and nowhere else.
.check_membership_terms <- function(formula, names) {
  bars <- findbars(formula)
  alone <- vapply(bars, function(b) if (is.name(b[[3L]])) as.character(b[[3L]]) else "", "")
  for (name in names) {
    inside <- vapply(bars, function(b) name %in% all.vars(b[[3L]]), NA)
    if (!any(inside))
      refuse("FormulaError", "no random-effects term has the membership factor '", name,
             "'; write e.g. '(1 | ", name, ")'")
    if (any(inside & alone != name))
      refuse("NotSupportedError", "the membership factor '", name, "' must stand alone behind ",
             "the bar, as in '(1 | ", name, ")'; it cannot be crossed or nested by ':' or '/'")
    elsewhere <- c(all.vars(nobars(formula)), unlist(lapply(bars, function(b)
      all.vars(b[[2L]]))))
    if (name %in% elsewhere)
      refuse("FormulaError", "the membership factor '", name, "' is no column; it can stand only ",
             "behind the bar of a random-effects term")
  }
}

# The function that fits needs lme4 alone: it travels with the model, with what it calls and the
# memberships.
.membership_function <- function(memberships) {
  home <- new.env(parent = asNamespace("lme4"))
  home$memberships <- memberships
  for (name in names(.travelling)) {
    home[[name]] <- .travelling[[name]]
    environment(home[[name]]) <- home
  }
  home$fitter
}

.travelling <- list(
  fitter = function(formula, data, REML = TRUE, control = lmerControl(), start = NULL, weights,
                    offset, contrasts = NULL, devFunOnly = FALSE) {
    call <- asked <- match.call()
    used <- intersect(c(all.vars(formula), all.vars(call$weights), all.vars(call$offset)),
                      names(data))
    complete <- stats::complete.cases(data[used])
    W <- shares(all.vars(formula), row.names(data)[complete])
    call[[1L]] <- quote(lme4::lFormula)
    call$data <- with_stand_ins(data, W, complete)
    call$control <- control
    call$start <- call$devFunOnly <- NULL
    parts <- eval(call, parent.frame())
    asked$formula <- parts$formula
    parts$formula <- NULL
    parts$reTrms <- weighted_terms(parts$reTrms, W)
    for (name in names(W)) parts$fr[[name]] <- NULL
    # lme4 would guess a start from the stand-in factor.
    begin <- if (is.null(start)) parts$reTrms$theta else start
    devfun <- do.call(mkLmerDevfun, c(parts, list(start = begin, control = control)))
    if (devFunOnly) return(devfun)
    if (!length(control$optimizer))
      refuse("NotSupportedError",
             "optimizer=None is for lmer; a multiple-membership model is optimized")
    opt <- optimizeLmer(devfun, optimizer = control$optimizer,
                        restart_edge = control$restart_edge, boundary.tol = control$boundary.tol,
                        control = control$optCtrl, start = begin,
                        calc.derivs = control$calc.derivs,
                        use.last.params = control$use.last.params)
    checks <- checkConv(attr(opt, "derivs"), opt$par, ctrl = control$checkConv,
                        lbound = environment(devfun)$lower)
    mkMerMod(environment(devfun), opt, parts$reTrms, fr = parts$fr, mc = asked, lme4conv = checks)
  },

  # Weights of the factors in use: rows by units that have a row.
  shares = function(names, rows) {
    lapply(memberships[names(memberships) %in% names], function(w) {
      w <- w[rows, , drop = FALSE]
      w[, Matrix::colSums(w != 0) > 0, drop = FALSE]
    })
  },

  # A factor with every unit, which lFormula needs to lay out Z.
  with_stand_ins = function(data, W, complete) {
    for (name in names(W)) {
      units <- colnames(W[[name]])
      if (length(units) > sum(complete))
        stop(length(units), " units of '", name, "' for ", sum(complete), " rows")
      stand_in <- factor(rep(NA, nrow(data)), levels = units)
      stand_in[complete] <- rep_len(units, sum(complete))
      data[[name]] <- stand_in
    }
    data
  },

  # The terms with weights in Zt, where the stand-in has zeros and ones.
  weighted_terms = function(terms, W) {
    for (i in which(names(terms$cnms) %in% names(W))) {
      name <- names(terms$cnms)[i]
      old <- terms$Ztlist[[i]]
      k <- length(terms$cnms[[i]])
      at <- (as.integer(terms$flist[[name]]) - 1L) * k
      values <- vapply(seq_len(k), function(j) old[cbind(at + j, seq_len(ncol(old)))],
                       numeric(ncol(old)))
      values <- methods::as(matrix(values, ncol = k), "CsparseMatrix")
      new <- Matrix::KhatriRao(Matrix::t(W[[name]]), Matrix::t(values))
      dimnames(new) <- dimnames(old)
      terms$Ztlist[[i]] <- methods::as(new, "dgCMatrix")
    }
    terms$Zt <- do.call(rbind, terms$Ztlist)
    terms
  }
)

#' Is this merMod one of multiple membership?
is_membership <- function(model) {
  isS4(model) && identical(model@call[[1L]], as.name("multiple_membership"))
}

#' Its membership factors: names in the formula that are no columns.
membership_names <- function(model) {
  names(environment(get("multiple_membership", environment(formula(model))))$memberships)
}

#' Refuse what would make Z anew, from a column that there is not.
need_own_z <- function(fit, what) {
  if (is_membership(fit$model))
    refuse("NotSupportedError", what, " of lme4 would simulate from another Z; refit what ",
           "m.simulate() draws: [m.refit(y).fixef() for y in draws]")
}

#' lmerTest's form of it. as_lmerModLmerTest() would call lmer() again; it gets the real deviance.
lmertest_membership <- function(model) {
  call <- model@call
  call$devFunOnly <- TRUE
  devfun <- eval(call, environment(formula(model)))
  lmerTest:::as_lmerModLT(model, devfun)
}

#' Weights of every membership factor, as a dense matrix over the rows used.
membership_weights <- function(fit) {
  model <- fit$model
  all <- environment(get("multiple_membership", environment(formula(model))))$memberships
  lapply(all[names(all) %in% names(model@flist)], function(w) {
    w <- w[row.names(model@frame), , drop = FALSE]
    list(term = colnames(w), values = unname(as.matrix(w)))
  })
}

#' X b for new rows plus the weighted modes of their units; a unit not met before counts as 0.
predict_membership <- function(fit, newdata, memberships, allow_new_levels) {
  model <- fit$model
  fixed <- .new_fixed_part(fit, newdata)
  out <- replace(as.numeric(fixed$x %*% fixef(model)) + fixed$offset, fixed$unknown, NaN)
  modes <- ranef(model, condVar = FALSE)
  for (bar in findbars(formula(model))) {
    name <- as.character(bar[[3L]])
    if (!name %in% names(memberships)) next
    m <- memberships[[name]]
    W <- .membership_matrix(m, as.character(seq_len(nrow(newdata))))
    new <- setdiff(colnames(W)[Matrix::colSums(W != 0) > 0], rownames(modes[[name]]))
    if (length(new) && !allow_new_levels)
      refuse("DataError", "the model has not seen ", name, " '", new[1L], "'. Pass ",
             "allow_new_levels=True to take it at the population mean")
    known <- intersect(colnames(W), rownames(modes[[name]]))
    written <- eval(substitute(~x, list(x = bar[[2L]])), .formula_home)
    frame <- model.frame(frozen_terms(fit, terms(written)), newdata, na.action = na.pass)
    design <- model.matrix(written, with_levels_of_fit(frame, model@frame, bar[[2L]]))
    b <- as.matrix(modes[[name]][known, colnames(design), drop = FALSE])
    out <- out + rowSums(as.matrix(W[, known, drop = FALSE] %*% b) * design)
  }
  out
}

#' Draws from the model itself, new random effects each time: X b + Z Lambda u + e.
simulate_membership <- function(fit, nsim, seed) {
  model <- fit$model
  fixed <- as.numeric(getME(model, "X") %*% fixef(model)) + getME(model, "offset")
  A <- getME(model, "A")
  sigma <- sigma(model)
  e <- sigma / sqrt(weights(model))
  with_seed(seed, vapply(seq_len(nsim), function(i)
    fixed + as.numeric(Matrix::crossprod(A, sigma * stats::rnorm(nrow(A)))) +
      stats::rnorm(length(fixed), sd = e), numeric(length(fixed))))
}

#' Names that a prediction with all random effects needs.
all_names <- function(fit) {
  .walk(formula(fit$model)[[3L]])$names
}
