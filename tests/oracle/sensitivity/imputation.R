# Multiple imputation: pooling by mitools and mice of fits by lme4 to the very data sets that we imputed, and mice's own
# imputation of the same incomplete data. Run in this folder: Rscript imputation.R incomplete; python imputed.py;
# Rscript imputation.R pooled; Rscript imputation.R mice (three minutes)
suppressMessages({library(lme4); library(lmerTest); library(mice); library(mitools)})
items <- paste0("N", 1:5)

if ("incomplete" %in% commandArgs(TRUE)) {
  # psych::bfi, 600 respondents; gender is the organisation. A quarter, those low on A1-A5 more often in the second half,
  # break off before N1-N5 and their gender.
  set.seed(20)
  bfi <- read.csv("../reliability/bfi.csv")
  bfi <- bfi[rowSums(is.na(bfi)) == 0, ]
  bfi$wave <- ifelse(seq_len(nrow(bfi)) <= nrow(bfi) / 2, "first", "second")
  score <- scale(rowMeans(cbind(7 - bfi$A1, bfi[paste0("A", 2:5)])))
  stay <- ifelse(bfi$wave == "second", 0.8 * score, 0) + rnorm(nrow(bfi))
  gone <- ave(stay, bfi$wave, FUN = function(s) s < quantile(s, 0.25)) == 1
  bfi$organisation <- ifelse(gone, NA, c("men", "women")[bfi$gender])
  bfi[gone, items] <- NA
  some <- matrix(runif(nrow(bfi) * 5) < 0.04, ncol = 5)
  bfi[items][some] <- NA
  columns <- c("wave", "organisation", paste0("A", 1:5), items)
  write.csv(bfi[columns], "incomplete.csv", row.names = FALSE, quote = FALSE, na = "")
  quit()
}

contrasts <- list(
  "change, men" = c(-1, 0, 1, 0), "change, women" = c(0, -1, 0, 1), "gap, first" = c(1, -1, 0, 0),
  "gap, second" = c(0, 0, 1, -1), "difference in differences" = c(-1, 1, 1, -1))
cells <- c("first men", "first women", "second men", "second women")

# estimate, variance and Satterthwaite's degrees of freedom of every contrast, of one completed data set
fitted <- function(frame) {
  long <- data.frame(
    answer = unlist(frame[items]), item = rep(items, each = nrow(frame)), respondent = rep(seq_len(nrow(frame)), 5),
    cell = factor(rep(paste(frame$wave, frame$organisation), 5), levels = cells))
  fit <- lmer(answer ~ 0 + cell + item + (1 | respondent), long)
  lapply(contrasts, function(weights) {
    vector <- c(weights, rep(0, length(items) - 1))
    tested <- lmerTest::contest1D(fit, vector)
    c(estimate = tested$Estimate, variance = tested$`Std. Error`^2, df = tested$df)
  })
}
pooled <- function(fits) do.call(rbind, lapply(names(contrasts), function(name) {
  each <- sapply(fits, function(fit) fit[[name]])
  df <- mean(each["df", ])
  scalar <- pool.scalar(each["estimate", ], each["variance", ], n = df + 1, k = 1)
  # mitools leaves (1 + 1/m) out of the degrees of freedom for small samples, so it is asked for the others
  mi <- MIcombine(as.list(each["estimate", ]), as.list(each["variance", ]), df.complete = Inf)
  large <- pool.scalar(each["estimate", ], each["variance", ])
  stopifnot(all.equal(large$df, mi$df), all.equal(sqrt(scalar$t), sqrt(c(mi$variance))))
  data.frame(contrast = name, estimate = scalar$qbar, std_error = sqrt(scalar$t), df = scalar$df, df_large = mi$df,
             df_complete = df, fmi = scalar$fmi, between = scalar$b, m = scalar$m)
}))
write_exact <- function(frame, file) {
  exact <- vapply(frame, is.double, NA)
  frame[exact] <- lapply(frame[exact], format, digits = 17, scientific = TRUE, trim = TRUE)
  write.csv(frame, file, row.names = FALSE, quote = TRUE)
}

if ("pooled" %in% commandArgs(TRUE)) {
  imputed <- read.csv("imputed.csv")
  write_exact(pooled(lapply(split(imputed, imputed$imputation), fitted)), "pooled.csv")
  quit()
}

# mice, wave by wave: predictive mean matching for items, logistic regression for the organisation
incomplete <- read.csv("incomplete.csv", na.strings = "", stringsAsFactors = FALSE)
incomplete$organisation <- factor(incomplete$organisation)
made <- lapply(split(incomplete, incomplete$wave), function(one) {
  of <- one[setdiff(names(one), "wave")]
  mice(of, m = 100, maxit = 30, method = ifelse(names(of) == "organisation", "logreg", "pmm"), seed = 5, printFlag = FALSE)
})
fits <- lapply(1:100, function(which) {
  parts <- lapply(names(made), function(wave) cbind(wave = wave, complete(made[[wave]], which)))
  fitted(do.call(rbind, parts))
})
write_exact(pooled(fits), "mice.csv")
writeLines(c(R.version.string, paste(c("lme4", "lmerTest", "mice", "mitools"),
  sapply(c("lme4", "lmerTest", "mice", "mitools"), function(p) as.character(packageVersion(p))))), "versions.txt")
