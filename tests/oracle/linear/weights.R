# The answers that tests/test_mixed_linear_weights.py compares with. Run here, after linear.R: Rscript weights.R
#
# cr0.csv: covariance of the coefficients by clubSandwich::vcovCR(type = "CR0") of lme4's fit, clusters being
#   respondents, or teams where the set has them.
# replicated.csv: lme4 on data where respondent i (in the order of the file, those with answers only) stands 1 + i mod 3
#   times, each time as another respondent.
# svyglm.csv: survey::svyglm on the first item alone, with weights 1, 2, 3 in turn divided by their mean in the wave.

source("models.R")
suppressMessages({library(clubSandwich); library(survey)})

club <- function(set) {
  one <- prepare(set)
  long <<- one$long
  fit <- as(fit_sharply(one$formula, long)$fit, "lmerMod")
  cluster <- if (set$team == "") long$respondent else long$team
  v <- as.matrix(vcovCR(fit, cluster = cluster, type = "CR0"))
  # centre the covariates: a cell's coefficient is then its mean at their means
  turn <- centring(one, names(fixef(fit)))
  v <- turn %*% v %*% t(turn)
  data.frame(set = set$name, row = rep(names(fixef(fit)), ncol(v)), column = rep(names(fixef(fit)), each = nrow(v)), value = c(v))
}

replicated <- function(set) {
  one <- prepare(set)
  times <- 1 + seq_len(nrow(one$wide)) %% 3
  number <- as.integer(one$long$respondent)
  again <- rep(seq_len(nrow(one$long)), times[number])
  copy <- sequence(times[number])
  long <<- one$long[again, ]
  long$respondent <<- factor(paste(long$respondent, copy))
  fit <- fit_sharply(one$formula, long)$fit
  parts <- setNames(as.data.frame(VarCorr(fit))$vcov, as.data.frame(VarCorr(fit))$grp)
  cells <- startsWith(names(fixef(fit)), "cell")
  data.frame(set = set$name, term = c("sigma2", "tau2", "tau2_team", "reml_loglik", names(fixef(fit))[cells]),
    estimate = c(parts[["Residual"]], parts[["respondent"]], if (set$team == "") NA else parts[["team"]], logLik(fit), fixef(fit)[cells]))
}

glm_of <- function(set) {
  one <- prepare(set)
  d <- one$wide; d$y <- one$y[, 1]
  d$w <- 1 + seq_len(nrow(d)) %% 3
  d <- d[!is.na(d$y), ]
  d$w <- d$w / ave(d$w, d$wave)
  # weighted means of the covariates, as the tests have them
  fit <- svyglm(reformulate(c("0 + cell", one$covariates), "y"), design = svydesign(ids = ~1, weights = ~w, data = d))
  cells <- startsWith(names(coef(fit)), "cell")
  turn <- diag(length(coef(fit)))
  if (length(one$covariates)) {
    rows <- model.matrix(reformulate(one$covariates), d)[, -1, drop = FALSE]
    turn[cells, !cells] <- rep(colSums(rows * d$w) / sum(d$w), each = sum(cells))
  }
  data.frame(set = set$name, column = names(coef(fit))[cells], estimate = (turn %*% coef(fit))[cells],
    std_error = sqrt(diag(turn %*% vcov(fit) %*% t(turn)))[cells], df = fit$df.residual)
}

manifest <- read_manifest("manifest.csv")
chosen <- function(names) split(manifest[manifest$name %in% names, ], seq_along(names))
write_answers(do.call(rbind, lapply(chosen(c("bfi", "wine", "demo_commitment", "judges", "simulated", "attitudes")), club)), "cr0.csv")
write_answers(do.call(rbind, lapply(chosen(c("wine", "demo_commitment", "simulated", "attitudes")), replicated)), "replicated.csv")
write_answers(do.call(rbind, lapply(chosen(c("bfi", "beps", "demo_commitment")), glm_of)), "svyglm.csv")
versions <- sapply(c("lme4", "clubSandwich", "survey"), function(p) as.character(packageVersion(p)))
writeLines(c(R.version.string, paste(names(versions), versions)), "versions_weights.txt")
