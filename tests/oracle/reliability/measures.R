# The answers that tests/test_reliability_oracle.py compares with, on the data sets of manifest.csv.
# Run here: Rscript measures.R   (about three minutes)
#
#   measures.csv     omega total, ordinal alpha, Spearman-Brown with its interval, floor and ceiling, by wave and
#                    organisation. `estimate` is what psych says; `sharp` is the same optimum found to the last digit:
#                    psych stops its searches early (optimize() and L-BFGS-B with their default tolerances)
#   polychoric.csv   every polychoric correlation of three sets, psych's and sharp
#   equality.csv     tests of equal alpha: Feldt's W, p by its exact distribution and by his F; Hakstian & Whalen by metafor
#   bootstrap.csv    BCa intervals of alpha by boot, 20,000 replicates
# Incomplete respondents are dropped first, and items that everyone answered alike.
suppressMessages({library(psych); library(mvtnorm); library(metafor); library(boot)})

words <- function(x) strsplit(x, " ")[[1]]
spi <- psychTools::spi[seq(1, 4000, by = 2), ]
spi <- data.frame(wave = spi$sex, organisation = spi$education, spi[c("q_253", "q_90", "q_1763", "q_851", "q_1832")])
write.csv(spi[!is.na(spi$wave), ], "spi.csv", row.names = FALSE, na = "", quote = FALSE)

read <- function(set) {
  wide <- read.csv(set$file, check.names = FALSE, na.strings = c("", "NA"))
  if (!"organisation" %in% names(wide)) { wide$wave <- "w1"; wide$organisation <- wide$gender }
  items <- words(set$items); keyed <- as.numeric(words(set$keyed))
  y <- as.matrix(wide[items])
  y[, keyed < 0] <- set$low + set$high - y[, keyed < 0]
  list(wave = as.character(wide$wave), organisation = as.character(wide$organisation), y = y)
}

# Two-step maximum likelihood with the bivariate normal of mvtnorm (Genz's TVPACK, to 1e-14).
sharp_polychoric <- function(x, y) {
  table <- table(x, y)
  a <- c(-Inf, qnorm(cumsum(rowSums(table))[-nrow(table)] / sum(table)), Inf)
  b <- c(-Inf, qnorm(cumsum(colSums(table))[-ncol(table)] / sum(table)), Inf)
  minus <- function(rho) {
    corner <- matrix(0, length(a), length(b))
    for (i in seq_along(a)[-1]) for (j in seq_along(b)[-1]) corner[i, j] <-
      if (a[i] == Inf) pnorm(b[j]) else if (b[j] == Inf) pnorm(a[i]) else
        pmvnorm(upper = c(a[i], b[j]), corr = matrix(c(1, rho, rho, 1), 2), algorithm = TVPACK(1e-14))
    p <- diff(t(diff(corner)))
    -sum(t(table)[t(table) > 0] * log(pmax(p[t(table) > 0], 1e-300)))
  }
  # a parabola through the neighbourhood of the minimum: the likelihood alone is flat to 1e-8 there
  start <- optimize(minus, c(-0.995, 0.995), tol = 1e-9)$minimum
  h <- 1e-3
  for (turn in 1:3) {
    v <- sapply(start + h * (-2:2), minus)
    slope <- (v[1] - 8 * v[2] + 8 * v[4] - v[5]) / (12 * h)
    bend <- (-v[1] + 16 * v[2] - 30 * v[3] + 16 * v[4] - v[5]) / (12 * h^2)
    start <- start - slope / bend
  }
  start
}
sharp_matrix <- function(y) {
  r <- diag(ncol(y))
  for (i in seq_len(ncol(y))[-1]) for (j in seq_len(i - 1)) r[i, j] <- r[j, i] <- sharp_polychoric(y[, i], y[, j])
  r
}
sharp_loadings <- function(r) {
  off <- 1 - diag(ncol(r))
  misfit <- function(l) sum((off * (r - outer(l, l)))^2) / 2
  slope <- function(l) -2 * c((off * (r - outer(l, l))) %*% l)
  l <- rep(0.6, ncol(r))
  for (turn in 1:5) l <- optim(l, misfit, slope, method = "BFGS", control = list(reltol = 1e-16, maxit = 5000))$par
  for (turn in 1:3) l <- l - solve(numDeriv::jacobian(slope, l), slope(l))
  l
}
alpha_of <- function(r) nrow(r) / (nrow(r) - 1) * (1 - sum(diag(r)) / sum(r))

measures <- pairs <- NULL
cell <- function(set, wave, organisation, y) {
  y <- y[complete.cases(y), apply(y, 2, function(x) any(!is.na(x))), drop = FALSE]
  if (nrow(y) < set$min_n || ncol(y) < 2) return()
  say <- function(term, estimate, sharp = estimate, low = NA, high = NA)
    measures <<- rbind(measures, data.frame(set = set$set, wave, organisation, term, estimate, sharp,
      conf_low = low, conf_high = high, n = nrow(y)))
  say("floor", 100 * mean(rowSums(y != set$low) == 0))
  say("ceiling", 100 * mean(rowSums(y != set$high) == 0))
  y <- y[, apply(y, 2, function(x) length(unique(x)) > 1), drop = FALSE]
  p <- suppressMessages(suppressWarnings(polychoric(y, correct = 0, smooth = FALSE)))$rho
  q <- sharp_matrix(y)
  say("ordinal_alpha", alpha_of(p), alpha_of(q))
  if (set$set %in% c("neuroticism", "sai", "verbal")) pairs <<- rbind(pairs, data.frame(set = set$set, wave, organisation,
    first = colnames(y)[row(p)[lower.tri(p)]], second = colnames(y)[col(p)[lower.tri(p)]],
    estimate = p[lower.tri(p)], sharp = q[lower.tri(q)]))
  if (ncol(y) == 2) {
    z <- r.con(cor(y)[1, 2], nrow(y))
    say("spearman_brown", 2 * cor(y)[1, 2] / (1 + cor(y)[1, 2]), low = 2 * z[1] / (1 + z[1]), high = 2 * z[2] / (1 + z[2]))
  } else {
    r <- cor(y)
    fit <- suppressMessages(suppressWarnings(omega(r, nfactors = 1, plot = FALSE, flip = FALSE)))
    say("omega_total", fit$omega.tot, 1 - sum(1 - sharp_loadings(r)^2) / sum(r))
  }
}

