# The answers that tests/test_describe.py compares with. Run here: Rscript weighted.R
#   api.csv       survey's apistrat, a stratified sample of 200 Californian schools: type of school (a wave each would be
#                 one stratum, so all are one wave and the types organisations), three yes/no items, and sampling weights
#   weighted.csv  weighted percentages and means by survey::svymean, of everybody and by type
suppressMessages(library(survey))
data(api)
schools <- data.frame(wave = "w", organisation = as.character(apistrat$stype),
  met = 1 + (apistrat$sch.wide == "Yes"), both = 1 + (apistrat$both == "Yes"), awards = 1 + (apistrat$awards == "Yes"),
  weight = apistrat$pw)
schools$met[seq(7, 200, by = 23)] <- NA
write.csv(schools, "api.csv", row.names = FALSE, na = "", quote = FALSE)
out <- NULL
for (who in c("all", "E", "H", "M")) {
  d <- schools[if (who == "all") TRUE else schools$organisation == who, ]
  design <- svydesign(ids = ~1, weights = ~weight, data = d)
  for (item in c("met", "both", "awards")) {
    here <- subset(design, !is.na(d[[item]]))
    share <- coef(svymean(as.formula(paste0("~factor(", item, ", levels = 1:2)")), here))
    mean <- coef(svymean(as.formula(paste0("~", item)), here))
    out <- rbind(out, data.frame(organisation = who, item, response = 1:2, percent = sprintf("%.13g", 100 * share),
      mean = sprintf("%.13g", mean)))
  }
}
write.csv(out, "weighted.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("survey", packageVersion("survey"))), "versions.txt")
