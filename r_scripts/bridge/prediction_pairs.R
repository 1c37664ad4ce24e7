# Conditional variances of sums of random effects in crossed data, from one dense matrix.
#
# The variance of z'b given the data is sigma^2 u'M^-1 u, u = Lambda'z, M = Lambda'Z'WZ Lambda + I
# (Bates et al. 2015, section 3, doi:10.18637/jss.v067.i01). A row has few coefficients, so M^-1 is
# needed at few pairs of them. With the coefficients of the factor that has most (1) eliminated,
# M11 = LL', and those of the others (2),
#
#     u'M^-1 v = (L^-1 u1)'(L^-1 v1) + w(u)' S^-1 w(v),    w(u) = u2 - M21 M11^-1 u1,
#     S = M22 - M21 M11^-1 M12:
#
# M11 has one small block a level, w is as sparse as the data are, and only S is dense.

# A dense S (200 MB at most); an M12 as large as that is held in the same memory.
.outer_limit <- 5000L
.coupling_limit <- 2e7
# Numbers of a block of columns of S^-1 w, and pairs of coefficients that are looked up at once.
.pair_block <- 1e7
# A factor with fewer entries than this share of a dense triangle (nested data) is solved with as
# it is.
.dense_share <- 0.1

#' u'M^-1 u of each column of zt, or NULL where solving with the fit's own factor is the better way:
#' few columns, nested factors, members of several levels, or an S that is too large.
squares_by_pairs <- function(model, part, zt) {
  used <- which(Matrix::rowSums(zt != 0) > 0)
  inner <- .largest_factor(model)
  outer <- sum(!inner$is)
  if (outer == 0L || outer > .outer_limit || outer > min(length(used), ncol(zt)) ||
      Matrix::nnzero(as(part$L, "sparseMatrix")) < .dense_share * outer^2 / 2)
    return(NULL)
  halves <- .eliminated(model, part$Lambdat[, used, drop = FALSE], inner)
  if (is.null(halves)) return(NULL)
  zt <- Matrix::drop0(as(zt[used, , drop = FALSE], "CsparseMatrix"))
  own <- halves$inner %*% zt
  Matrix::colSums(own^2) + .pair_sums(zt, halves$outer, halves$inverse)
}

# Which coefficients belong to the factor that has most of them, its levels and coefficients a
# level.
.largest_factor <- function(model) {
  factors <- attr(model@flist, "assign")
  sizes <- diff(model@Gp)
  largest <- which.max(tapply(sizes, factor(factors, seq_along(model@flist)), sum, default = 0))
  is <- rep(factors == largest, sizes)
  levels <- nlevels(model@flist[[largest]])
  list(is = is, levels = levels, each = sum(is) / levels)
}

# L^-1 u1 and w(u) of the columns u, and S^-1; NULL where M11 is not block-diagonal or M12 too
# large.
.eliminated <- function(model, u, inner) {
  one <- which(inner$is)
  two <- which(!inner$is)
  rows <- model@pp$LamtUt
  first <- rows[one, , drop = FALSE]
  second <- rows[two, , drop = FALSE]
  m11 <- Matrix::tcrossprod(first)
  m12 <- Matrix::tcrossprod(first, second)
  if (Matrix::nnzero(m11) > inner$levels * inner$each^2 || Matrix::nnzero(m12) > .coupling_limit)
    return(NULL)
  factor <- Matrix::Cholesky(m11, LDL = FALSE, super = FALSE, Imult = 1)
  half <- function(x) solve(factor, solve(factor, x, system = "P"), system = "L")
  coupling <- half(m12)
  s <- as.matrix(Matrix::tcrossprod(second) - Matrix::crossprod(coupling))
  diag(s) <- diag(s) + 1
  top <- half(u[one, , drop = FALSE])
  list(inner = top, inverse = chol2inv(chol(s)),
       outer = as(u[two, , drop = FALSE] - Matrix::crossprod(coupling, top), "CsparseMatrix"))
}

# For each column z of zt: sum over i, j of z_i z_j w_i'S^-1 w_j, in blocks of columns.
.pair_sums <- function(zt, w, inverse) {
  lengths <- diff(zt@p)
  out <- numeric(ncol(zt))
  filled <- which(lengths > 0) # a row of new levels has none
  for (columns in split(filled, cumsum(lengths * (lengths + 1) / 2)[filled] %/% .pair_block)) {
    pairs <- .pairs_of(zt, columns, lengths)
    key <- pmin(pairs$i, pairs$j) * as.numeric(ncol(w)) + pmax(pairs$i, pairs$j)
    once <- which(!duplicated(key))
    value <- .pair_products(w, inverse, pairs$i[once] + 1L, pairs$j[once] + 1L)
    terms <- pairs$x * value[match(key, key[once])]
    sums <- rowsum(terms, pairs$column)
    out[as.integer(rownames(sums))] <- sums
  }
  out
}

# The pairs of entries of each column: where they stand (from 0), their product, twice if they
# differ.
.pairs_of <- function(zt, columns, lengths) {
  found <- lapply(split(columns, lengths[columns]), function(same) {
    k <- lengths[same[1L]]
    of <- expand.grid(a = seq_len(k), b = seq_len(k))
    of <- of[of$a <= of$b, ]
    a <- as.integer(outer(zt@p[same], of$a, `+`))
    b <- as.integer(outer(zt@p[same], of$b, `+`))
    list(column = rep(same, nrow(of)), i = zt@i[a], j = zt@i[b],
         x = zt@x[a] * zt@x[b] * ifelse(a == b, 1, 2))
  })
  joined <- function(name) unlist(lapply(found, `[[`, name), use.names = FALSE)
  list(column = joined("column"), i = joined("i"), j = joined("j"), x = joined("x"))
}

# w_i'S^-1 w_j of pairs of columns: S^-1 w_j is made once for each j, at the entries of the sparser.
.pair_products <- function(w, inverse, i, j) {
  entries <- diff(w@p)
  swap <- entries[i] > entries[j]
  sparse <- ifelse(swap, j, i)
  dense <- ifelse(swap, i, j)
  columns <- sort(unique(dense))
  block <- (match(dense, columns) - 1L) %/% max(1L, as.integer(.pair_block / nrow(w)))
  out <- numeric(length(i))
  for (at in split(seq_along(i), block)) {
    here <- sort(unique(dense[at]))
    product <- as.numeric(inverse %*% w[, here, drop = FALSE])
    lengths <- entries[sparse[at]]
    entry <- sequence(lengths, from = w@p[sparse[at]] + 1L)
    place <- rep((match(dense[at], here) - 1) * nrow(w), lengths) + w@i[entry] + 1
    sums <- rowsum(w@x[entry] * product[place], rep(seq_along(at), lengths))
    out[at[as.integer(rownames(sums))]] <- sums
  }
  out
}
