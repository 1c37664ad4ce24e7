# lme4's lFormula() and glFormula() for many small designs. Its steps and checks are lme4's own;
# what they take from Matrix to make Z and Lambda goes through S4 constructors, coercions and checks
# that take longer than a small fit's optimizer. Here the same matrices are filled directly;
# whatever is not the usual case is left to Matrix. The first design of a formula is made both ways,
# and if the two are not identical, all are made by lme4 alone.

#' A function of the data's model frame and matrices: what a call of lFormula() or glFormula()
#' makes.
#' @param control the value of the call's argument
quick_formula <- function(call, control, env) {
  quick <- call
  quick[[1L]] <- .quick_design()[[if (inherits(control, "glmerControl")) "glFormula" else
                                  "lFormula"]]
  quick$control <- control
  written <- paste(deparse(call), collapse = " ")
  function() {
    if (isTRUE(.quick$same[[written]])) return(eval(quick, env))
    made <- eval(call, env)
    if (is.null(.quick$same[[written]])) {
      ours <- tryCatch(suppressMessages(suppressWarnings(eval(quick, env))),
                       error = function(e) NULL)
      .quick$same <- list() # of the last call alone
      .quick$same[[written]] <- identical(made$reTrms, ours$reTrms) && identical(made$X, ours$X)
    }
    made
  }
}

.quick_design <- function() {
  if (is.null(.quick$design)) .quick$design <- .make_quick_design()
  .quick$design
}

.make_quick_design <- function() {
  ours <- new.env(parent = asNamespace("lme4"))
  for (name in c("lFormula", "glFormula"))
    assign(name, .in_home(asNamespace("lme4")[[name]], ours), envir = ours)
  home <- environment(mkReTrms) # lme4, or reformulas
  terms <- list2env(list(
    fac2sparse = .quick_indicators, KhatriRao = .quick_khatri_rao, sparseMatrix = .quick_sparse,
    t = .quick_t, drop0 = .quick_drop0, rbind = .quick_rbind, data.frame = list
  ), parent = home)
  terms$mkBlist <- .in_home(home$mkBlist, terms)
  ours$mkReTrms <- .in_home(mkReTrms, terms)
  ours
}

# A sparse matrix of columns. new() checks what is known to be right, and takes ten times as long.
.dgc <- function(i, p, x, dim, dimnames = list(NULL, NULL)) {
  if (is.null(.quick$dgC)) .quick$dgC <- methods::new("dgCMatrix")
  out <- .quick$dgC
  attr(out, "i") <- i
  attr(out, "p") <- p
  attr(out, "x") <- x
  attr(out, "Dim") <- dim
  attr(out, "Dimnames") <- dimnames
  out
}

.quick_indicators <- function(from, to = "d", drop.unused.levels = TRUE, ...) {
  codes <- as.integer(from)
  if (...length() || to != "d" || !is.factor(from) || anyNA(codes) ||
      length(unique(codes)) != nlevels(from))
    return(Matrix::fac2sparse(from, to = to, drop.unused.levels = drop.unused.levels, ...))
  .dgc(codes - 1L, 0:length(codes), rep(1, length(codes)), c(nlevels(from), length(codes)),
       list(levels(from), NULL))
}

# Row by row the products of a row's indicator and its predictors; entries of zero are left out.
.quick_khatri_rao <- function(X, Y, ...) {
  n <- ncol(X)
  if (...length() || !inherits(X, "dgCMatrix") || !is.matrix(Y) || !is.double(Y) || ncol(Y) != n ||
      !n ||
      !identical(X@p, 0:n) || anyNA(Y)) return(Matrix::KhatriRao(X, Y, ...))
  k <- nrow(Y)
  i <- rep(X@i * k, each = k) + rep.int(seq_len(k) - 1L, n)
  x <- as.vector(Y) * rep(X@x, each = k)
  there <- Y != 0
  if (all(there)) return(.dgc(i, as.integer(k * (0:n)), x, c(nrow(X) * k, n)))
  .dgc(i[there], c(0L, cumsum(as.integer(colSums(there)))), x[there], c(nrow(X) * k, n))
}

