# How far a long loop is. Python, which waits for R and must not ask it anything meanwhile, looks
# into a small file: the number of steps in its first line, then a byte for each that is done. A
# step costs some microseconds, and no random number.

# By process: a forked child has its parent's folder.
.steps_file <- function() file.path(tempdir(), paste0("pymlm-steps-", Sys.getpid()))

#' lapply() whose steps are counted.
counted <- function(x, f) with_steps(length(x), function(step) lapply(x, function(i) {
  value <- f(i)
  step()
  value
}))

#' Call `f` with the function that counts one of `n` steps. What cannot be written is not counted.
with_steps <- function(n, f) {
  if (n < 2L) return(f(function() NULL))
  path <- .steps_file()
  out <- suppressWarnings(tryCatch(file(path, open = "wb"), error = function(e) NULL))
  if (is.null(out)) return(f(function() NULL))
  on.exit({
    close(out)
    unlink(path)
  })
  write <- function(text) {
    writeChar(text, out, eos = NULL)
    flush(out)
  }
  write(paste0(n, "\n"))
  f(function() write("."))
}
