# R packages beyond lme4 are asked for when they are needed.

#' Refuse, with the command that installs it (Python adds that), where a package is missing.
need_package <- function(package, purpose) {
  # What loading it says ("Registered S3 method overwritten") is no word on a model.
  if (!suppressMessages(requireNamespace(package, quietly = TRUE)))
    refuse("RPackageError", "R package '", package, "' is needed for ", purpose,
           ", and is not installed.")
}
