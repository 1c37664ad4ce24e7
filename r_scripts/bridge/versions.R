# Everything that differs between versions of R's packages. What a version can do is asked of its
# namespace, not read from its number; what it returns is matched by name, not by position.

.lme4_knows <- function(name) exists(name, envir = asNamespace("lme4"), inherits = FALSE)

# --- formulas -------------------------------------------------------------------------------------

# These tools moved to reformulas with lme4 1.1-36; lme4's own warn that they have, wherever called.
.formula_tool <- function(name) {
  moved <- "reformulas" %in% names(getNamespaceImports("lme4"))
  getExportedValue(if (moved) "reformulas" else "lme4", name)
}

findbars <- .formula_tool("findbars")
nobars <- .formula_tool("nobars")
subbars <- .formula_tool("subbars")
mkReTrms <- .formula_tool("mkReTrms")
isNested <- .formula_tool("isNested")
expandDoubleVerts <- .formula_tool("expandDoubleVerts")

#' Covariance structures that a formula may name: us(x | g), diag(), cs(), ar1() since lme4 2.0.
covariance_structures <- c("us", "diag", "cs", "ar1")
knows_structures <- function() .lme4_knows("getReCovs")

#' The random terms of a formula as they would be written, "(" or a structure's name before the bar.
written_bars <- function(formula) {
  if (!knows_structures()) return(lapply(findbars(formula), function(b) call("(", b)))
  reformulas::findbars_x(formula, specials = covariance_structures, default.special = "(",
                         expand_doublevert_method = "split")
}

# --- models ---------------------------------------------------------------------------------------

# Where lme4 2 keeps the upper bounds and the structures of a model: in attributes, which as()
# drops.
kept_beside_slots <- c("upper", "reCovs")

#' The model as one of another class, lme4's or lmerTest's, with all that it has.
as_class <- function(model, class) {
  made <- methods::as(model, class)
  for (name in kept_beside_slots) attr(made, name) <- attr(model, name)
  made
}

#' Has the model a scale that is estimated? VarCorr()'s own word for it became FALSE for GLMMs.
has_scale <- function(model) as.logical(model@devcomp$dims[["useSc"]])

#' Has the model a random term whose covariance matrix is not any (lme4 2's diag, cs, ar1)?
is_structured <- function(model) {
  isS4(model) && knows_structures() &&
    any(vapply(term_structures(model), function(s) s$class != "us", NA))
}

# Structure of each random term: its class ("us", "diag", "cs", "ar1"), and whether it has one
# standard deviation for all coefficients.
term_structures <- function(model) {
  if (!knows_structures()) return(rep(list(list(class = "us", hom = FALSE)), length(model@cnms)))
  lapply(utils::getFromNamespace("getReCovs", "lme4")(model), function(s) list(
    class = sub("^Covariance[.]", "", class(s)[1L]),
    hom = methods::.hasSlot(s, "hom") && isTRUE(s@hom)))
}

#' How many parameters a term of k coefficients has.
structure_size <- function(structure, k) {
  if (structure$class == "us") return(k * (k + 1L) / 2L)
  (if (structure$hom) 1L else k) + (structure$class != "diag" && k > 1L)
}

#' -2 log L of a table of models, a column that lme4 1.1-36 renamed.
minus_two_loglik <- function(table) {
  table[[intersect(c("deviance", .deviance_since), names(table))[1L]]]
}
.deviance_since <- "-2*log(L)"

#' What stands in a summary's header, under the names of lme4 1.1-31.
named_criteria <- function(values) {
  names(values)[names(values) == .deviance_since] <- "deviance"
  as.list(values)
}

#' Refuse what does not know covariance structures and would take each for an unstructured one.
need_unstructured <- function(model, what, instead) {
  if (!is_structured(model)) return(invisible())
  named <- unique(vapply(term_structures(model), `[[`, "", "class"))
  refuse("NotSupportedError", what,
         " takes the random effects' covariance matrices as unstructured; ",
         "this model has ", paste0(setdiff(named, "us"), "()", collapse = " and "), ". ", instead)
}

#' What lme4 optimizes over: theta, or where a structure has fewer parameters than elements, those.
optimized_parameters <- function(model) {
  found <- if (knows_structures()) getME(model, "par") else getME(model, "theta")
  list(names = names(found), values = unname(found))
}

#' The argument of influence() for one refit after the other; `ncores` was renamed in lme4 2.
influence_alone <- function() {
  known <- names(formals(utils::getS3method("influence", "merMod", envir = asNamespace("lme4"))))
  if ("parallel" %in% known) list(parallel = "no") else list(ncores = 1L)
}

# --- parameters -----------------------------------------------------------------------------------

#' The parameters of a model's random effects and its scale, in the order of profile(), confint()
#' and bootMer(): lme4 1.1 has sd, cor, sd for an intercept and a slope, lme4 2 sd, sd, cor.
#'
#' @return data frame: name ("sd_Days|Subject"), r (".sig01"), kind ("sd", "cor", "sigma"), grp as
#'   VarCorr() has it, and the coefficients var1, var2. A structure's one standard deviation for all
#'   has var1 "*", its one correlation var1 "rho".
variance_parameters <- function(model) {
  groups <- names(VarCorr(model))
  structures <- term_structures(model)
  parts <- lapply(seq_along(model@cnms), function(i)
    .term_parameters(model@cnms[[i]], names(model@cnms)[i], groups[i], structures[[i]]))
  out <- do.call(rbind, parts)
  rownames(out) <- NULL
  out$r <- sprintf(".sig%02d", seq_len(nrow(out)))
  if (has_scale(model)) out <- rbind(out, data.frame(
    name = "sigma", kind = "sigma", grp = "Residual", var1 = NA_character_, var2 = NA_character_,
    r = ".sigma"))
  out
}