.quick_sparse <- function(i, j, x, ...) {
  if (...length() || missing(x) || !length(x) || !is.double(x))
    return(Matrix::sparseMatrix(i = i, j = j, x = x, ...))
  rows <- as.integer(max(i))
  columns <- as.integer(max(j))
  sorted <- order(j, i)
  i <- as.integer(i)[sorted]
  j <- as.integer(j)[sorted]
  if (any(diff(i) == 0L & diff(j) == 0L)) return(Matrix::sparseMatrix(i = i, j = j, x = x[sorted]))
  .dgc(i - 1L, c(0L, cumsum(tabulate(j, columns))), x[sorted], c(rows, columns))
}

.quick_t <- function(x) {
  if (!inherits(x, "dgCMatrix")) return(if (isS4(x)) Matrix::t(x) else base::t(x))
  j <- rep.int(seq_len(ncol(x)), diff(x@p))
  sorted <- order(x@i, j)
  .dgc(j[sorted] - 1L, c(0L, cumsum(tabulate(x@i + 1L, nrow(x)))), x@x[sorted], rev(x@Dim),
       rev(x@Dimnames))
}

.quick_drop0 <- function(x, ...) {
  if (!...length() && inherits(x, "dgCMatrix") && all(x@x != 0)) x else Matrix::drop0(x, ...)
}

# Of one matrix, or of lists that stand for data frames.
.quick_rbind <- function(...) {
  parts <- list(...)
  if (all(vapply(parts, function(p) is.list(p) && !is.object(p), NA)))
    return(do.call(Map, c(list(f = c), unname(parts))))
  if (length(parts) == 1L && inherits(parts[[1L]], "dgCMatrix")) return(parts[[1L]])
  do.call(base::rbind, parts)
}

# --- reference classes
# ------------------------------------------------------------------------------

#' lme4's mkLmerDevfun() and mkGlmerDevfun(), with generators that do not ask R anew for each object
#' what its class is.
quick_devfun <- function(name) {
  if (is.null(.quick$devfun)) {
    home <- new.env(parent = asNamespace("lme4"))
    for (class in c("merPredD", "lmerResp"))
      assign(class, list(new = .quick_generator(class)), envir = home)
    glm_response <- .quick_generator("glmResp")
    home$new <- function(Class, ...)
      if (identical(Class, "glmResp")) glm_response(...) else methods::new(Class, ...)
    for (f in c("mkRespMod", "mkLmerDevfun", "mkGlmerDevfun"))
      assign(f, .in_home(asNamespace("lme4")[[f]], home), envir = home)
    .quick$devfun <- home
  }
  .quick$devfun[[name]]
}

# methods::new() of one reference class, around R's own initialize(), which asks is() about the
# class's fields again and again, and makes their empty values, all of which depends on the class
# alone.
.quick_generator <- function(name) {
  definition <- methods::getClass(name, where = asNamespace("lme4"))
  initialize <- methods::selectMethod("initialize", "envRefClass")@.Data
  new <- methods::new
  environment(initialize) <- list2env(list(
    is = remembered_is(),
    isVirtualClass = .remembered(methods::isVirtualClass, function(Class) Class),
    new = .remembered(methods::new, function(Class) Class, forget = c("environment", "externalptr"))
  ), parent = environment(methods::new))
  environment(new) <- list2env(list(initialize = initialize), parent = environment(methods::new))
  function(...) new(definition, ...)
}

#' is(), which asks once of each class.
remembered_is <- function() {
  .remembered(methods::is,
              function(object, class2) paste(c(class(object), class2), collapse = "\r"))
}

# `f`, which answers the same to the same key.
.remembered <- function(f, key, forget = character()) {
  known <- new.env(parent = emptyenv())
  function(...) {
    at <- key(...)
    if (at %in% forget) return(f(...))
    if (is.null(known[[at]])) known[[at]] <- f(...)
    known[[at]]
  }
}
