# Exact Satterthwaite and Kenward-Roger: what Python needs of a model, and where its answers go.
#
# How lmerTest, pbkrtest and emmeans come to use the precomputed values, without any change inside
# their namespaces:
#
# * Satterthwaite. Class lmerModLmerTest carries everything in four slots (vcov_varpar, Jac_list,
#   vcov_beta, sigma). An object with these slots filled is what as_lmerModLmerTest() returns, so
#   summary, anova, contest, drop1, ls_means, difflsmeans and emmeans take it as it is.
# * Kenward-Roger. lmerTest asks for it by the S3 generics pbkrtest::vcovAdj(model) (t tests) and
#   pbkrtest::KRmodcomp(model, L) (F tests, which ask vcovAdj in turn). UseMethod dispatches on S4
#   superclasses too, so a class that extends lmerModLmerTest and has a registered vcovAdj method
#   is all that is needed; everything else is inherited. KRmodcomp has a method too, for speed only:
#   the inherited one begins with two singular value decompositions of X (1 s each for 1e6 rows) to
#   learn the rank that lme4 has made sure of. For speed, too, contest1D has one: pbkrtest::Lb_ddf
#   multiplies S4 matrices, 8 ms a coefficient.
# * emmeans calls pbkrtest::vcovAdj.lmerMod() by its full name, past the generic, and switches to
#   z tests above 3,000 rows because the answer would be slow. So the class has a method of the
#   generic emmeans::emm_basis, which lets emmeans do its work and then puts in covariance and df.
# * update (and so lmerTest::step) refits: the class has a method that asks the object's own
#   function `refresh` for the parts of the new fit.
#
# The methods are registered for this class only (registerS3method), when an object is made. An
# object of this class is for asking, not for keeping: a file must hold the lmerMod itself, since
# R without pymlm does not know the class.

#' What the closed forms need of a fitted linear mixed model, as plain arrays.
exact_parts <- function(model) {
  need_unstructured(model, "The exact engine", "Use engine='lmerTest' with Satterthwaite's method")
  slots <- function(m) list(i = m@i, p = m@p, x = m@x, dim = dim(m))
  list(
    X = lme4::getME(model, "X"),
    zt = slots(lme4::getME(model, "Zt")),
    lambdat = slots(lme4::getME(model, "Lambdat")),
    lind = lme4::getME(model, "Lind"),
    theta = unname(lme4::getME(model, "theta")),
    gp = unname(lme4::getME(model, "Gp")),
    n_coef = unname(lengths(lme4::getME(model, "cnms"))),
    y = as.numeric(lme4::getME(model, "y")),
    offset = as.numeric(lme4::getME(model, "offset")),
    weights = as.numeric(model@resp$weights),
    beta = unname(lme4::getME(model, "beta")),
    sigma = stats::sigma(model),
    reml = lme4::isREML(model)
  )
}

#' The model as lmerTest::as_lmerModLmerTest() would return it, from precomputed parts.
#'
#' `jac` is a list of p x p matrices, one for each element of theta and one for sigma. `messages`
#' are lmerTest's warnings about the Hessian, given here as it would give them.
exact_lmertest <- function(model, vcov_varpar, jac, messages = character()) {
  loadNamespace("lmerTest") # which defines the class
  filled <- as_class(model, "lmerModLmerTest")
  p <- length(filled@beta)
  filled@sigma <- stats::sigma(model)
  filled@vcov_beta <- as.matrix(stats::vcov(model))
  filled@vcov_varpar <- matrix(as.numeric(vcov_varpar), length(filled@theta) + 1L)
  filled@Jac_list <- lapply(jac, function(j) array(as.numeric(j), dim = c(p, p)))
  for (text in messages) warning(text, call. = FALSE)
  filled
}

#' The adjusted covariance matrix as pbkrtest::vcovAdj() would return it, from precomputed parts.
#'
#' `P` is a list of p x p matrices, the residual variance last; `W` and `condi` belong to it.
exact_kenward_roger <- function(model, phi_adj, P, W, condi) {
  terms <- names(lme4::fixef(model))
  # Slots are set on empty objects: new() would spend most of its time on checking them.
  filled <- function(class, m, names) {
    out <- .empty_matrix(class)
    out@Dim <- dim(m)
    out@Dimnames <- names
    out@x <- as.numeric(m)
    out
  }
  symmetric <- function(m, names) filled("dsyMatrix", m, names)
  adjusted <- filled("dgeMatrix", phi_adj, list(terms, terms))
  attr(adjusted, "P") <- lapply(P, symmetric, names = list(terms, terms))
  attr(adjusted, "W") <- symmetric(W, list(NULL, NULL))
  attr(adjusted, "condi") <- condi
  adjusted
}

.empty_matrix <- function(class) {
  if (is.null(.exact_home$.empty[[class]])) .exact_home$.empty[[class]] <- methods::new(class)
  .exact_home$.empty[[class]]
}

