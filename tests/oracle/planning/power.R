# The answers that tests/test_planning.py compares with: power of the two-sample t test, to which a plan comes down with
# one item and one organisation, and of the two one-sided tests for equivalence. Run here: Rscript power.R
#
# power, detectable  pwr::pwr.t2n.test; of equal groups also stats::power.t.test(strict = TRUE), which must agree
# needed             n2, a whole number, by stepping up to the planned power with pwr::pwr.t2n.test
# equivalence        of its definition: given the variance's estimate the mean must lie within the bounds, averaged over
#                    chi-squared by integrate()

suppressMessages(library(pwr))

equivalence <- function(n1, n2, effect, level) {
  df <- n1 + n2 - 2
  bound <- effect / sqrt(1 / n1 + 1 / n2)
  critical <- qt(1 - level, df)
  inside <- function(q) pmax(2 * pnorm(bound - critical * sqrt(q / df)) - 1, 0) * dchisq(q, df)
  integrate(inside, 0, df * (bound / critical)^2, rel.tol = 1e-12, subdivisions = 2000)$value
}

sets <- expand.grid(n1 = c(6, 40, 139), n2 = c(5, 40, 300), effect = c(0.2, 0.5), level = c(0.05, 0.10), power = 0.8)
rows <- lapply(seq_len(nrow(sets)), function(i) with(sets[i, ], {
  found <- pwr.t2n.test(n1 = n1, n2 = n2, d = effect, sig.level = level, alternative = "two.sided")$power
  if (n1 == n2) {
    strict <- power.t.test(n = n1, delta = effect, sd = 1, sig.level = level, strict = TRUE)$power
    stopifnot(abs(found - strict) < 1e-10)
  }
  short <- function(d) pwr.t2n.test(n1 = n1, n2 = n2, d = d, sig.level = level)$power - power
  enough <- function(n) pwr.t2n.test(n1 = n1, n2 = n, d = effect, sig.level = level)$power >= power
  needed <- NA
  if (enough(1e6)) {
    needed <- 2
    while (!enough(needed)) needed <- needed + 1
  }
  data.frame(n1, n2, effect, level, power, found,
    detectable = uniroot(short, c(1e-6, 20), tol = 1e-12)$root,
    needed, equivalence = equivalence(n1, n2, effect, level))
}))
answers <- do.call(rbind, rows)
write.csv(format(answers, digits = 15), "power.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("pwr", packageVersion("pwr"))), "versions.txt")
