# One fit in R, timed: Rscript fit.R <model> <long data, CSV> ; prints seconds, the log-likelihood, one contrast.
# Data in long form and R's packages are there before the clock starts: what is timed is the model and its contrasts.
arguments <- commandArgs(trailingOnly = TRUE)
model <- arguments[1]
suppressMessages({library(data.table, quietly = TRUE)})
d <- as.data.frame(fread(arguments[2]))
for (name in c("scale", "cell", "item", "id")) d[[name]] <- factor(d[[name]])
suppressMessages(if (model == "linear") {library(lmerTest); library(emmeans)} else {library(ordinal); library(emmeans)})
start <- proc.time()[["elapsed"]]
loglik <- 0
contrast <- NA
for (one in split(d, d$scale)) {
  one <- droplevels(one)
  if (model == "linear") {
    # Without emmeans' limits the degrees of freedom are Satterthwaite's for every size, as ours are.
    fit <- lmerTest::lmer(answer ~ cell + item + (1 | id), one)
    means <- emmeans(fit, ~cell, lmer.df = "satterthwaite", lmerTest.limit = Inf)
  } else {
    one$answer <- factor(one$answer, ordered = TRUE)
    fit <- clmm(answer ~ cell + item + (1 | id), one, nAGQ = as.integer(arguments[3]))
    means <- emmeans(fit, ~cell)
  }
  found <- as.data.frame(pairs(means))
  loglik <- loglik + as.numeric(logLik(fit))
  contrast <- found$estimate[1]
}
seconds <- proc.time()[["elapsed"]] - start
status <- readLines("/proc/self/status")
peak <- as.numeric(gsub("[^0-9]", "", grep("^VmHWM", status, value = TRUE))) / 1024
cat(sprintf("%.4f %.1f %.8f %.8f\n", seconds, peak, loglik, contrast))
