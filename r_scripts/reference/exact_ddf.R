# Reference for the exact degrees of freedom: what lmerTest and pbkrtest answer themselves.
#
#   Rscript exact_ddf.R <bridge file> <output directory> [model ...]
#
# For every model a directory with one binary file of doubles per quantity (little endian, arrays by
# columns) and index.csv, which names them with their dimensions. The parts come from the bridge's
# own exact_parts(), so that this function is tested too.

suppressMessages({
  library(lme4)
  library(lmerTest)
})
arguments <- commandArgs(trailingOnly = TRUE)
bridge <- new.env(parent = asNamespace("lme4"))
for (file in c(file.path(dirname(arguments[1L]), "versions.R"), arguments[1L]))
  sys.source(file, bridge)

weighted <- transform(lme4::sleepstudy, w = rep(c(0.5, 1, 2, 4), length.out = 180),
                      shift = rep(c(0, 5, -5), length.out = 180))
unoptimized <- lmerControl(optimizer = NULL, calc.derivs = FALSE)
fit <- function(formula, data, ...) {
  # The data are named in the call, since lmerTest evaluates it again.
  eval(bquote(lme4::lmer(.(formula), data = .(substitute(data)), ..(list(...))), splice = TRUE))
}
scots <- droplevels(subset(mlmRev::ScotsSec, as.integer(primary) %% 4L == 0L))
egsingle <- droplevels(subset(mlmRev::egsingle, as.integer(schoolid) %% 6L == 0L))
inst <- droplevels(subset(lme4::InstEval, as.integer(s) %% 20L == 0L & as.integer(d) %% 4L == 0L))

# kr: whether pbkrtest can serve as reference. It cannot for ML (it refits) or for prior weights
# (it ignores them in Sigma).
models <- list(
  sleepstudy = function() fit(Reaction ~ Days + (Days | Subject), sleepstudy),
  sleepstudy_quadratic = function() fit(Reaction ~ Days + I(Days^2) + (Days | Subject), sleepstudy),
  sleepstudy_zerocorr = function() fit(Reaction ~ Days + (Days || Subject), sleepstudy),
  sleepstudy_ml = function() fit(Reaction ~ Days + (Days | Subject), sleepstudy, REML = FALSE),
  sleepstudy_weights = function()
    fit(Reaction ~ Days + (Days | Subject), weighted, weights = quote(w), offset = quote(shift)),
  sleepstudy_offset = function() fit(Reaction ~ Days + offset(shift) + (1 | Subject), weighted),
  dyestuff = function() fit(Yield ~ 1 + (1 | Batch), Dyestuff),
  dyestuff2_boundary = function() fit(Yield ~ 1 + (1 | Batch), Dyestuff2),
  dyestuff2_boundary_ml = function() fit(Yield ~ 1 + (1 | Batch), Dyestuff2, REML = FALSE),
  # Not an optimum: the Hessian has a negative eigenvalue there.
  dyestuff_indefinite = function()
    fit(Yield ~ 1 + (1 | Batch), Dyestuff, start = 6, control = quote(unoptimized)),
  penicillin_crossed = function() fit(diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin),
  pastes_nested = function() fit(strength ~ 1 + (1 | batch / cask), Pastes),
  cake = function() fit(angle ~ recipe * temperature + (1 | recipe:replicate), cake),
  cake_rank_deficient = function()
    fit(angle ~ temp + temperature + recipe + (1 | recipe:replicate), cake),
  machines = function() fit(score ~ Machine + (Machine | Worker), nlme::Machines),
  oats_nested = function() fit(yield ~ nitro * Variety + (1 | Block / Variety), nlme::Oats),
  orthodont = function() fit(distance ~ I(age - 11) * Sex + (I(age - 11) | Subject),
                             nlme::Orthodont),
  ham_crossed = function()
    fit(Informed.liking ~ Product * Information + (1 | Consumer) + (1 | Product:Consumer), ham),
  carrots = function() fit(Preference ~ sens2 + Homesize + (1 + sens2 | Consumer), carrots),
  exam = function() fit(normexam ~ standLRT * sex + (standLRT | school), mlmRev::Exam),
  hsb82 = function()
    fit(mAch ~ meanses * cses + sector * cses + (cses | school), mlmRev::Hsb82),
  scots_crossed = function() fit(attain ~ verbal * sex + (1 | primary) + (1 | second), scots),
  egsingle_three_level = function()
    fit(math ~ year * female + (year | schoolid / childid), egsingle),
  insteval_crossed = function() fit(y ~ service + (1 | s) + (1 | d) + (1 | dept), inst)
)
no_kenward_roger <- c("sleepstudy_ml", "sleepstudy_weights", "dyestuff2_boundary_ml")

write_parts <- function(values, directory) {
  dir.create(directory, recursive = TRUE, showWarnings = FALSE)
  rows <- lapply(names(values), function(name) {
    value <- values[[name]]
    writeBin(as.double(value), file.path(directory, paste0(name, ".bin")), endian = "little")
    size <- if (is.null(dim(value))) length(value) else dim(value)
    data.frame(name = name, dim = paste(size, collapse = " "))
  })
  utils::write.csv(do.call(rbind, rows), file.path(directory, "index.csv"), row.names = FALSE)
}

flatten <- function(parts) {
  for (name in c("zt", "lambdat")) {
    slots <- parts[[name]]
    names(slots) <- paste(name, names(slots), sep = ".")
    parts <- c(parts[names(parts) != name], slots)
  }
  parts
}

contrast <- function(p) diag(p)[seq_len(p)[if (p > 1L) -1L else 1L], , drop = FALSE]

for (name in if (length(arguments) > 2L) arguments[-(1:2)] else names(models)) {
  model <- suppressWarnings(suppressMessages(models[[name]]()))
  warned <- character()
  tested <- withCallingHandlers(lmerTest::as_lmerModLmerTest(model), warning = function(w) {
    warned <<- c(warned, conditionMessage(w))
    invokeRestart("muffleWarning")
  })
  p <- length(fixef(model))
  values <- flatten(bridge$exact_parts(model))
  values$vcov_varpar <- tested@vcov_varpar
  values$jac <- array(unlist(tested@Jac_list), c(p, p, length(tested@Jac_list)))
  values$vcov_beta <- tested@vcov_beta
  one <- lmerTest::contest(tested, diag(p), joint = FALSE)
  values$satterthwaite_df <- one$df
  joint <- lmerTest::contest(tested, contrast(p))
  values$satterthwaite_f <- c(joint$`F value`, joint$NumDF, joint$DenDF)
  if (!name %in% no_kenward_roger) {
    adjusted <- pbkrtest::vcovAdj(model)
    values$phi_adj <- as.matrix(adjusted)
    values$P <- array(unlist(lapply(attr(adjusted, "P"), function(m) as.numeric(as.matrix(m)))),
                      c(p, p, length(attr(adjusted, "P"))))
    values$W <- as.matrix(attr(adjusted, "W"))
    values$condi <- attr(adjusted, "condi")
    values$kenward_roger_df <- vapply(seq_len(p), function(i)
      pbkrtest::Lb_ddf(diag(p)[i, ], vcov(model), adjusted), 0)
    f <- pbkrtest::KRmodcomp(model, contrast(p))
    values$kenward_roger_f <- c(f$stats$FstatU, f$stats$ndf, f$stats$ddf, f$stats$F.scaling)
  }
  write_parts(values, file.path(arguments[2L], name))
  writeLines(warned, file.path(arguments[2L], name, "warnings.txt"))
}
