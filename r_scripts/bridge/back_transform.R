# Means of a transformed response, taken back to its own scale: emmeans knows log, sqrt and some
# more, and leaves the numbers of any other transformation as they are.

#' The grid, with the inverse of the response's transformation where emmeans has none that is right.
#'
#' An inverse is right when it takes the transformed response of the model's own data back to the
#' response: that is tried, of emmeans' inverse and of the one that is read from the formula.
#' Without one the means stay on the transformed scale, and that is said.
with_back_transform <- function(grid, fit) {
  lhs <- formula(fit$model)[[2L]]
  if (is.name(lhs) || !.on_identity_scale(fit$model)) return(grid)
  sample <- .transformed_sample(lhs, fit)
  if (is.null(sample) && !is.null(grid@misc$tran)) return(grid) # nothing to try it on: R's word
  if (.takes_back(grid, sample)) return(grid)
  own <- grid
  own@misc[c("tran", "tran.mult", "tran.offset", "inv.lbl")] <- NULL
  own@misc$tran <- .inverse_link(lhs)
  own@misc$inv.lbl <- "response"
  if (!is.null(own@misc$tran) && .takes_back(own, sample)) return(own)
  advise("type='response': there is no inverse for ", deparse1(lhs),
         ", so these means are those of ",
         deparse1(lhs), ", not of ", paste(all.vars(lhs), collapse = ", "),
         ". Transform the column ",
         "before the fit, and the means after it")
  grid@misc[c("tran", "tran.mult", "tran.offset")] <- NULL
  grid
}

.on_identity_scale <- function(model) {
  f <- tryCatch(family(model), error = function(e) NULL) # models of nlme have none
  is.null(f) || (f$family == "gaussian" && f$link == "identity")
}

# Some values of the response and of its transformation; NULL where the data are not there.
.transformed_sample <- function(lhs, fit) {
  data <- model_data(fit)
  name <- all.vars(lhs)
  if (is.null(data))
    data <- tryCatch(eval(getCall(fit$model)$data, environment(formula(fit$model))),
                     error = function(e) NULL)
  if (!is.data.frame(data) || length(name) != 1L || !is.numeric(data[[name]])) return(NULL)
  t <- tryCatch(as.numeric(eval(lhs, data, environment(formula(fit$model)))),
                error = function(e) NULL)
  good <- which(is.finite(t) & is.finite(data[[name]]))
  if (length(t) != nrow(data) || !length(good)) return(NULL)
  good <- good[unique(round(seq(1, length(good), length.out = min(length(good), 50L))))]
  list(y = as.numeric(data[[name]][good]), t = t[good])
}

# Does the grid's inverse take the sample's transformed values back?
.takes_back <- function(grid, sample) {
  if (is.null(sample) || is.null(grid@misc$tran)) return(FALSE)
  n <- length(sample$t)
  trial <- emmeans::emmobj(bhat = sample$t, V = diag(n), levels = list(value = seq_len(n)),
                           linfct = diag(n), df = Inf)
  known <- c("tran", "tran.mult", "tran.offset", "inv.lbl")
  trial@misc[known] <- NULL
  trial@misc[intersect(known, names(grid@misc))] <- grid@misc[intersect(known, names(grid@misc))]
  back <- tryCatch(suppressWarnings(suppressMessages(summary(trial, type = "response"))),
                   error = function(e) NULL)
  values <- if (!is.null(back)) back[[attr(back, "estName")]]
  isTRUE(all.equal(as.numeric(values), sample$y, tolerance = 1e-7))
}

#' A link for emmeans whose inverse undoes the call `lhs`; NULL where there is none.
.inverse_link <- function(lhs) {
  if (length(all.vars(lhs)) != 1L || sum(all.names(lhs) == all.vars(lhs)) != 1L) return(NULL)
  inverse <- .undo(lhs, quote(eta))
  slope <- if (!is.null(inverse)) tryCatch(stats::D(inverse, "eta"), error = function(e) NULL)
  if (is.null(slope)) return(NULL)
  home <- list2env(list(inverse = inverse, slope = slope, lhs = lhs, name = all.vars(lhs)),
                   parent = baseenv())
  link <- list(
    linkfun = function(mu) eval(lhs, stats::setNames(list(mu), name)),
    linkinv = function(eta) rep_len(eval(inverse, list(eta = eta)), length(eta)),
    mu.eta = function(eta) rep_len(eval(slope, list(eta = eta)), length(eta)),
    valideta = function(eta) all(is.finite(eval(inverse, list(eta = eta))))
  )
  link <- lapply(link, `environment<-`, home)
  environment(link$linkfun) <- list2env(as.list(home), parent = asNamespace("stats"))
  structure(c(link, list(name = deparse1(lhs))), class = "link-glm")
}

# Functions of one argument and what undoes them, in functions whose derivative R knows.
.undone_by <- list(
  log2 = quote(2^.x), log10 = quote(10^.x), log1p = quote(exp(.x) - 1), exp = quote(log(.x)),
  expm1 = quote(log(1 + .x)), sqrt = quote(.x^2), asinh = quote(sinh(.x)), acosh = quote(cosh(.x)),
  sinh = quote(log(.x + sqrt(.x^2 + 1))), tanh = quote(log((1 + .x) / (1 - .x)) / 2),
  atanh = quote(1 - 2 / (exp(2 * .x) + 1)), asin = quote(sin(.x)), atan = quote(tan(.x)),
  plogis = quote(log(.x / (1 - .x))), qlogis = quote(1 / (1 + exp(-.x))), qnorm = quote(pnorm(.x)),
  as.numeric = quote(.x), as.double = quote(.x), I = quote(.x), `(` = quote(.x), `-` = quote(-.x)
)

# The expression that gives the variable of `node` from `value`, what `node` comes to; NULL: none.
.undo <- function(node, value) {
  if (is.name(node)) return(value)
  f <- as.character(node[[1L]])[1L]
  args <- as.list(node)[-1L]
  has <- vapply(args, function(a) length(all.vars(a)) > 0L, NA)
  if (sum(has) != 1L) return(NULL)
  inner <- args[[which(has)]]
  if (length(args) == 1L) {
    if (f == "log") return(.undo(inner, bquote(exp(.(value)))))
    if (!f %in% names(.undone_by)) return(NULL)
    step <- do.call(substitute, list(.undone_by[[f]], list(.x = value)))
    return(.undo(inner, step))
  }
  if (length(args) != 2L) return(NULL)
  k <- args[[which(!has)]]
  step <- if (has[1L]) switch(f,
    "+" = bquote(.(value) - (.(k))), "-" = bquote(.(value) + (.(k))),
    "*" = bquote((.(value)) / (.(k))), "/" = bquote((.(value)) * (.(k))),
    "^" = bquote((.(value))^(1 / (.(k)))), "log" = bquote((.(k))^(.(value))))
  else switch(f,
    "+" = bquote(.(value) - (.(k))), "-" = bquote((.(k)) - (.(value))),
    "*" = bquote((.(value)) / (.(k))), "/" = bquote((.(k)) / (.(value))),
    "^" = bquote(log(.(value)) / log(.(k))))
  if (!is.null(step)) .undo(inner, step)
}