#' A model for which lmerTest, pbkrtest and emmeans find both methods' answers ready.
#'
#' `model` comes from exact_lmertest(); `adjusted` from exact_kenward_roger(), or NULL for ML fits
#' (pbkrtest is then asked as usual). `refresh` makes such a model from a new lme4 fit. Without
#' `own` only the matrix is handed over, and pbkrtest makes its tests of it.
exact_model <- function(model, adjusted = NULL, refresh = lmerTest::as_lmerModLmerTest,
                        own = TRUE) {
  .define_exact_class()
  .register_exact_methods()
  exact <- as_class(model, "pymlmExact")
  if (!is.null(adjusted))
    exact@kenward_roger <- c(list(adjusted), if (own) list(.plain_numbers(model, adjusted)))
  exact@refresh <- refresh
  exact
}

# The same as base matrices: S4 matrices of Matrix cost a hundred times what is in them.
.plain_numbers <- function(model, adjusted) {
  list(phi = as.matrix(stats::vcov(model)), phi_adj = as.matrix(adjusted),
       P = lapply(attr(adjusted, "P"), as.matrix), W = as.matrix(attr(adjusted, "W")))
}

.exact_home <- environment()
.exact_home$.empty <- list()

.define_exact_class <- function() {
  if (methods::isClass("pymlmExact")) return(invisible())
  # lmerTest must be loaded first: its class is extended.
  loadNamespace("lmerTest")
  # The definition stays in this environment. R insists on a package to label it with and takes
  # the one whose namespace encloses this environment.
  methods::setClass("pymlmExact", contains = "lmerModLmerTest", where = .exact_home,
                    slots = c(kenward_roger = "list", refresh = "function"))
}

.register_exact_methods <- function() {
  register <- function(generic, package, method) {
    # Loading a package only to tell it of a method would cost more than the question.
    now <- function(...) registerS3method(generic, "pymlmExact", method, asNamespace(package))
    if (isNamespaceLoaded(package)) now() else setHook(packageEvent(package, "onLoad"), now)
  }
  if (isTRUE(.exact_home$.exact_registered)) return(invisible())
  register("vcovAdj", "pbkrtest", .vcov_adj)
  register("KRmodcomp", "pbkrtest", .kr_modcomp)
  register("contest1D", "lmerTest", .contest1d)
  register("emm_basis", "emmeans", .emm_basis)
  register("update", "stats", .update_exact)
  register("summary", "base", .summary_exact)
  assign(".exact_registered", TRUE, envir = .exact_home)
}

.vcov_adj <- function(object, details = 0) {
  if (length(object@kenward_roger)) object@kenward_roger[[1L]]
  else pbkrtest::vcovAdj.lmerMod(object, details)
}

#' pbkrtest's approximation for a contrast matrix of full rank, with its formulas and names.
.kr_moments <- function(L, numbers) {
  q <- nrow(L)
  phi <- numbers$phi
  theta_phi <- t(L) %*% solve(L %*% phi %*% t(L), L) %*% phi
  u <- lapply(numbers$P, function(P) theta_phi %*% P %*% phi)
  traces <- vapply(u, function(m) sum(diag(m)), 0)
  pairs <- vapply(u, function(a) vapply(u, function(b) sum(a * t(b)), 0), numeric(length(u)))
  A1 <- sum(numbers$W * outer(traces, traces))
  A2 <- sum(numbers$W * pairs)
  B <- (A1 + 6 * A2) / (2 * q)
  g <- ((q + 1) * A1 - (q + 4) * A2) / ((q + 2) * A2)
  scale <- 3 * q + 2 * (1 - g)
  V0 <- 1 + g / scale * B
  V1 <- 1 - (q - g) / scale * B
  V2 <- 1 - (q + 2 - g) / scale * B
  if (abs(V0) < 1e-10) V0 <- 0
  top <- 1 - A2 / q
  ratio <- if (abs(top) < 1e-14 && abs(V1) < 1e-14) 1 else top / V1
  rho <- ratio^2 * V0 / (q * V2)
  ddf <- 4 + (q + 2) / (q * rho - 1)
  c(ddf = ddf, F.scaling = if (abs(ddf - 2) < 0.01) 1 else ddf * top / (ddf - 2),
    A1 = A1, A2 = A2, V0 = V0, V1 = V1, V2 = V2, rho = rho)
}

