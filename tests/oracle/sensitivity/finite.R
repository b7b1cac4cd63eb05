# A finite population: survey's standard errors with fpc. A cell's mean of respondents' means, all having answered every
# item, is the mean of a stratified random sample. Run in this folder: Rscript finite.R
suppressMessages(library(survey))
items <- paste0("A", 1:5)
bfi <- read.csv("incomplete.csv", na.strings = "")
bfi <- bfi[!is.na(bfi$organisation), ]
bfi$A1 <- 7 - bfi$A1
population <- c(first = 400, second = 290)
bfi$mean <- rowMeans(bfi[items])
bfi$favourable <- 100 * rowMeans(bfi[items] >= 5)
bfi$cell <- paste(bfi$wave, bfi$organisation)
# the share sampled is the wave's, returns over staff: the same in each of its cells
returns <- table(read.csv("incomplete.csv")$wave)
bfi$share <- as.vector(returns[bfi$wave] / population[bfi$wave])
contrasts <- list("change, men" = c(-1, 0, 1, 0), "change, women" = c(0, -1, 0, 1), "gap, first" = c(1, -1, 0, 0),
                  "gap, second" = c(0, 0, 1, -1), "difference in differences" = c(-1, 1, 1, -1))
design <- svydesign(ids = ~1, strata = ~cell, fpc = ~share, data = bfi)
answers <- do.call(rbind, lapply(c("mean", "favourable"), function(what) {
  by <- svyby(as.formula(paste0("~", what)), ~cell, design, svymean, covmat = TRUE)
  do.call(rbind, lapply(names(contrasts), function(name) {
    weights <- setNames(contrasts[[name]], rownames(by))
    found <- svycontrast(by, weights)
    data.frame(contrast = name, what = what, estimate = c(found), std_error = c(SE(found)))
  }))
}))
for (name in c("estimate", "std_error")) answers[[name]] <- format(answers[[name]], digits = 17, trim = TRUE)
write.csv(answers, "finite.csv", row.names = FALSE)
writeLines(c(R.version.string, paste("survey", packageVersion("survey"))), "versions_finite.txt")
