# A random coefficient and the fixed effect that it belongs to. R names both from their own part of
# the formula: `x2 * x1 + (x1 * x2 || g)` has the fixed effect x2:x1 and the random coefficient
# x1:x2.

#' The names of random coefficients as those of the fixed effects are written; others as they are.
as_in_fixed <- function(names, fixed) {
  if (!length(fixed)) return(names)
  # In any one order. Not sort()'s: a locale's calls some texts equal, and radix refuses most
  # scripts.
  known <- unique(unlist(column_names_in(c(names, fixed))))
  apart <- function(x) vapply(column_names_in(x), function(p)
    paste(p[order(match(p, known))], collapse = ":"), "")
  same <- match(apart(names), apart(fixed))
  ifelse(names %in% fixed | is.na(same), names, fixed[same])
}

#' coef() of a mixed model, a table a grouping factor: fixed effects plus the group's own deviation.
#' R adds them by name, and leaves an interaction written the other way round in two columns.
coefficients_by_group <- function(model) {
  found <- coef(model)
  fixed <- as.character(names(fixef(model)))
  if (is.data.frame(found)) .joined_columns(found, fixed)
  else stats::setNames(lapply(unclass(found), .joined_columns, fixed), names(found))
}

.joined_columns <- function(table, fixed) {
  own <- names(table)
  place <- as_in_fixed(own, fixed)
  for (i in which(place != own)) table[[place[i]]] <- table[[place[i]]] + table[[i]]
  if (any(place != own)) table[place == own] else table
}

#' The names in R's text such as "`a:b`:f", a vector for each: split at the colons outside of
#' backticks, which are taken off.
column_names_in <- function(texts) {
  pieces <- regmatches(texts, gregexpr("(?:`(?:\\\\.|[^`\\\\])*`|[^:])+", texts, perl = TRUE))
  lapply(pieces, function(p) vapply(p, .name_in, "", USE.NAMES = FALSE))
}

.name_in <- function(text) {
  if (!startsWith(text, "`")) return(text)
  read <- tryCatch(str2lang(text), error = function(e) NULL) # "`a b`high" is a factor's coefficient
  if (is.name(read)) as.character(read) else text
}