# Feldt's W of alphas a with n respondents and k items, its exact two-sided p, and that of F(n2 - 1, n1 - 1)
feldt <- function(a, n, k) {
  a <- unname(a); n <- unname(n)
  w <- (1 - a[1]) / (1 - a[2])
  above <- function(w, one, two) integrate(function(t) df(exp(t), two[1], two[2]) * exp(t) *
    pf(w * exp(-t), one[1], one[2], lower.tail = FALSE), -30, 30, rel.tol = 1e-11, subdivisions = 5000)$value
  d <- cbind(n - 1, (n - 1) * (k - 1))
  c(w = w, p = 2 * min(above(w, d[2, ], rev(d[1, ])), above(1 / w, d[1, ], rev(d[2, ]))),
    approximate = 2 * min(pf(w, n[2] - 1, n[1] - 1), pf(w, n[2] - 1, n[1] - 1, lower.tail = FALSE)))
}
equality <- NULL
compare <- function(set, along, within, groups) {
  groups <- groups[sapply(groups, function(y) nrow(y) > 0)]
  common <- Reduce(`&`, lapply(groups, function(y) apply(y, 2, function(x) any(!is.na(x)))))
  groups <- lapply(groups, function(y) { y <- y[, common, drop = FALSE]; y[complete.cases(y), , drop = FALSE] })
  groups <- groups[sapply(groups, nrow) >= set$min_n]
  if (length(groups) < 2 || sum(common) < 2) return()
  a <- sapply(groups, function(y) alpha_of(cov(y))); n <- sapply(groups, nrow); k <- sum(common)
  together <- rma(measure = "AHW", ai = a, mi = rep(k, length(a)), ni = n, method = "EE")
  equality <<- rbind(equality, data.frame(set = set$set, along, within, between = "all", term = "hakstian_whalen",
    estimate = together$QE, df = length(a) - 1, p_value = together$QEp, approximate = NA, n = sum(n)))
  pairs <- combn(seq_along(groups), 2)
  if (along == "wave") pairs <- pairs[2:1, , drop = FALSE]
  for (j in seq_len(ncol(pairs))) {
    p <- pairs[, j]
    found <- feldt(a[p], n[p], k)
    equality <<- rbind(equality, data.frame(set = set$set, along, within, between = paste(names(groups)[p], collapse = " - "),
      term = "feldt_w", estimate = found["w"], df = NA, p_value = found["p"], approximate = found["approximate"],
      n = sum(n[p])))
  }
}

manifest <- read.csv("manifest.csv", colClasses = c(items = "character", keyed = "character"))
for (i in seq_len(nrow(manifest))) {
  set <- manifest[i, ]; d <- read(set)
  waves <- sort(unique(d$wave), method = "radix"); organisations <- sort(unique(d$organisation), method = "radix")
  for (w in waves) {
    for (o in organisations) cell(set, w, o, d$y[d$wave == w & d$organisation %in% o, , drop = FALSE])
    cell(set, w, "all", d$y[d$wave == w, , drop = FALSE])
    compare(set, "organisation", w, sapply(organisations, function(o) d$y[d$wave == w & d$organisation %in% o, , drop = FALSE],
      simplify = FALSE))
  }
  for (o in organisations) compare(set, "wave", o,
    sapply(waves, function(w) d$y[d$wave == w & d$organisation %in% o, , drop = FALSE], simplify = FALSE))
}

set.seed(1)
bootstrap <- NULL
for (name in c("neuroticism", "verbal", "wine")) {
  d <- read(manifest[manifest$set == name, ])
  y <- d$y[d$wave == sort(unique(d$wave))[1], ]; y <- y[complete.cases(y), ]
  b <- boot(y, function(y, i) alpha_of(cov(y[i, ])), R = 20000)
  ci <- boot.ci(b, conf = 0.95, type = "bca")$bca
  bootstrap <- rbind(bootstrap, data.frame(set = name, wave = sort(unique(d$wave))[1], estimate = b$t0, std_error = sd(b$t),
    conf_low = ci[4], conf_high = ci[5], n = nrow(y)))
}

save <- function(frame, file) {
  number <- sapply(frame, is.numeric)
  frame[number] <- lapply(frame[number], function(x) ifelse(is.na(x), "", sprintf("%.13g", x)))
  write.csv(frame, file, row.names = FALSE, quote = which(!number))
}
save(measures, "measures.csv"); save(pairs, "polychoric.csv"); save(equality, "equality.csv"); save(bootstrap, "bootstrap.csv")
versions <- sapply(c("psych", "psychTools", "mvtnorm", "metafor", "boot"), function(p) as.character(packageVersion(p)))
writeLines(c(R.version.string, paste(names(versions), versions)), "versions_measures.txt")
