# Hypotheses about averages: a number, weights, equations such as "b1 / b2 = 1", or a family such as
# "ratio ~ sequential | group". Each gives its value and its gradient in the fixed effects.

#' @param found list of `value`, `gradient` (a row an average), and what names the averages
#' @param asked list with `weights` (rows), `equations`, or `family`, `ratio`, `within`; and
#' `labels`
.tested_averages <- function(found, asked) {
  if (!is.null(asked$weights)) return(.weighted_averages(found, asked))
  if (!is.null(asked$equations)) return(.equations_of(found, asked))
  .family_of_averages(found, asked)
}

.weighted_averages <- function(found, asked) {
  w <- do.call(rbind, asked$weights)
  k <- length(found$value)
  if (ncol(w) != k)
    refuse("ArgumentError", "hypothesis: ", ncol(w), " weights for ", k, " estimates: ",
           paste(.names_of_averages(found), collapse = ", "))
  list(value = as.numeric(.combined(w, found$value)), gradient = .combined(w, found$gradient),
       label = asked$labels, labels = list())
}

# w %*% x, where a row of x without a value (an empty cell) leaves out those combinations only that
# use it.
.combined <- function(w, x) {
  x <- as.matrix(x)
  without <- !is.finite(rowSums(x))
  x[without, ] <- 0
  out <- w %*% x
  out[rowSums(abs(w[, without, drop = FALSE])) > 0, ] <- NaN
  out
}

# --- families -------------------------------------------------------------------------------------

# What stands above and below (or before and after a minus), as weights of k estimates.
.pair_weights <- function(family, k) {
  one <- diag(k)
  rows <- function(i) one[i, , drop = FALSE]
  pairs <- which(lower.tri(one), arr.ind = TRUE)
  switch(family,
    reference = list(rows(seq_len(k)[-1L]), rows(rep(1L, k - 1L))),
    sequential = list(rows(seq_len(k)[-1L]), rows(seq_len(k - 1L))),
    pairwise = list(rows(pairs[, 1L]), rows(pairs[, 2L])),
    meandev = list(one, matrix(1 / k, k, k)),
    meanotherdev = list(one, (1 - one) / (k - 1)),
    trt_vs_ctrl = list(matrix(c(0, rep(1 / (k - 1), k - 1)), 1L), rows(1L)),
    poly = list(t(stats::contr.poly(k)[, seq_len(min(5L, k - 1L)), drop = FALSE]), NULL),
    helmert = list(t(stats::contr.helmert(k)), NULL))
}

.pair_labels <- function(family, names, ratio, reverse) {
  k <- length(names)
  sign <- if (ratio) "/" else "-"
  of <- function(i, j) if (reverse) paste0("(", names[j], ") ", sign, " (", names[i], ")") else
    paste0("(", names[i], ") ", sign, " (", names[j], ")")
  pairs <- which(lower.tri(diag(k)), arr.ind = TRUE)
  switch(family, reference = of(seq_len(k)[-1L], 1L),
         sequential = of(seq_len(k)[-1L], seq_len(k - 1L)),
    pairwise = of(pairs[, 1L], pairs[, 2L]),
    meandev = paste0("(", names, ") ", sign, " mean"),
    meanotherdev = paste0("(", names, ") ", sign, " mean of others"),
    trt_vs_ctrl = paste0("mean of others ", sign, " (", names[1L], ")"),
    poly = c("linear", "quadratic", "cubic", "quartic", "quintic")[seq_len(min(5L, k - 1L))],
    helmert = paste("helmert", seq_len(k - 1L)))
}

# More than these are no table that anyone reads, and matrices that fill the memory.
.MOST_HYPOTHESES <- 5000

.family_of_averages <- function(found, asked) {
  reverse <- startsWith(asked$family, "rev")
  family <- sub("^rev", "", asked$family)
  blocks <- .blocks_of_averages(found, asked$within)
  parts <- lapply(blocks, function(rows) {
    k <- length(rows)
    if (k < 2L)
      refuse("ArgumentError", "hypothesis '", asked$family,
             "' compares estimates, and there is one only",
             if (length(asked$within)) paste0(" within ", paste(asked$within, collapse = " and ")))
    if (family == "pairwise" && k * (k - 1) / 2 * length(blocks) > .MOST_HYPOTHESES)
      refuse("ArgumentError", "hypothesis '", asked$family, "' of ", k,
             " estimates makes more than ",
             .MOST_HYPOTHESES,
             " comparisons: average first (by=, avg_predictions ...), or write equations")
    w <- .pair_weights(family, k)
    if (reverse) w <- rev(w)
    names <- .names_of_averages(found, asked$within)[rows]
    label <- .pair_labels(family, names, asked$ratio, reverse)
    c(.one_family(found$value[rows], found$gradient[rows, , drop = FALSE], w, asked$ratio),
      list(label = label, first = rep(rows[1L], nrow(w[[1L]]))))
  })
  first <- unlist(lapply(parts, `[[`, "first"))
  list(value = unlist(lapply(parts, `[[`, "value")),
       gradient = do.call(rbind, lapply(parts, `[[`, "gradient")),
       label = unlist(lapply(parts, `[[`, "label")),
       labels = lapply(asked$within, function(v) .label_rows(.label_named(found, v), first)))
}

