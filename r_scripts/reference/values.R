# Every value of a serialized R object by its path, and where two of them differ. Functions are left
# out: R compiles them when they are used, and a reference class installs its methods when first
# called.

values <- function(object) {
  found <- list()
  seen <- list()
  aside <- c(".refClassDef", ".self", "...")
  walk <- function(x, path) {
    if (is.function(x) || typeof(x) %in% c("externalptr", "weakref")) return()
    if (is.environment(x)) return(inside(x, path))
    if (is.language(x)) found[[path]] <<- paste(deparse(x), collapse = "\n")
    else if (is.list(x)) for (i in seq_along(x)) walk(x[[i]], paste0(path, "[[", i, "]]"))
    else if (typeof(x) != "S4") found[[path]] <<- as.vector(x)
    parts <- attributes(x)
    for (name in setdiff(names(parts), "srcref")) walk(parts[[name]], paste0(path, "@", name))
  }
  inside <- function(env, path) {
    known <- vapply(seen, identical, NA, env)
    if (any(known) || isNamespace(env) || identical(env, globalenv()) ||
        identical(env, baseenv()) || identical(env, emptyenv())) return()
    seen[[length(seen) + 1L]] <<- env
    for (name in setdiff(ls(env, all.names = TRUE), aside))
      walk(env[[name]], paste0(path, "$", name))
    walk(parent.env(env), paste0(path, "^"))
  }
  walk(object, "model")
  found
}

read_object <- function(file) unserialize(readBin(file, "raw", file.size(file)))

# Paths of values that are not the same in two files.
changed_values <- function(before, after) {
  old <- values(read_object(before))
  new <- values(read_object(after))
  paths <- union(names(old), names(new))
  paths[!vapply(paths, function(p) identical(old[[p]], new[[p]]), NA)]
}