.term_parameters <- function(coefs, written, group, structure) {
  row <- function(kind, var1, var2) data.frame(
    name = paste0(kind, "_", var1, ifelse(is.na(var2), "", paste0(".", var2)), "|", written),
    kind = kind, grp = group, var1 = var1, var2 = var2)
  k <- length(coefs)
  if (structure$class != "us") {
    sd <- row("sd", if (structure$hom) "*" else coefs, NA_character_)
    return(if (structure$class == "diag" || k < 2L) sd else
           rbind(sd, row("cor", "rho", NA_character_)))
  }
  at <- which(lower.tri(diag(k), diag = TRUE), arr.ind = TRUE)
  if (knows_structures()) at <- at[order(at[, 1L] != at[, 2L]), , drop = FALSE]
  own <- at[, 1L] == at[, 2L]
  row(ifelse(own, "sd", "cor"), coefs[at[, 1L]], ifelse(own, NA_character_, coefs[at[, 2L]]))
}

#' Their values, in the order of variance_parameters(): what confint(method = "boot") bootstraps. A
#' GLMM's standard deviations are those of theta, whether its scale is estimated or not.
variance_values <- function(model) {
  scale <- if (!lme4::isGLMM(model)) stats::sigma(model)
  inside <- function(name) utils::getFromNamespace(name, "lme4")
  values <- if (knows_structures()) inside("getProfPar")(model, profscale = "sdcor", sc = scale)
  else if (is.null(scale)) inside("Cv_to_Sv")(model@theta, n = lengths(model@cnms))
  else inside("Cv_to_Sv")(model@theta, n = lengths(model@cnms), s = scale)
  c(unname(as.numeric(values)), if (is.null(scale) && has_scale(model)) stats::sigma(model))
}

# --- pbkrtest -------------------------------------------------------------------------------------

#' pbkrtest::SATmodcomp(). That of 0.5.5 asks a restriction matrix for its formula when all is done;
#' it is given as the column space of a smaller model would be, under its own name.
sat_modcomp <- function(model, restriction) {
  if (!is.matrix(restriction)) return(pbkrtest::SATmodcomp(model, restriction))
  tryCatch(pbkrtest::SATmodcomp(model, restriction), error = function(e) {
    if (!grepl("invalid formula", conditionMessage(e))) stop(e)
    worker <- utils::getFromNamespace("SATmodcomp_worker", "pbkrtest")
    environment(worker) <- list2env(list(formula = function(x, ...)
      if (is.matrix(x)) x else stats::formula(x, ...)), parent = asNamespace("pbkrtest"))
    worker(model, restriction)
  })
}

# --- lmerTest -------------------------------------------------------------------------------------

#' A function of lmerTest, as it was before 3.2: that pastes a response such as log(y) in pieces,
#' and a name without the backticks that it needs, in ranova() and so in step().
well_written <- function(name) {
  lmerTest <- asNamespace("lmerTest")
  home <- list2env(list(paste0 = function(..., collapse = NULL) {
    written <- lapply(list(...), function(x)
      if (is.language(x)) paste(deparse(x, 500L, backtick = TRUE), collapse = " ") else x)
    do.call(base::paste0, c(written, list(collapse = collapse)))
  }), parent = lmerTest)
  for (part in c("ranova", "reduce_random", "step.lmerModLmerTest")) {
    home[[part]] <- lmerTest[[part]]
    environment(home[[part]]) <- home
  }
  home[[name]]
}

# --- profiles -------------------------------------------------------------------------------------

#' stats::profile() of a mixed model, the same numbers in a part of the time: without the
#' derivatives that lme4 takes at each of some hundred optima and does not use, and, in lme4 2,
#' without the S4 objects that it makes at each evaluation (it takes eight times as long as lme4 1.1
#' with them). lme4 2.1's names of a structure with one standard deviation are wrong; they are ours.
quick_profile <- function(model, which) {
  lme4 <- asNamespace("lme4")
  ours <- new.env(parent = lme4)
  ours$optwrap <- function(...) lme4$optwrap(..., calc.derivs = FALSE)
  profile <- utils::getS3method("profile", "merMod", envir = lme4)
  if (knows_structures()) {
    structures <- term_structures(model)
    ours$profnames <- function(object, ...) variance_parameters(object)$name
    ours$convProfParToPar <- function(value, object, profscale, sc = NULL)
      .parameters_of_profile(value, object@cnms, structures, sc)
    ours$devfun2 <- lme4$devfun2
    environment(ours$devfun2) <- ours
  }
  environment(profile) <- ours
  profile(model, which = which, signames = FALSE)
}

# lme4 2's convProfParToPar(): standard deviations (over sc) and correlations to what it optimizes
# over: of an unstructured term the triangle of theta, with lme4's own Cholesky factor, of a
# structure its standard deviations and its correlation as they are.
.parameters_of_profile <- function(value, cnms, structures, sc) {
  at <- 0L
  unlist(Map(function(k, structure) {
    size <- structure_size(structure, k)
    own <- value[at + seq_len(size)]
    at <<- at + size
    sds <- seq_len(if (structure$hom) 1L else k)
    if (!is.null(sc)) own[sds] <- own[sds] / sc
    if (structure$class == "us" && k > 1L) .triangle(own[sds], own[-sds]) else own
  }, lengths(cnms, use.names = FALSE), structures), use.names = FALSE)
}

.triangle <- function(sd, cor) {
  k <- length(sd)
  full <- diag(k)
  full[lower.tri(full)] <- cor
  factor <- t(asNamespace("lme4")$semichol(t(full)) * rep(sd, each = k))
  factor[lower.tri(factor, diag = TRUE)]
}
