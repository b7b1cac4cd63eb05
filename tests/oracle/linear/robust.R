# The answers that tests/test_mixed_linear_robust.py compares with. Run here, after linear.R: Rscript robust.R (two minutes)
#
# robust.csv: of every set, coefficients (a cell's at the covariates' means), standard errors and Satterthwaite's degrees of
#   freedom of lme4's fit, and of six random combinations of them (`weight` in combinations.csv).
#   Without teams: clubSandwich::vcovCR(type = "CR2"), clusters being respondents, and linear_contrast.
#   With teams: from matrices of the size of the data, A = S (I - S^-1 Q S^-1)^(-1/2) S^-1 for each team.

source("models.R")
suppressMessages(library(clubSandwich))

power <- function(m, p) { e <- eigen(m, symmetric = TRUE); e$vectors %*% (e$values^p * t(e$vectors)) }

by_team <- function(fit, contrasts, team) {
  X <- getME(fit, "X"); r <- getME(fit, "y") - X %*% fixef(fit)
  places <- split(seq_len(nrow(X)), team)
  V <- sigma(fit)^2 * (Diagonal(nrow(X)) + crossprod(getME(fit, "Lambdat") %*% getME(fit, "Zt")))
  M <- solve(Reduce(`+`, lapply(places, function(i) t(X[i, ]) %*% solve(as.matrix(V[i, i]), X[i, ]))))
  D <- matrix(0, nrow(X), ncol(X))  # A'V^-1 X M
  for (i in places) {
    v <- as.matrix(V[i, i]); S <- power(v, 0.5); T <- power(v, -0.5)
    D[i, ] <- T %*% power(T %*% (v - X[i, ] %*% M %*% t(X[i, ])) %*% T, -0.5) %*% S %*% solve(v, X[i, ]) %*% M
  }
  which <- outer(as.integer(team), seq_along(places), `==`)
  t(apply(contrasts, 1, function(l) {
    g <- c(D %*% l) * which
    P <- as.matrix(t(g) %*% (V %*% g)) - t(g) %*% X %*% M %*% t(X) %*% g
    c(sqrt(sum((t(g) %*% r)^2)), sum(diag(P))^2 / sum(P^2))
  }))
}

answer <- function(set) {
  message(set$name)
  one <- prepare(set); long <<- one$long
  fit <- as(fit_sharply(one$formula, long)$fit, "lmerMod")
  names <- names(fixef(fit))
  turn <- centring(one, names)
  set.seed(7)
  mixed <- matrix(round(rnorm(6 * length(names)), 2), 6)
  contrasts <- rbind(turn, mixed %*% turn); rownames(contrasts) <- c(names, 1:6)
  if (set$team == "") {
    found <- linear_contrast(fit, vcovCR(fit, cluster = long$respondent, type = "CR2"), contrasts, test = "Satterthwaite")
    found <- cbind(found$SE, found$df)
  } else found <- by_team(fit, contrasts, long$team)
  combinations <<- rbind(combinations, data.frame(set = set$name, number = rep(1:6, length(names)),
    column = rep(names, each = 6), weight = c(mixed)))
  data.frame(set = set$name, column = c(names, 1:6), estimate = c(contrasts %*% fixef(fit)), std_error = found[, 1], df = found[, 2],
    row.names = NULL)
}

manifest <- read_manifest("manifest.csv")
combinations <- NULL
write_answers(do.call(rbind, lapply(split(manifest, seq_len(nrow(manifest))), answer)), "robust.csv")
write_answers(combinations, "combinations.csv")
versions <- sapply(c("lme4", "clubSandwich"), function(p) as.character(packageVersion(p)))
writeLines(c(R.version.string, paste(names(versions), versions)), "versions_robust.txt")
