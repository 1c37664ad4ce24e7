# How factors are coded: contrasts as the calls of fits take them, hypotheses turned into these.

# R's names of contrasts stand in the call; a matrix is bound beside the data under a name, which
# the model's data frame and columns must not have: R would take those.
.contrast_argument <- function(contrasts) {
  if (is.null(contrasts)) return(NULL)
  contrasts <- coding_of(contrasts)
  # Names of columns that need backticks stay out of the call's text, too.
  if (all(vapply(contrasts, is.character, NA)) &&
      identical(names(contrasts), make.names(names(contrasts))))
    return(list(written = .written_call("list", contrasts), bindings = list()))
  list(written = quote(.contrasts), bindings = list(.contrasts = contrasts))
}

#' Contrasts as R takes them. Hypotheses are weights of the levels' means, one a row; the matrix
#' that R wants is their generalized inverse (Schad et al. 2020, doi:10.1016/j.jml.2019.104038).
#' Where there are fewer than the levels less one, R fills it up with columns that change none of
#' these; they get names, which R leaves empty.
coding_of <- function(contrasts) {
  lapply(contrasts, function(h) {
    if (!is.list(h)) return(h)
    matrix <- MASS::ginv(h$weights)
    colnames(matrix) <- h$names
    f <- factor(seq_len(nrow(matrix)))
    stats::contrasts(f) <- matrix
    full <- attr(f, "contrasts")
    more <- seq_len(ncol(full) - length(h$names))
    dimnames(full) <- list(NULL, c(h$names, if (length(more)) paste0(".rest", more)))
    full
  })
}

.no_contrasts <- "contrasts: a column of numbers has none. Make it a category of the data"

#' Where a factor is coded by all its levels (no intercept, or no main effect), R leaves hypotheses
#' out without a word.
say_unused_codings <- function(model, codings) {
  for (f in names(codings)) {
    named <- colnames(codings[[f]])
    if (is.null(named) || any(grepl(paste0(f, named[1L]), names(coefs(model)), fixed = TRUE))) next
    advise("contrasts: ", f,
           " is coded by all its levels in this formula (without an intercept, or ",
           "without what it interacts with), so none of its hypotheses is a coefficient. Put the ",
           "intercept in, or test them with m.emmeans(contrast=)")
  }
}

#' Levels in the order that R gives them.
sorted_levels <- function(names) levels(factor(names))
