# Between-within denominator degrees of freedom, as SAS PROC MIXED's DDFM=BETWITHIN has them.
#
# The residual degrees of freedom, n - rank(X), are divided into a between-group part, the number of
# groups less the rank of the columns that are constant within every group, and the rest. A fixed
# effect (a term, with all its columns) that changes within any group gets the within part, any
# other effect the between part. Schluchter & Elashoff 1990, doi:10.1080/00949659008811295; SAS/STAT
# User's Guide, The MIXED Procedure; Hoffman's lecture: level-2 df = groups - level-2 effects.
#
# Groups are SAS's subjects: the levels of the one grouping factor, or of the outermost where
# factors are nested in it. SAS divides the within part further where several within-group effects
# contain factors, by a rule that it does not publish; this does not.

#' Degrees of freedom of each fixed-effect coefficient.
between_within <- function(fit) {
  terms <- between_within_terms(fit)
  assign <- attr(model.matrix(fit$model), "assign")
  unname(terms[assign + 1L])
}

#' Degrees of freedom of each term; the first is the intercept's.
between_within_terms <- function(fit) {
  kept(fit, "between_within", {
    .need_linear(fit, "Between-within degrees of freedom")
    model <- fit$model
    if (is_membership(model))
      refuse("NotSupportedError", "between-within degrees of freedom need rows that lie in one ",
             "group each, which a membership factor's do not. Ask for ddf='Satterthwaite'")
    X <- model.matrix(model)
    group <- .subjects(model)
    within_column <- .changes_within(X, group)
    assign <- attr(X, "assign")
    labels <- attr(terms(model), "term.labels")
    within <- vapply(c(0L, seq_along(labels)), function(i) any(within_column[assign == i]), NA)
    between_rank <- .rank(X[, assign %in% (which(!within) - 1L), drop = FALSE])
    between <- nlevels(group) - between_rank
    residual <- nrow(X) - .rank(X) - between
    stats::setNames(ifelse(within, residual, between), c("(Intercept)", labels))
  })
}

.rank <- function(X) if (ncol(X)) qr(X)$rank else 0L

# The outermost grouping factor; every other must be nested in it.
.subjects <- function(model) {
  factors <- model@flist
  outer <- factors[[which.min(vapply(factors, nlevels, 0L))]]
  nested <- vapply(factors, function(f) isNested(f, outer), NA)
  if (!all(nested))
    refuse("NotSupportedError", "between-within degrees of freedom need one grouping factor, or ",
           "factors nested in one; here ", paste(names(factors), collapse = ", "), " are crossed. ",
           "Ask for ddf='Satterthwaite' or 'Kenward-Roger'")
  droplevels(outer)
}

# Does a column of X differ from its group's mean in any row, beyond rounding?
.changes_within <- function(X, group) {
  means <- rowsum(X, group) / as.vector(table(group))
  apart <- abs(X - means[as.character(group), , drop = FALSE])
  scale <- pmax(apply(abs(X), 2L, max), .Machine$double.xmin)
  apply(apart, 2L, max) > 1e-10 * scale
}