#' lmerTest:::contest1D.lmerModLmerTest, whose Kenward-Roger test asks pbkrtest::Lb_ddf.
.contest1d <- function(model, L, rhs = 0, ddf = c("Satterthwaite", "Kenward-Roger"),
                       confint = FALSE, level = 0.95, ...) {
  own <- match.arg(ddf) == "Kenward-Roger" && length(model@kenward_roger) == 2L
  if (!own || !length(L) || anyNA(L)) return(NextMethod())
  L <- drop(L)
  stopifnot(is.numeric(L), length(L) == length(model@beta), is.numeric(rhs), length(rhs) == 1L)
  numbers <- model@kenward_roger[[2L]]
  row <- matrix(L, nrow = 1L)
  estimate <- sum(L * model@beta)
  se <- sqrt(drop(row %*% numbers$phi_adj %*% t(row)))
  df <- .kr_moments(row, numbers)[["ddf"]]
  t <- (estimate - rhs) / se
  out <- list(Estimate = estimate, `Std. Error` = se, df = df, `t value` = t)
  if (confint) {
    half <- stats::qt((1 + level) / 2, df) * se
    out <- c(out, list(lower = estimate - half, upper = estimate + half))
  }
  out[["Pr(>|t|)"]] <- 2 * stats::pt(abs(t), df, lower.tail = FALSE)
  as.data.frame(out, optional = TRUE)
}

#' pbkrtest:::KRmodcomp.lmerMod for a contrast matrix, with pbkrtest's formulas and names.
.kr_modcomp <- function(largeModel, smallModel, betaH = 0, details = 0) {
  started <- proc.time()
  if (!is.numeric(smallModel) || length(largeModel@kenward_roger) < 2L)
    return(utils::getS3method("KRmodcomp", "lmerMod", envir = asNamespace("pbkrtest"))(
      largeModel, smallModel, betaH, details))
  L <- if (is.matrix(smallModel)) smallModel else matrix(smallModel, nrow = 1L)
  q <- as.numeric(Matrix::rankMatrix(L))
  if (q < nrow(L)) {
    decomposed <- qr(t(L))
    L <- t(qr.Q(decomposed)[, seq_len(decomposed$rank), drop = FALSE])
  }
  numbers <- largeModel@kenward_roger[[2L]]
  moments <- .kr_moments(L, numbers)
  ddf <- moments[["ddf"]]
  F.scaling <- moments[["F.scaling"]]
  estimate <- L %*% (lme4::fixef(largeModel) - betaH)
  FstatU <- sum(estimate * solve(L %*% numbers$phi_adj %*% t(L), estimate)) / q
  stats <- list(
    ndf = q, ddf = ddf, Fstat = F.scaling * FstatU,
    p.value = stats::pf(F.scaling * FstatU, q, ddf, lower.tail = FALSE),
    F.scaling = F.scaling, FstatU = FstatU,
    p.valueU = stats::pf(FstatU, q, ddf, lower.tail = FALSE),
    aux = moments[c("A1", "A2", "V0", "V1", "V2", "rho", "F.scaling")]
  )
  test <- data.frame(
    stat = c(stats$Fstat, FstatU), ndf = as.integer(q), ddf = ddf,
    F.scaling = c(F.scaling, NA), p.value = c(stats$p.value, stats$p.valueU),
    row.names = c("Ftest", "FtestU")
  )
  formula <- stats::formula(largeModel)
  attributes(formula) <- NULL
  structure(
    list(test = test, type = "F", aux = stats$aux, stats = stats, formula.large = formula,
         formula.small = list(L = L, betaH = betaH), ctime = (proc.time() - started)[3L], L = L),
    class = "KRmodcomp"
  )
}

#' lmerTest prints the class; it must be the one that readers know.
.summary_exact <- function(object, ...) {
  answer <- NextMethod()
  if (!is.null(answer$objClass))
    answer$objClass <- structure("lmerModLmerTest", package = "lmerTest")
  answer
}

.update_exact <- function(object, formula., ..., evaluate = TRUE) {
  plain <- utils::getS3method("update", "merMod", envir = asNamespace("lme4"))
  fit <- plain(object, formula., ..., evaluate = evaluate)
  if (inherits(fit, "lmerMod") && !inherits(fit, "pymlmExact")) object@refresh(fit) else fit
}

.emm_basis <- function(object, trms, xlev, grid, mode = emmeans::get_emm_option("lmer.df"),
                       lmer.df, options, ...) {
  if (!missing(lmer.df)) mode <- lmer.df
  mode <- match.arg(tolower(mode), c("satterthwaite", "kenward-roger", "asymptotic"))
  adjusted <- if (length(object@kenward_roger)) object@kenward_roger[[1L]]
  own <- mode == "kenward-roger" && !is.null(adjusted) && !("vcov." %in% ...names())
  basis <- utils::getS3method("emm_basis", "merMod", envir = asNamespace("emmeans"))(
    object, trms, xlev, grid, mode = if (own) "asymptotic" else mode, options = options, ...,
    lmerTest.limit = Inf
  )
  # A df given by the caller wins over Satterthwaite's, but not over Kenward-Roger's: as in emmeans.
  if (!own) return(basis)
  basis$dfargs <- list(unadjV = basis$V, adjV = adjusted)
  basis$V <- as.matrix(adjusted)
  basis$dffun <- function(k, dfargs) pbkrtest::Lb_ddf(k, dfargs$unadjV, dfargs$adjV)
  attr(basis$dffun, "mesg") <- "kenward-roger"
  basis
}
