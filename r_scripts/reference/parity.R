# Native R's side of pymlm.check_parity: reads call and data from a folder, fits, and writes every
# number. Run by plain Rscript; knows nothing of the bridge.

suppressMessages({library(lme4); library(splines)})
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "emit.R"))
folder <- commandArgs(trailingOnly = TRUE)[1L]
at <- function(name) file.path(folder, name)
lines_of <- function(name) readLines(at(name), encoding = "UTF-8", warn = FALSE)
# Lines in which %0A stands for a line break, and so on for every control character.
texts_of <- function(name) {
  x <- lines_of(name)
  for (i in grep("%", x, fixed = TRUE)) {
    x[i] <- utils::URLdecode(x[i])
    Encoding(x[i]) <- "UTF-8"
  }
  x
}

read_column <- function(i, kind) {
  file <- at(paste0("column", i))
  n <- file.size(file)
  switch(kind,
    double = readBin(file, "double", n / 8, endian = "little"),
    integer = {
      x <- readBin(file, "double", n / 8, endian = "little")
      if (all(abs(x) < 2^31, na.rm = TRUE)) as.integer(x) else x
    },
    logical = {
      x <- readBin(file, "integer", n / 4, size = 4L, endian = "little")
      x[x < 0L] <- NA
      as.logical(x)
    },
    POSIXct = as.POSIXct(readBin(file, "double", n / 8, endian = "little"), origin = "1970-01-01",
                         tz = "UTC"),
    Date = structure(readBin(file, "double", n / 8, endian = "little"), class = "Date"),
    difftime = as.difftime(readBin(file, "double", n / 8, endian = "little"), units = "secs"),
    {
      codes <- readBin(file, "integer", n / 4, size = 4L, endian = "little")
      codes[codes == 0L] <- NA
      levels <- texts_of(paste0("column", i, ".levels"))
      if (kind == "text") factor(levels[codes])
      else factor(levels[codes], levels = levels, ordered = kind == "ordered")
    })
}

if (identical(lines_of("route.txt"), "numpy")) {
  kinds <- lines_of("kinds.txt")
  data <- lapply(seq_along(kinds), function(i) read_column(i - 1L, kinds[i]))
  names(data) <- texts_of("names.txt")
  data <- as.data.frame(data, optional = TRUE, stringsAsFactors = FALSE)
  assign(texts_of("name.txt"), data)
} else {
  list2env(readRDS(at("objects.rds")), globalenv())
}

quietly <- function(expr) suppressMessages(suppressWarnings(expr))
call <- parse(text = paste(lines_of("call.R"), collapse = "\n"))[[1L]]
if (as.character(call[[1L]])[1L] %in% c("lme", "gls")) suppressMessages(library(nlme))

# The same call with an optimizer that goes to given estimates and stays there: native R's numbers
# where another optimizer stopped. The first stage of glmer, which optimizes theta alone, is left as
# it is: lme4 evaluates the second from the modes that it leads to.
at_estimates <- function(call, theta, beta) {
  stay <- function(fn, par, lower, upper, control) {
    par[] <- c(theta, beta)[seq_along(par)]
    list(par = par, fval = fn(par), conv = 0, feval = 1L, message = "")
  }
  linear <- is.null(beta)
  control <- if (!is.null(call$control)) eval(call$control) else
    if (linear) lmerControl() else glmerControl()
  control$optimizer <- if (linear) stay else
    if (identical(as.numeric(call$nAGQ), 0)) list(stay) else
    list(control$optimizer[[1L]], stay)
  control$restart_edge <- FALSE
  control$boundary.tol <- 0
  call$control <- control
  quietly(eval(call))
}

given <- lapply(c(theta = "theta.bin", beta = "beta.bin"), function(name)
  if (file.exists(at(name)))
    readBin(at(name), "double", file.size(at(name)) / 8, endian = "little"))
model <- if (is.null(given$theta)) quietly(eval(call)) else
  at_estimates(call, given$theta, given$beta)
if (inherits(model, "lmerModLmerTest")) model <- as(model, "lmerMod")

columns <- c(Estimate = "estimate", "Std. Error" = "std_error", df = "df", "t value" = "statistic",
             "z value" = "statistic", "Pr(>|t|)" = "p_value", "Pr(>|z|)" = "p_value",
             # nlme's names
             Value = "estimate", "Std.Error" = "std_error", DF = "df", "t-value" = "statistic",
             "p-value" = "p_value")
flat <- function(m) {
  out <- list()
  for (column in colnames(m)) for (term in rownames(m))
    out[[paste(term, columns[[column]])]] <- m[term, column]
  out
}
numbered <- function(name, x)
  if (length(x)) setNames(as.numeric(x), paste(name, seq_along(x)))
