# Agreement of coders, twice independently of the program: Krippendorff's alpha from its definition by pairs of values
# (base R, no coincidence matrix), Cohen's kappa and its interval by psych::cohen.kappa.
#   Rscript agreement.R   (in this folder): judgements.csv, expected.csv, versions.txt
suppressMessages(library(psych))
set.seed(20071001)

draw <- function(case, units, coders, values, agree, missing) {
  true <- sample(values, units, replace = TRUE, prob = rev(seq_along(values)))
  given <- sapply(seq_len(coders), function(coder) {
    own <- ifelse(runif(units) < agree, true, sample(values, units, replace = TRUE))
    ifelse(runif(units) < missing, NA, own)
  })
  data.frame(case = case, unit = rep(seq_len(units), coders), coder = rep(seq_len(coders), each = units),
             value = as.vector(given))
}

# 1 - observed / expected disagreement: over pairs within units, and over all pairs of pairable values.
alpha <- function(matrix) {
  matrix <- matrix[rowSums(!is.na(matrix)) > 1, , drop = FALSE]
  pairable <- matrix[!is.na(matrix)]
  n <- length(pairable)
  observed <- 0
  for (unit in seq_len(nrow(matrix))) {
    own <- matrix[unit, !is.na(matrix[unit, ])]
    observed <- observed + sum(outer(own, own, "!=")) / (length(own) - 1)
  }
  expected <- sum(outer(pairable, pairable, "!=")) / (n - 1)
  1 - observed / expected
}

judged <- rbind(draw("two", 60, 2, 0:1, .8, 0), draw("three", 90, 3, 0:1, .7, .2),
                draw("rare", 200, 3, c(0, 0, 0, 0, 1), .9, .1), draw("nominal", 80, 4, 0:3, .6, .3))
judged <- judged[!is.na(judged$value), ]
rows <- list()
for (case in unique(judged$case)) {
  own <- judged[judged$case == case, ]
  wide <- reshape(own[, c("unit", "coder", "value")], idvar = "unit", timevar = "coder", direction = "wide")
  matrix <- as.matrix(wide[, -1])
  rows[[length(rows) + 1]] <- data.frame(case = case, term = "krippendorff_alpha", coders = "all",
                                         estimate = alpha(matrix), conf_low = NA, conf_high = NA)
  coders <- sort(unique(own$coder))
  for (pair in combn(coders, 2, simplify = FALSE)) {
    both <- matrix[, paste0("value.", pair)]
    both <- both[rowSums(is.na(both)) == 0, ]
    found <- cohen.kappa(both)
    rows[[length(rows) + 1]] <- data.frame(case = case, term = "cohen_kappa", coders = paste(pair, collapse = " - "),
                                           estimate = found$confid[1, 2], conf_low = found$confid[1, 1],
                                           conf_high = found$confid[1, 3])
  }
}
write.csv(judged, "judgements.csv", row.names = FALSE)
expected <- do.call(rbind, rows)
for (name in c("estimate", "conf_low", "conf_high")) expected[[name]] <- trimws(format(expected[[name]], digits = 15))
write.csv(expected, "expected.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("psych", packageVersion("psych"))), "versions.txt")
