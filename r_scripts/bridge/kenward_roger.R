# The one door to Kenward-Roger.

#' A model that answers lmerTest, pbkrtest and emmeans with Kenward-Roger's adjusted covariance.
#'
#' pbkrtest computes that matrix anew for every test; here it is computed once, by either engine,
#' and handed over by the class of exact_parts.R.
kenward_roger_model <- function(fit) {
  .need_reml(fit)
  model <- lmertest_model(fit)
  if (methods::is(model, "pymlmExact") && length(model@kenward_roger)) return(model)
  kept(fit, engine_key(fit, "kenward_roger_model"),
       exact_model(model, kenward_roger_vcov(fit), own = uses_exact(fit)))
}

#' lmerTest answers with Satterthwaite, under a warning, where pbkrtest fails: an error here.
no_fallback <- function(expr) {
  withCallingHandlers(expr, warning = function(w) {
    if (grepl("Kenward-Roger", conditionMessage(w), fixed = TRUE))
      stop("Kenward-Roger failed (", conditionMessage(w), ")", call. = FALSE)
  })
}

#' Refuse Kenward-Roger where pbkrtest's matrices would not fit into memory.
#'
#' Sigma and its inverse have a block per set of rows that random effects connect, so
#' nnz = sum(size of block ^ 2), all n^2 for crossed factors. pbkrtest holds two such matrices for
#' each variance parameter and makes as many again on its way, at 12 bytes an entry; measured with
#' pbkrtest 0.5.2 on Matrix 1.5-3 (n = 5,000 crossed: 4.2 GB; this says 4.2 GB).
check_kenward_roger_memory <- function(fit, available = available_memory()) {
  model <- fit$model
  sizes <- as.numeric(tabulate(.connected_rows(model@flist, nrow(model@frame))))
  k <- lengths(model@cnms)
  n_matrices <- sum(k * (k + 1) / 2) + 1
  entries <- sum(sizes^2)
  bytes <- 12 * entries * (4 * n_matrices + 2)
  if (bytes <= available && entries < 2^31) return(invisible(bytes))
  refuse("NotSupportedError", "Kenward-Roger by pbkrtest would need about ", in_gb(bytes),
         " for its ", n_matrices, " matrices over ", nrow(model@frame), " rows; ",
         in_gb(available),
         " are free. Ask for engine='exact', which needs no such matrices, or for ",
         "ddf='Satterthwaite', which differs little at this number of rows.")
}

#' A number of bytes in words.
in_gb <- function(bytes) paste(format(signif(bytes / 2^30, 2), scientific = FALSE), "GB")

#' Bytes of memory that a program may still take; Inf where the system does not say.
available_memory <- function() {
  if (!file.exists("/proc/meminfo")) return(Inf)
  line <- grep("^MemAvailable:", readLines("/proc/meminfo"), value = TRUE)
  if (length(line)) 1024 * as.numeric(gsub("[^0-9]", "", line)) else Inf
}

# Number of the connected component of every row: rows are linked that share a level of a factor.
.connected_rows <- function(factors, n) {
  if (!length(factors)) return(seq_len(n))
  part <- as.integer(factors[[1L]])
  if (length(factors) > 1L) repeat {
    before <- part
    for (f in factors) part <- as.vector(tapply(part, f, min))[as.integer(f)]
    if (identical(before, part)) break
  }
  match(part, unique(part))
}
