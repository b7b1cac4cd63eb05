# The data sets of this folder, one row a respondent: wave, organisation, (team,) items. Run here: Rscript data.R
# Variables are given the part of wave and organisation: the sets test arithmetic, and say nothing about anybody.

suppressMessages({library(psychTools); library(multilevel)})
save <- function(x, name) write.csv(x, paste0(name, ".csv"), row.names = FALSE, quote = FALSE, na = "")

d <- Athenstaedt
save(data.frame(wave = paste("study", d$STUDIE), organisation = paste("gender", d$gender),
  d[c("V1", "V4", "V13", "V14", "V18")]), "athenstaedt")

data(lq2002)
d <- lq2002
items <- c("LEAD03", "LEAD04", "LEAD05", "LEAD06")
answers <- d[items]
set.seed(1)
answers[as.matrix(answers) > 0 & matrix(runif(nrow(d) * 4) < 0.04, ncol = 4)] <- NA
save(data.frame(wave = ifelse(d$SUB %% 2 == 0, "even", "odd"), organisation = ifelse(d$HOSTIL01 > 0, "hostile", "calm"),
  team = sprintf("company %02d", d$COMPID), weight = round(0.4 + d$TSIG01 / 3 + (d$SUB %% 3) / 5, 3), answers), "companies")

first <- sort(unique(d$COMPID))[1:40]
d <- d[d$COMPID %in% first, ]
save(data.frame(wave = "once", organisation = sprintf("company %02d", d$COMPID), d[items]), "forty")