.one_family <- function(value, gradient, w, ratio) {
  top <- as.numeric(.combined(w[[1L]], value))
  up <- .combined(w[[1L]], gradient)
  if (is.null(w[[2L]])) return(list(value = top, gradient = up))
  low <- as.numeric(.combined(w[[2L]], value))
  down <- .combined(w[[2L]], gradient)
  if (!ratio) return(list(value = top - low, gradient = up - down))
  if (any(low == 0, na.rm = TRUE))
    refuse("ArgumentError", "hypothesis: a ratio divides by an estimate of 0")
  list(value = top / low, gradient = up / low - top / low^2 * down)
}

# Rows of each group that the families stay within.
.blocks_of_averages <- function(found, within) {
  n <- length(found$value)
  if (!length(within)) return(list(seq_len(n)))
  columns <- lapply(within, function(v) .label_named(found, v)$text)
  unname(split(seq_len(n),
               interaction(lapply(columns, function(x) factor(x, unique(x))), drop = TRUE,
                           lex.order = TRUE)))
}

.label_named <- function(found, v) {
  if (v %in% c("term", "contrast")) return(list(name = v, text = found[[v]]))
  at <- match(v, vapply(found$labels, `[[`, "", "name"))
  if (is.na(at))
    refuse("ArgumentError", "hypothesis: there is no column ", sQuote(v, FALSE),
           " to stay within. There are: ",
           paste(c("term", "contrast", vapply(found$labels, `[[`, "", "name")), collapse = ", "))
  found$labels[[at]]
}

.label_rows <- function(label, rows) {
  list(name = label$name, text = label$text[rows],
       number = if (!is.null(label$number)) label$number[rows])
}

# What tells the estimates apart: the columns that vary; b1, b2 ... where nothing does.
.names_of_averages <- function(found, within = NULL) {
  columns <- c(list(found$term, found$contrast), lapply(found$labels, `[[`, "text"))
  names(columns) <- c("term", "contrast", vapply(found$labels, `[[`, "", "name"))
  columns <- columns[!names(columns) %in% within]
  columns <- columns[vapply(columns, function(x) length(unique(x)) > 1L, NA)]
  given <- if (length(columns)) do.call(paste, c(unname(columns), sep = ", "))
  blocks <- .blocks_of_averages(found, within)
  if (is.null(given) || any(vapply(blocks, function(rows) anyDuplicated(given[rows]) > 0L, NA)))
    paste0("b", seq_along(found$value)) else given
}

# --- equations ------------------------------------------------------------------------------------

# Numbers of the estimates (b1, b2 ...), and their names where these are words that tell them apart.
.equations_of <- function(found, asked) {
  k <- length(found$value)
  names <- .names_of_averages(found)
  if (anyDuplicated(found$term) == 0L) names <- found$term
  words <- c(paste0("b", seq_len(k)), ifelse(grepl("^[[:alpha:].]", names), names, NA))
  at <- rep(seq_len(k), 2L)
  keep <- !is.na(words) & !duplicated(words)
  parts <- lapply(asked$equations, .one_equation, words = words[keep], at = at[keep], found = found)
  list(value = vapply(parts, `[[`, 0, "value"),
       gradient = do.call(rbind, lapply(parts, `[[`, "gradient")),
       label = asked$labels, labels = list())
}

.EQUATION_CALLS <- c("+", "-", "*", "/", "^", "(", "exp", "log", "sqrt")

.one_equation <- function(text, words, at, found) {
  bad <- function(...) refuse("ArgumentError", "hypothesis ", sQuote(text, FALSE), ": ", ...)
  marked <- .mark_terms(enc2utf8(text), words)
  sides <- strsplit(marked, "={1,2}")[[1L]]
  if (!nzchar(trimws(text)) || length(sides) > 2L || any(!nzchar(trimws(sides))))
    bad("write it as 'b1 - b2 = 0', with one '=' at most")
  if (length(sides) == 2L) marked <- paste0("(", sides[1L], ") - (", sides[2L], ")")
  marked <- gsub("\\.b\\[([0-9]+)\\]", ".b\\1", marked)
  e <- tryCatch(parse(text = marked, keep.source = FALSE), error = function(e) NULL)
  if (is.null(e) || length(e) != 1L) bad("it is no equation")
  symbols <- paste0(".b", seq_along(words))
  for (name in all.names(e[[1L]], unique = TRUE))
    if (!name %in% c(symbols, .EQUATION_CALLS))
      bad("there is no ", sQuote(name, FALSE), ".", near_terms(name, words), " There are: b1 to b",
          length(found$value),
          if (length(words) > length(found$value))
            paste0(", or ", paste(utils::tail(words, 5L), collapse = ", ")),
          "; functions are ", paste(.EQUATION_CALLS[-6L], collapse = " "))
  used <- intersect(symbols, all.vars(e[[1L]]))
  if (!length(used)) bad("it names no estimate. They are b1 to b", length(found$value))
  of <- at[match(used, symbols)]
  values <- stats::setNames(as.list(found$value[of]), used)
  # of logs below 0, refused next
  value <- suppressWarnings(eval(stats::deriv(e[[1L]], used), values))
  slope <- drop(attr(value, "gradient"))
  if (!all(is.finite(c(value, slope))))
    bad("it has no value here (",
        paste0(words[match(used, symbols)], " = ", signif(found$value[of], 4L),
              collapse = ", "), ")")
  list(value = as.numeric(value),
       gradient = matrix(slope, 1L) %*% found$gradient[of, , drop = FALSE])
}
