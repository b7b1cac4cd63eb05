# The answers that tests/test_mixed_diagnostics.py compares with: moments of lme4's residuals and predicted effects, and
# lme4's variances of each cell's respondents by a fit to that cell alone. Run here, after linear.R: Rscript diagnostics.R

source("models.R")

moment <- function(x, degree) mean((x - mean(x))^degree)
skewness <- function(x) moment(x, 3) / moment(x, 2)^1.5

diagnose <- function(set) {
  message(set$name)
  one <- prepare(set)
  long <<- one$long
  fit <- fit_sharply(one$formula, long)$fit
  left <- residuals(fit)
  moments <- c(residual_skewness = skewness(left), residual_excess_kurtosis = moment(left, 4) / moment(left, 2)^2 - 3,
    respondent_effect_skewness = skewness(ranef(fit)$respondent[[1]]),
    if (set$team != "") c(team_effect_skewness = skewness(ranef(fit)$team[[1]])))
  whole <- one$long
  cells <- lapply(levels(whole$cell), function(cell) {
    long <<- droplevels(whole[whole$cell == cell, ])
    varying <- Filter(function(name) length(unique(long[[name]])) > 1, c("item", one$covariates))
    alone <- fit_sharply(reformulate(c("1", varying, "(1 | respondent)"), "response"), long)$fit
    place <- strsplit(cell, " | ", fixed = TRUE)[[1]]
    data.frame(set = set$name, wave = place[1], organisation = place[2], term = c("tau2", "sigma2"),
      estimate = c(VarCorr(alone)$respondent[1], sigma(alone)^2))
  })
  rbind(data.frame(set = set$name, wave = "all", organisation = "all", term = names(moments), estimate = moments),
    do.call(rbind, cells))
}

manifest <- read_manifest("manifest.csv")
chosen <- manifest[manifest$name %in% c("bfi", "wine", "beps", "leaders", "demo_commitment", "demo_senior_management",
  "judges", "simulated", "attitudes"), ]
write_answers(do.call(rbind, lapply(split(chosen, seq_len(nrow(chosen))), diagnose)), "diagnostics.csv")
