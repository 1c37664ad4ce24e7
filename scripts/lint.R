# What ruff is to the Python half, for R's: lines of 100 characters; a comment above every function
# that other files or Python ask (no dot before its name), which speaks for the methods of a generic
# and for both of `wobble_native` and `wobble_result`; no function that nothing calls. R's own parser
# reads the files; nothing is run.
#
# Rscript scripts/lint.R

most_columns <- 100L

#' Function definitions at a file's top level: name, first line, and whether a comment is above.
#'
#' A comment speaks for what follows it without a blank line.
functions_in <- function(file) {
  lines <- readLines(file, encoding = "UTF-8")
  parsed <- parse(file, keep.source = TRUE, encoding = "UTF-8")
  made <- Filter(function(i) is_function(parsed[[i]]), seq_along(parsed))
  name <- vapply(made, function(i) as.character(parsed[[i]][[2L]]), "")
  at <- vapply(attr(parsed, "srcref")[made], function(ref) ref[1L], 1L)
  block <- cumsum(!nzchar(trimws(lines)))
  headed <- vapply(at, function(i) {
    any(startsWith(lines[block == block[i] & seq_along(lines) < i], "#"))
  }, NA)
  data.frame(file = rep(file, length(made)), name = name, line = at, commented = headed)
}

is_function <- function(node)
  is.call(node) && identical(node[[1L]], quote(`<-`)) && is.call(node[[3L]]) &&
    identical(node[[3L]][[1L]], quote(`function`))

#' Is it a method of one of these?
has_generic <- function(name, generics) vapply(strsplit(name, ".", fixed = TRUE), function(parts) {
  any(vapply(seq_len(length(parts) - 1L), function(k) {
    paste(parts[seq_len(k)], collapse = ".") %in% generics
  }, NA))
}, NA)

#' Is it said by the comment of another: of the generic of a method, of the first of a pair?
said_elsewhere <- function(name, said) {
  said <- c(said, sub("_native$", "_result", said))
  name %in% said | has_generic(name, said)
}

#' Does no text of the project name it? Methods and pairs are named by their stem.
unused <- function(made, words) {
  times <- table(words)
  named <- function(name) ifelse(name %in% names(times), times[name], 0L)
  called <- sub("<-$", "", made$name)
  stem <- sub("_(native|result)$", "", called)
  used <- named(called) > 1L | stem != called & named(stem) > 0L
  !used & !has_generic(made$name, made$name) & !startsWith(made$name, "print.")
}

files <- sort(list.files(c("r_scripts/bridge", "r_scripts/reference"), "[.]R$", full.names = TRUE))
long <- unlist(lapply(files, function(f) {
  width <- nchar(readLines(f, encoding = "UTF-8"), "chars")
  if (any(width > most_columns))
    sprintf("%s:%d: %d characters", f, which(width > most_columns), width[width > most_columns])
}))

made <- do.call(rbind, lapply(files[startsWith(files, "r_scripts/bridge")], functions_in))
inner <- startsWith(made$name, ".")
bare <- made[!inner & !made$commented & !said_elsewhere(made$name, made$name[made$commented]), ]
users <- c(files, list.files(c("pymlm", "tests", "benchmarks"), "[.]py$", full.names = TRUE,
                             recursive = TRUE))
texts <- unlist(lapply(users, readLines, encoding = "UTF-8", warn = FALSE))
idle <- made[unused(made, unlist(regmatches(texts, gregexpr("[.\\w%|]+", texts, perl = TRUE)))), ]

found <- c(long,
           sprintf("%s:%d: %s has no comment above it", bare$file, bare$line, bare$name),
           sprintf("%s:%d: nothing calls %s", idle$file, idle$line, idle$name))
if (length(found)) {
  writeLines(found)
  quit(status = 1L)
}
cat("R: all checks passed (", nrow(made), " functions)\n", sep = "")
