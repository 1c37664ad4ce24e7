# Responses of a model that nobody has fitted yet: lme4's simulate(~ formula, newparams).

# The model frame and matrices of a formula without a response.
.planned_parts <- function(formula, data, family, link, theta, weights, offset) {
  parsed <- parse_formula(formula)
  environment(parsed) <- new.env(parent = .formula_home)
  args <- list(formula = parsed, data = data)
  if (!is.null(weights)) args$weights <- data[[weights]]
  if (!is.null(offset)) args$offset <- data[[offset]]
  made <- if (is.null(family))
    do.call(lme4::lFormula,
            c(args, control = list(lme4::lmerControl(check.formula.LHS = "ignore"))))
  else do.call(lme4::glFormula, c(args, family = list(eval(family_call(family, link, theta))),
                                  control = list(lme4::glmerControl(check.formula.LHS = "ignore"))))
  list(formula = parsed, made = made)
}

#' Names of the parameters that simulate_planned() takes.
planned_parameters <- function(formula, data, family = NULL, link = NULL, theta = NULL,
                               weights = NULL, offset = NULL) {
  made <- .planned_parts(formula, data, family, link, theta, weights, offset)$made
  terms <- made$reTrms
  list(beta = colnames(made$X),
       theta = theta_names(terms$cnms, length(terms$theta)), lower = as.numeric(terms$lower),
       dropped = as.integer(attr(made$fr, "na.action")))
}

# As getME(model, "theta") names them: "g.(Intercept)", "g.x.(Intercept)", "g.x".
theta_names <- function(cnms, size) {
  names <- unlist(Map(function(group, terms) {
    m <- outer(terms, terms, function(a, b) paste(a, b, sep = "."))
    diag(m) <- terms
    paste(group, m[lower.tri(m, diag = TRUE)], sep = ".")
  }, names(cnms), cnms), use.names = FALSE)
  if (length(names) == size) names else paste0("theta", seq_len(size)) # a structured covariance
}

#' Simulated responses at chosen parameters; one row a row of the data, NA where a predictor is
#' missing.
simulate_planned <- function(formula, data, beta, theta, sigma, beta_names, theta_names,
                             family = NULL, link = NULL, nb_theta = NULL, weights = NULL,
                             offset = NULL, nsim = 1L, seed = NULL) {
  parsed <- parse_formula(formula)
  environment(parsed) <- new.env(parent = .formula_home)
  # lme4's simulate(offset =) leaves the offset out of the means, without a word.
  if (!is.null(offset)) parsed[[2L]] <- call("+", parsed[[2L]], call("offset", as.name(offset)))
  complete <- stats::complete.cases(data[intersect(all.vars(parsed), names(data))])
  used <- data[complete, , drop = FALSE]
  # by name: lme4 takes them by place where they have none, and says so
  params <- list(theta = stats::setNames(theta, theta_names),
                 beta = stats::setNames(beta, beta_names))
  if (!is.null(sigma)) params$sigma <- sigma
  args <- list(parsed, nsim = nsim, newdata = used, newparams = params)
  if (!is.null(family)) args$family <- eval(family_call(family, link, nb_theta))
  if (!is.null(weights)) args$weights <- used[[weights]]
  found <- with_seed(seed, do.call(stats::simulate, args))
  out <- matrix(NA_real_, nrow(data), nsim)
  out[complete, ] <- as.matrix(as.data.frame(lapply(found, as.numeric)))
  out
}

#' Share of `hits` in `n`, with the exact binomial interval.
share_of <- function(hits, n, level = 0.95) {
  found <- Map(function(x, k) if (k > 0) stats::binom.test(x, k, conf.level = level)$conf.int
               else c(NA_real_, NA_real_), hits, n)
  list(conf_low = vapply(found, `[`, 0, 1L), conf_high = vapply(found, `[`, 0, 2L))
}
