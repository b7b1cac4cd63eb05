# The answers that tests/test_mixed_diagnostics.py compares with: lme4's residuals and predicted effects, and what
# leaving out one respondent (one team, where the set has them) does to the coefficients, the covariance of the answers
# as it is, by refitting generalised least squares without them. Run here, after linear.R: Rscript diagnostics.R

source("models.R")

moment <- function(x, degree) mean((x - mean(x))^degree)

diagnose <- function(set) {
  one <- prepare(set)
  long <<- one$long
  fit <- fit_sharply(one$formula, long)$fit
  skewness <- function(x) moment(x, 3) / moment(x, 2)^1.5
  left <- residuals(fit)
  by_cell <- tapply(left, long$cell, var)
  out <- c(residual_skewness = skewness(left), residual_excess_kurtosis = moment(left, 4) / moment(left, 2)^2 - 3,
    residuals_beyond_3_sd = 100 * mean(abs(residuals(fit, scaled = TRUE)) > 3), variance_ratio = max(by_cell) / min(by_cell),
    respondent_effect_skewness = skewness(ranef(fit)$respondent[[1]]))
  if (set$team != "") out <- c(out, team_effect_skewness = skewness(ranef(fit)$team[[1]]))

  X <- getME(fit, "X"); y <- getME(fit, "y")
  ZL <- getME(fit, "Z") %*% getME(fit, "Lambda")
  V <- sigma(fit)^2 * (Matrix::Diagonal(nrow(X)) + Matrix::tcrossprod(ZL))
  beta <- fixef(fit); cov <- as.matrix(vcov(fit)); cells <- names(beta)
  cluster <- if (set$team == "") long$respondent else long$team
  # V is block diagonal by cluster: sums over clusters, and all of them but one
  parts <- lapply(split(seq_along(y), cluster, drop = TRUE), function(i) {
    W <- solve(as.matrix(V[i, i, drop = FALSE])); x <- X[i, , drop = FALSE]
    list(A = t(x) %*% W %*% x, b = t(x) %*% W %*% y[i])
  })
  A <- Reduce(`+`, lapply(parts, `[[`, "A")); b <- Reduce(`+`, lapply(parts, `[[`, "b"))
  stopifnot(all.equal(c(solve(A, b)), unname(beta), tolerance = 1e-6))
  changes <- sapply(parts, function(part) {
    without <- A - part$A
    if (rcond(without) < 1e-12) return(rep(NA_real_, length(beta)))
    beta - c(solve(without, b - part$b))
  })
  out["max_cooks_distance"] <- max(apply(changes, 2, function(d) sum(d * solve(cov, d)) / length(beta)), na.rm = TRUE)
  pairs <- function(x) if (length(x) < 2) list() else combn(x, 2, simplify = FALSE)
  place <- function(w, o) match(paste0("cell", w, " | ", o), cells)
  shift <- function(plus, minus) {
    if (anyNA(c(plus, minus))) return(NA)
    L <- numeric(length(beta)); L[plus] <- 1; L[minus] <- -1
    max(abs(L %*% changes), na.rm = TRUE) / sqrt(c(L %*% cov %*% L))
  }
  W <- one$waves; O <- one$organisations
  out["max_shift_change"] <- max(unlist(lapply(pairs(W), function(p) sapply(O, function(o) shift(place(p[2], o), place(p[1], o))))), na.rm = TRUE)
  out["max_shift_gap"] <- max(unlist(lapply(pairs(O), function(q) sapply(W, function(w) shift(place(w, q[1]), place(w, q[2]))))), na.rm = TRUE)
  out["max_shift_difference_in_differences"] <- max(unlist(lapply(pairs(W), function(p) sapply(pairs(O), function(q)
    shift(c(place(p[2], q[1]), place(p[1], q[2])), c(place(p[1], q[1]), place(p[2], q[2])))))), na.rm = TRUE)
  data.frame(set = set$name, term = names(out), estimate = out)
}

manifest <- read_manifest("manifest.csv")
chosen <- manifest[manifest$name %in% c("bfi", "wine", "beps", "demo_commitment", "demo_senior_management", "judges", "simulated", "attitudes"), ]
write_answers(do.call(rbind, lapply(split(chosen, seq_len(nrow(chosen))), diagnose)), "diagnostics.csv")
