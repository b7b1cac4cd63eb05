# Writes the reliability oracle: psych::alpha on data sets that ship with R packages.
# Run in this folder: Rscript reliability.R
#   bfi.csv       psych::bfi, the first 600 respondents, A1-A5 and N1-N5 with their missing answers, and gender
#   attitude.csv  datasets::attitude (30 departments, 7 percentages, none missing)
#   expected.csv  one estimate a row
# Incomplete respondents are dropped first: psych::alpha would use covariances of pairs.
suppressPackageStartupMessages(library(psych))

estimates <- function(data, name, group, scale, answers, reversed, top) {
  answers <- na.omit(answers)
  answers[reversed] <- top - answers[reversed]
  fit <- suppressWarnings(alpha(answers, keys = rep(1, ncol(answers)), warnings = FALSE))
  items <- names(answers)
  row <- function(term, estimate, item = "")
    data.frame(data = name, group = group, scale = scale, term = term, item = item, estimate = estimate, n = nrow(answers))
  rows <- rbind(
    row("alpha", fit$total$raw_alpha),
    row("mean_inter_item_r", fit$total$average_r),
    row("item_rest_r", fit$item.stats$r.drop, items)
  )
  if (ncol(answers) > 2) rows <- rbind(rows, row("alpha_if_dropped", fit$alpha.drop$raw_alpha, items))
  rows
}

bfi <- head(psych::bfi, 600)
bfi <- bfi[c("gender", paste0("A", 1:5), paste0("N", 1:5))]
scales <- list(agreeableness = paste0("A", 1:5), neuroticism = paste0("N", 1:5), anger = c("N1", "N2"))
expected <- NULL
for (scale in names(scales)) for (group in c("1", "2", "all")) {
  rows <- if (group == "all") rep(TRUE, nrow(bfi)) else bfi$gender == as.integer(group)
  items <- scales[[scale]]
  expected <- rbind(expected, estimates(bfi, "bfi", group, scale, bfi[rows, items], intersect(items, "A1"), 7))
}
expected <- rbind(expected, estimates(attitude, "attitude", "all", "attitude", attitude, character(), 100))

write.csv(bfi, "bfi.csv", row.names = FALSE, na = "", quote = FALSE)
write.csv(attitude, "attitude.csv", row.names = FALSE, quote = FALSE)
expected$estimate <- sprintf("%.15g", expected$estimate)
write.csv(expected, "expected.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("psych", packageVersion("psych"))), "versions.txt")