cells <- function(m) stats::setNames(as.list(m), outer(rownames(m), colnames(m), paste))

# --- what is asked of each class of models --------------------------------------------------------

numbers <- function(model) UseMethod("numbers")

numbers.merMod <- function(model) {
  answer <- list("summary[lme4]" = flat(coef(summary(model))))
  for (ddf in lines_of("ddf.txt")) {
    tested <- lmerTest::as_lmerModLmerTest(model)
    answer[[paste0("summary[", ddf, "]")]] <- flat(coef(summary(tested, ddf = ddf)))
  }
  vc <- as.data.frame(VarCorr(model))
  label <- apply(vc[c("grp", "var1", "var2")], 1L, function(x) paste(x[!is.na(x)], collapse = " "))
  answer$VarCorr <- as.list(c(setNames(vc$vcov, paste(label, "vcov")),
                              setNames(vc$sdcor, paste(label, "sdcor"))))
  modes <- as.data.frame(ranef(model, condVar = TRUE))
  for (g in unique(modes$grpvar)) {
    part <- modes[modes$grpvar == g, ]
    name <- paste(part$grp, part$term)
    answer[[paste("ranef", g)]] <- as.list(c(setNames(part$condval, paste(name, "condval")),
                                             setNames(part$condsd, paste(name, "condsd"))))
  }
  answer$theta <- as.list(setNames(model@theta, seq_along(model@theta)))
  answer
}

numbers.lm <- function(model) {
  s <- summary(model)
  # R prints the residual degrees of freedom once; z tests have none.
  df <- if ("t value" %in% colnames(coef(s))) cbind(df = rep(df.residual(model), nrow(coef(s))))
  answer <- list(summary = flat(cbind(coef(s), df)), vcov = cells(vcov(model, complete = FALSE)),
                 deviance = list(deviance = deviance(model)))
  if (inherits(model, "glm"))
    answer$deviance <- c(answer$deviance, list(null.deviance = model$null.deviance,
                                               dispersion = s$dispersion))
  else answer$fit <- list(r.squared = s$r.squared, adj.r.squared = s$adj.r.squared,
                          f = s$fstatistic[["value"]], f.num_df = s$fstatistic[["numdf"]],
                          f.den_df = s$fstatistic[["dendf"]])
  answer
}

numbers.lme <- numbers.gls <- function(model) {
  s <- summary(model)$tTable
  if (!"DF" %in% colnames(s)) s <- cbind(s, DF = model$dims$N - model$dims$p)
  answer <- list(summary = flat(s))
  if (inherits(model, "lme")) {
    answer$VarCorr <- nlme_variances(model)
    modes <- nlme::ranef(model)
    if (is.data.frame(modes)) modes <- setNames(list(modes), names(model$groups)[1L])
    for (g in names(modes)) answer[[paste("ranef", g)]] <- {
      found <- cells(as.matrix(modes[[g]]))
      setNames(found, paste(names(found), "condval"))
    }
  }
  structure <- model$modelStruct
  cor <- if (!is.null(structure$corStruct)) coef(structure$corStruct, unconstrained = FALSE)
  ratio <- if (!is.null(structure$varStruct))
    coef(structure$varStruct, unconstrained = FALSE, allCoef = TRUE)
  answer$structure <- as.list(c(numbered("correlation", cor), numbered("ratio", ratio)))
  answer
}

# nlme's VarCorr() is text; its numbers are these.
nlme_variances <- function(model) {
  s <- model$sigma
  out <- list("Residual vcov" = s^2, "Residual sdcor" = s)
  for (g in names(model$modelStruct$reStruct)) {
    V <- nlme::pdMatrix(model$modelStruct$reStruct[[g]]) * s^2
    sd <- sqrt(diag(V))
    for (i in seq_len(nrow(V))) for (j in seq_len(i)) {
      name <- paste(c(g, colnames(V)[j], if (i != j) rownames(V)[i]), collapse = " ")
      out[[paste(name, "vcov")]] <- V[i, j]
      out[[paste(name, "sdcor")]] <- if (i == j) sd[[i]] else V[i, j] / (sd[[i]] * sd[[j]])
    }
  }
  out
}

fits <- unname(fitted(model))
counted <- logLik(model)
answer <- c(
  list(r_version = paste(R.version$major, R.version$minor, sep = ".")), numbers(model),
  list(fitted = as.list(setNames(as.numeric(fits), seq_along(fits))),
       criteria = list(
         logLik = as.numeric(counted), AIC = AIC(model), BIC = BIC(model), sigma = sigma(model),
         df.residual = if (inherits(model, c("lme", "gls"))) model$dims$N - nrow(vcov(model))
         else df.residual(model),
         nobs = nobs(model), npar = attr(counted, "df"))))

sink(at("answer.json"))
emit(answer)
sink()
