# Installs the R packages that pymlm needs from CRAN, into a library that the user can write.
# For systems without r-cran-* packages (apt) or conda. Usage: Rscript install.R [all]
# With "all" also the packages that single functions use.

needed <- c("lme4", "lmerTest", "pbkrtest", "emmeans", "mlmRev")
optional <- c("RLRsim", "performance", "multcomp", "multcompView", "optimx", "dfoptim", "sandwich",
              "clubSandwich", "plm", "geepack", "lavaan", "metafor", "broom.mixed", "DHARMa")
if ("all" %in% commandArgs(trailingOnly = TRUE)) needed <- c(needed, optional)

writable <- Filter(function(p) file.access(p, 2L) == 0L, .libPaths())
if (!length(writable)) {
  library_folder <- Sys.getenv("R_LIBS_USER")
  dir.create(library_folder, recursive = TRUE, showWarnings = FALSE)
  .libPaths(c(library_folder, .libPaths()))
} else {
  library_folder <- writable[1L]
}

missing <- setdiff(needed, rownames(installed.packages()))
if (length(missing)) {
  message("Installing into ", library_folder, ": ", paste(missing, collapse = ", "))
  # Without a mirror set, the first of R's own list: the one that serves every place.
  if (identical(getOption("repos")[["CRAN"]], "@CRAN@"))
    utils::chooseCRANmirror(graphics = FALSE, ind = 1L, local.only = TRUE)
  install.packages(missing, lib = library_folder)
}
still <- setdiff(needed, rownames(installed.packages()))
if (length(still)) stop("could not be installed: ", paste(still, collapse = ", "), call. = FALSE)
