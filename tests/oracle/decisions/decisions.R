# Two one-sided tests by emmeans (side = "equivalence") and tests against 0, both adjusted over the contrasts of a model.
# Run in this folder: Rscript decisions.R
suppressMessages({library(emmeans); library(lmerTest)})
emm_options(lmerTest.limit = 1e5)

models <- list(
  warpbreaks = list(lm(breaks ~ wool * tension, warpbreaks), ~ wool * tension, c(2, 6, 30)),
  toothgrowth = list(lm(len ~ supp * factor(dose), ToothGrowth), ~ supp * dose, c(1, 4, 12)),
  chickwts = list(lm(weight ~ feed, chickwts), ~ feed, c(20, 60, 150)),
  iris = list(lm(Sepal.Width ~ Species, iris), ~ Species, c(0.2, 0.5, 0.8)),
  ham = list(lmer(Informed.liking ~ Product * Information + (1 | Consumer), ham), ~ Product * Information, c(0.3, 1, 2)),
  sleepstudy = list(lmer(Reaction ~ factor(Days) + (1 | Subject), subset(lme4::sleepstudy, Days < 5)), ~ Days, c(10, 40, 90))
)

rows <- list()
for (name in names(models)) {
  contrasts <- contrast(emmeans(models[[name]][[1]], models[[name]][[2]]), "pairwise")
  for (delta in models[[name]][[3]]) {
    for (method in c("none", "holm", "BH")) {
      differs <- as.data.frame(test(contrasts, adjust = method))
      equivalent <- as.data.frame(test(contrasts, delta = delta, side = "equivalence", adjust = method))
      rows[[length(rows) + 1]] <- data.frame(
        set = name, contrast = differs$contrast, estimate = differs$estimate, std_error = differs$SE, df = differs$df,
        delta = delta, method = method, differs = differs$p.value, equivalent = equivalent$p.value
      )
    }
  }
}
answers <- do.call(rbind, rows)
numbers <- sapply(answers, is.numeric)
answers[numbers] <- lapply(answers[numbers], function(x) trimws(formatC(x, digits = 15, format = "g")))
write.csv(answers, "answers.csv", row.names = FALSE, quote = TRUE)
writeLines(c(R.version.string, paste("emmeans", packageVersion("emmeans")), paste("lmerTest", packageVersion("lmerTest"))),
           "versions.txt")
