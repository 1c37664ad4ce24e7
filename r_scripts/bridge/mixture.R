# Mixtures of chi-squared distributions: what a likelihood ratio is distributed as where a variance
# is tested on the boundary of its range. Self & Liang 1987, doi:10.1080/01621459.1987.10478472;
# Stram & Lee 1994, doi:10.2307/2533455.

# P(chi-squared(df) >= x); with df = 0 all of it lies at 0.
.chisq_upper <- function(x, df) {
  ifelse(df == 0, as.numeric(x <= 0), pchisq(x, ifelse(df > 0, df, 1), lower.tail = FALSE))
}

#' P(X >= x) of the mixture sum(weights * chi-squared(df)), for each x.
mixture_upper <- function(x, df, weights) {
  vapply(x, function(one) sum(weights * .chisq_upper(one, df)), 0)
}

#' The statistic that the mixture exceeds with probability `level`; 0 where it lies above 0 less
#' often.
mixture_quantile <- function(level, df, weights) {
  if (sum(weights[df > 0]) <= level) return(0)
  largest <- max(df[weights > 0])
  # Above the root whatever the weights: no other component reaches as far.
  above <- qchisq(level, largest, lower.tail = FALSE)
  excess <- function(x) sum(weights * .chisq_upper(x, df)) - level
  if (length(weights[weights > 0]) == 1L) return(above)
  # Beside 0, where a component of no degrees of freedom jumps.
  uniroot(excess, c(.Machine$double.xmin, above), tol = 1e-13 * above)$root
}

#' p-value of a likelihood-ratio statistic where `lost` dimensions of random effects are tested.
#'
#' None: chi-squared with df. One: its variance and its covariances with the k - 1 others vanish
#' together, and the null distribution is half chi-squared with df - 1, half with df. More: the
#' weights depend on the design; NA. Self & Liang 1987, doi:10.1080/01621459.1987.10478472; Stram &
#' Lee 1994, doi:10.2307/2533455.
boundary_p <- function(chisq, df, lost) {
  lost <- rep_len(lost, length(chisq))
  out <- ifelse(lost == 0, .chisq_upper(chisq, df),
                (.chisq_upper(chisq, df - 1) + .chisq_upper(chisq, df)) / 2)
  out[is.na(lost) | lost > 1 | is.na(chisq) | df < 1] <- NA
  as.numeric(out)
}

#' The statistic at which such a test rejects at `level`, as boundary_p() has the distribution.
boundary_critical <- function(chisq, df, lost, level = 0.05) {
  lost <- rep_len(lost, length(chisq))
  vapply(seq_along(chisq), function(i) {
    if (is.na(chisq[i]) || is.na(df[i]) || df[i] < 1 || is.na(lost[i]) || lost[i] > 1) NA_real_
    else if (lost[i] == 0) mixture_quantile(level, df[i], 1)
    else mixture_quantile(level, df[i] - 0:1, c(0.5, 0.5))
  }, 0)
}

#' One line on the p-value and the critical values, where one variance is tested.
mixture_note <- function(table, lost, level) {
  if (!isTRUE(lost == 1)) return(NULL)
  df <- table$Df[2L]
  chisq <- table$Chisq[2L]
  at <- function(lost) formatC(boundary_critical(chisq, df, lost, level), digits = 3L, format = "f")
  paste0("a variance is tested on its boundary: p = ",
         format.pval(boundary_p(chisq, df, lost), digits = 4L),
         " by the mixture 0.5 chi-squared(", df - 1, ") + 0.5 chi-squared(", df, "). Its critical ",
         "value at ", format(level), " is ", at(1), ", that of chi-squared(", df, ") ", at(0))
}
