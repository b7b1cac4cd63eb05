# The answers that tests/test_organisations.py compares with: each organisation against the mean of all, by stated shares,
# and means shrunken towards their common mean. Eight organisations of unequal size, two waves, four items with missing
# answers. Run here: Rscript organisations.R
#
# linear: lme4 and lmerTest (Satterthwaite), favourable: clubSandwich's CR2 of the saturated linear model, ordinal: clmm
# with 15 nodes; contrasts by emmeans' "eff" with weights, which is an organisation less the weighted mean of all, itself
# included. shrunken: metafor's rma (REML) and blup, of the linear means of each wave.

source("../linear/models.R")
suppressMessages({library(emmeans); library(clubSandwich); library(ordinal); library(metafor)})
emm_options(lmer.df = "satterthwaite")

set.seed(20261130, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")
names <- paste0("org", 1:8)
shares <- setNames(c(0.30, 0.20, 0.15, 0.10, 0.10, 0.08, 0.05, 0.02), names)
n <- 420
wide <- data.frame(wave = c("first", "second")[1 + (runif(n) < 0.5)],
  organisation = sample(names, n, replace = TRUE, prob = shares^0.7))
mean <- 3.3 + rnorm(8, 0, 0.35)[match(wide$organisation, names)] + rnorm(n, 0, 0.7) +
  0.3 * (wide$wave == "second") * (wide$organisation %in% c("org1", "org5"))
y <- sapply(1:4, function(j) pmin(5, pmax(1, round(mean + 0.2 * j - 0.5 + rnorm(n, 0, 0.8)))))
y[matrix(runif(n * 4) < 0.04, n)] <- NA
colnames(y) <- paste0("q", 1:4)
write.csv(cbind(wide, y), "answers_of_eight.csv", row.names = FALSE, na = "", quote = FALSE)

long <- data.frame(wide[rep(seq_len(n), 4), ], respondent = factor(rep(seq_len(n), 4)),
  item = factor(rep(colnames(y), each = n)), response = c(y))
long <- long[!is.na(long$response), ]
long$wave <- factor(long$wave); long$organisation <- factor(long$organisation)

# gap: by wave; difference in differences: of the later less the earlier wave
against_all <- function(means, analysis) {
  gap <- contrast(means, "eff", by = "wave", wts = shares)
  change <- contrast(means, "revpairwise", by = "organisation")
  moved <- contrast(change, "eff", by = "contrast", wts = shares)
  tidy <- function(found, term, wave) {
    found <- as.data.frame(summary(found, infer = c(TRUE, TRUE), adjust = "none"))
    low <- intersect(c("lower.CL", "asymp.LCL"), names(found)); high <- intersect(c("upper.CL", "asymp.UCL"), names(found))
    organisation <- sub(" effect$", "", as.character(found[[if (term == "gap") "contrast" else "contrast1"]]))
    data.frame(analysis = analysis, term = term, wave = as.character(wave(found)), organisation = organisation,
      estimate = found$estimate, std_error = found$SE, df = found$df, conf_low = found[[low]], conf_high = found[[high]],
      p_value = found$p.value)
  }
  rbind(tidy(gap, "gap", function(found) found$wave),
    tidy(moved, "difference_in_differences", function(found) found$contrast))
}

linear <- fit_sharply(response ~ wave * organisation + item + (1 | respondent), long)$fit
of_linear <- emmeans(linear, ~ wave * organisation)

latent <- clmm(factor(response, ordered = TRUE) ~ wave * organisation + item + (1 | respondent), data = long, nAGQ = 15,
  control = clmm.control(grtol = 1e-8))
of_latent <- emmeans(latent, ~ wave * organisation, mode = "latent")

long$place <- interaction(long$wave, long$organisation, long$item, drop = TRUE)
long$good <- 100 * (long$response >= 4)
saturated <- lm(good ~ 0 + place, long)
covariance <- vcovCR(saturated, cluster = long$respondent, type = "CR2")
weigh <- function(wave, weights) { # over the items equally
  found <- setNames(numeric(nlevels(long$place)), levels(long$place))
  for (name in names) found[paste(wave, name, colnames(y), sep = ".")] <- weights[name] / 4
  found
}
sides <- lapply(names, function(own) (names == own) - shares)
contrasts <- rbind(
  do.call(rbind, lapply(c("first", "second"), function(wave) t(sapply(sides, function(side) weigh(wave, side))))),
  t(sapply(sides, function(side) weigh("second", side) - weigh("first", side))))
tested <- linear_contrast(saturated, vcov = covariance, contrasts = contrasts, test = "Satterthwaite", p_values = TRUE)
favourable <- data.frame(analysis = "favourable",
  term = rep(c("gap", "gap", "difference_in_differences"), each = 8),
  wave = rep(c("first", "second", "second - first"), each = 8), organisation = rep(names, 3), estimate = tested$Est,
  std_error = tested$SE, df = tested$df, conf_low = tested$CI_L, conf_high = tested$CI_U, p_value = tested$p_val)

digits <- function(table) { # 12 digits are as many as one can trust
  number <- sapply(table, is.numeric)
  table[number] <- lapply(table[number], signif, 12)
  table
}
write.csv(digits(rbind(against_all(of_linear, "linear"), against_all(of_latent, "ordinal"), favourable)),
  "against_all.csv", row.names = FALSE, quote = FALSE)

means <- as.data.frame(of_linear)
shrunken <- do.call(rbind, lapply(c("first", "second"), function(wave) {
  own <- means[means$wave == wave, ]
  fit <- rma(yi = own$emmean, sei = own$SE, method = "REML", control = list(threshold = 1e-12, maxiter = 1000))
  found <- blup(fit)
  data.frame(wave = wave, organisation = c(as.character(own$organisation), "all"), given = c(own$emmean, NA),
    given_error = c(own$SE, NA), estimate = c(found$pred, sqrt(fit$tau2)), std_error = c(found$se, NA),
    conf_low = c(found$pi.lb, NA), conf_high = c(found$pi.ub, NA), mean = coef(fit))
}))
write.csv(digits(shrunken), "shrunken.csv", row.names = FALSE, na = "", quote = FALSE)

versions <- sapply(c("lme4", "lmerTest", "emmeans", "clubSandwich", "ordinal", "metafor"),
  function(name) as.character(packageVersion(name)))
writeLines(c(R.version.string, paste(names(versions), versions)), "versions.txt")
