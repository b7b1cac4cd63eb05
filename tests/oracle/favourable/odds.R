# The tests of proportional odds and of dispersion that tests/test_odds.py compares with, by ordinal, statement by
# statement on data sets of manifest.csv and safety.csv: nominal_test and scale_test of clm(answer ~ cell). Run here:
# Rscript odds.R. Categories that nobody used are left out, as are cells that nobody is in.

suppressMessages(library(ordinal))
words <- function(x) strsplit(x, " ")[[1]]
control <- clm.control(gradTol = 1e-9, maxIter = 500)
found <- data.frame()
manifest <- read.csv("manifest.csv", colClasses = "character")
for (name in c("bfi", "sai", "wine", "teams", "beps_adjusted")) {
  set <- as.list(manifest[manifest$name == name, ])
  wide <- read.csv(paste0(set$file, ".csv"), check.names = FALSE, na.strings = c("", "NA"))
  for (item in words(set$items)) {
    d <- data.frame(y = wide[[item]], cell = paste(wide$wave, wide$organisation, sep = ", "))
    d <- d[complete.cases(d) & !is.na(wide$organisation), ]
    d$y <- factor(d$y, ordered = TRUE); d$cell <- factor(d$cell)
    fit <- clm(y ~ cell, data = d, control = control)
    other <- clm(y ~ 1, nominal = ~cell, data = d, control = control)
    scaled <- clm(y ~ cell, scale = ~cell, data = d, control = control)
    lr <- c(2 * (logLik(other) - logLik(fit)), 2 * (logLik(scaled) - logLik(fit)))
    df <- c(attr(logLik(other), "df"), attr(logLik(scaled), "df")) - attr(logLik(fit), "df")
    lr[1] <- ifelse(other$convergence$code == 0, lr[1], NA)  # clm gave up
    tested <- c(nominal_test(fit)["cell", "LRT"], scale_test(fit)["cell", "LRT"])
    stopifnot(all(is.na(tested) | is.na(lr) | abs(tested - lr) < 1e-4))
    found <- rbind(found, data.frame(set = name, item = item, term = c("proportional_odds", "dispersion"),
      estimate = signif(lr, 12), df = df, p_value = signif(pchisq(lr, df, lower.tail = FALSE), 12)))
  }
}
write.csv(found, "odds.csv", row.names = FALSE, quote = 1:3, na = "")
