# The answers that tests/test_reliability_oracle.py compares with, on the data sets of manifest.csv.
# Run here: Rscript measures.R   (about three minutes)
#
#   measures.csv     omega total, ordinal alpha, floor and ceiling, by wave and organisation; alpha with its ADF standard
#                    error. `estimate` is what psych says; `sharp` is the same optimum found to the last digit: psych
#                    stops its searches early (optimize() and L-BFGS-B with their default tolerances)
#   polychoric.csv   every polychoric correlation of three sets, psych's and sharp
#   equality.csv     Wald tests of equal log(1 - alpha), Welch's, and the interval of a difference of two alphas
#   bootstrap.csv    bootstrap-t intervals of alpha by boot (type "stud"), 20,000 replicates of log(1 - alpha)
#   omega.csv        omega and misfit of ordinal's soup (soup.csv), where the misfit has several minima: the least of
#                    optim's from 300 random starts that has no loading beyond 10
# The ADF standard error is the delta method on the covariances of covariances, its slope by numDeriv: no formula is shared
# with ours. Its degrees of freedom, 2 n / (kurtosis - 1), are of numerical influences: alpha with one respondent
# weighing a little more.
# Incomplete respondents are dropped first, and items that everyone answered alike.
suppressMessages({library(psych); library(mvtnorm); library(boot); library(numDeriv)})

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
log_rest <- function(r) log(1 - alpha_of(r))

# Standard error of log(1 - alpha): all k^2 covariances, their own covariances, and the slope.
adf_error <- function(y) {
  n <- nrow(y); k <- ncol(y)
  x <- sweep(y, 2, colMeans(y))
  products <- x[, rep(1:k, k)] * x[, rep(1:k, each = k)]
  slope <- grad(function(v) log_rest(matrix(v, k)), c(cov(y) * (n - 1) / n))
  sqrt(c(slope %*% cov(products) %*% slope) / n)
}
# What each respondent moves log(1 - alpha) by, and the degrees of freedom of the standard error
adf_df <- function(y) {
  n <- nrow(y); h <- 1e-5
  of <- function(w) log_rest(cov.wt(y, w, method = "ML")$cov)
  d <- sapply(seq_len(n), function(i) {
    up <- down <- rep(1 / n, n)
    up <- up * (1 - h); up[i] <- up[i] + h
    down <- down * (1 + h); down[i] <- down[i] - h
    (of(up) - of(down)) / (2 * h)
  })
  2 * n / (mean(d^4) / mean(d^2)^2 - 1)
}

measures <- pairs <- NULL
cell <- function(set, wave, organisation, y) {
  y <- y[complete.cases(y), apply(y, 2, function(x) any(!is.na(x))), drop = FALSE]
  if (nrow(y) < set$min_n || ncol(y) < 2) return()
  say <- function(term, estimate, sharp = estimate, error = NA)
    measures <<- rbind(measures, data.frame(set = set$set, wave, organisation, term, estimate, sharp,
      std_error = error, n = nrow(y)))
  say("floor", 100 * mean(rowSums(y != set$low) == 0))
  say("ceiling", 100 * mean(rowSums(y != set$high) == 0))
  y <- y[, apply(y, 2, function(x) length(unique(x)) > 1), drop = FALSE]
  p <- suppressMessages(suppressWarnings(polychoric(y, correct = 0, smooth = FALSE)))$rho
  q <- sharp_matrix(y)
  say("ordinal_alpha", alpha_of(p), alpha_of(q))
  if (set$set %in% c("neuroticism", "sai", "verbal")) pairs <<- rbind(pairs, data.frame(set = set$set, wave, organisation,
    first = colnames(y)[row(p)[lower.tri(p)]], second = colnames(y)[col(p)[lower.tri(p)]],
    estimate = p[lower.tri(p)], sharp = q[lower.tri(q)]))
  say("alpha", alpha_of(cov(y)), error = (1 - alpha_of(cov(y))) * adf_error(y))
  if (ncol(y) > 2) {
    r <- cor(y)
    fit <- suppressMessages(suppressWarnings(omega(r, nfactors = 1, plot = FALSE, flip = FALSE)))
    say("omega_total", fit$omega.tot, 1 - sum(1 - sharp_loadings(r)^2) / sum(r))
  }
}

equality <- NULL
compare <- function(set, along, within, groups) {
  groups <- groups[sapply(groups, function(y) nrow(y) > 0)]
  common <- Reduce(`&`, lapply(groups, function(y) apply(y, 2, function(x) any(!is.na(x)))))
  groups <- lapply(groups, function(y) { y <- y[, common, drop = FALSE]; y[complete.cases(y), , drop = FALSE] })
  groups <- groups[sapply(groups, nrow) >= set$min_n]
  if (length(groups) < 2 || sum(common) < 2) return()
  a <- sapply(groups, function(y) alpha_of(cov(y))); n <- sapply(groups, nrow)
  g <- log(1 - a); e <- sapply(groups, adf_error); v <- sapply(groups, adf_df)
  say <- function(between, term, estimate, p, df, error = NA, low = NA, high = NA, n)
    equality <<- rbind(equality, data.frame(set = set$set, along, within, between, term, estimate, std_error = error, df,
      conf_low = low, conf_high = high, p_value = p, n))
  w <- 1 / e^2; m <- sum(w * g) / sum(w); chi <- sum(w * (g - m)^2); k <- length(g)
  lambda <- sum((1 - w / sum(w))^2 / v)
  f <- chi / (k - 1) / (1 + 2 * (k - 2) / (k^2 - 1) * lambda)
  say("all", "equality", chi, pf(f, k - 1, (k^2 - 1) / (3 * lambda), lower.tail = FALSE), k - 1, n = sum(n))
  pairs <- combn(seq_along(groups), 2)
  if (along == "wave") pairs <- pairs[2:1, , drop = FALSE]
  for (j in seq_len(ncol(pairs))) {
    p <- pairs[, j]
    df <- sum(e[p]^2)^2 / sum(e[p]^4 / v[p])
    t <- (g[p[1]] - g[p[2]]) / sqrt(sum(e[p]^2))
    low <- 1 - exp(g[p] + qt(0.975, df) * e[p]); high <- 1 - exp(g[p] - qt(0.975, df) * e[p])
    d <- unname(a[p[1]] - a[p[2]])
    say(paste(names(groups)[p], collapse = " - "), "alpha_difference", d, 2 * pt(-abs(t), df), df,
      error = sqrt(sum(((1 - a[p]) * e[p])^2)),
      low = d - sqrt((a[p[1]] - low[1])^2 + (high[2] - a[p[2]])^2),
      high = d + sqrt((high[1] - a[p[1]])^2 + (a[p[2]] - low[2])^2), n = sum(n[p]))
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
  # boot studentises by the second value, a variance: that of our formula's plain twin, by the influence values
  influence <- function(x) {
    x <- sweep(x, 2, colMeans(x)); k <- ncol(x); q <- rowSums(x^2); t2 <- rowSums(x)^2
    k * (q - mean(q) / mean(t2) * t2) / (k * mean(q) - mean(t2))
  }
  b <- boot(y, function(y, i) {
    d <- influence(y[i, ])
    c(log_rest(cov(y[i, ])), sum(d^2) / (length(d) * (length(d) - 1)))
  }, R = 20000)
  b$t[!is.finite(b$t[, 2]) | b$t[, 2] < 1e-20, ] <- NA
  kept <- complete.cases(b$t); b$t <- b$t[kept, ]; b$R <- sum(kept)
  ci <- boot.ci(b, conf = 0.95, type = "stud")$student
  bootstrap <- rbind(bootstrap, data.frame(set = name, wave = sort(unique(d$wave))[1], estimate = 1 - exp(b$t0[1]),
    conf_low = 1 - exp(ci[5]), conf_high = 1 - exp(ci[4]), n = nrow(y)))
}

# ordinal::soup as respondents x ten tastings; S4 and S9 turned round, as a study would key them
soup <- read.csv("soup.csv")
omegas <- NULL
for (wave in c("all", sort(unique(soup$wave)))) {
  y <- as.matrix(soup[if (wave == "all") TRUE else soup$wave == wave, paste0("S", 1:10)])
  y <- y[complete.cases(y), ]; y[, c(4, 9)] <- 7 - y[, c(4, 9)]
  r <- cor(y); off <- 1 - diag(10)
  misfit <- function(l) sum((off * (r - outer(l, l)))^2) / 2
  slope <- function(l) -2 * c((off * (r - outer(l, l))) %*% l)
  found <- NULL
  for (start in 1:300) {
    o <- optim(rnorm(10, 0, 0.6), misfit, slope, method = "BFGS", control = list(reltol = 1e-16, maxit = 5000))
    if (max(abs(o$par)) < 10) found <- rbind(found, c(o$value, o$par))
  }
  l <- found[which.min(found[, 1]), -1]
  for (turn in 1:3) l <- l - solve(jacobian(slope, l), slope(l))
  omegas <- rbind(omegas, data.frame(wave, estimate = 1 - sum(1 - l^2) / sum(r), misfit = misfit(l),
    minima = length(unique(round(found[, 1], 6))), n = nrow(y)))
}

save <- function(frame, file) {
  number <- sapply(frame, is.numeric)
  frame[number] <- lapply(frame[number], function(x) ifelse(is.na(x), "", sprintf("%.13g", x)))
  write.csv(frame, file, row.names = FALSE, quote = which(!number))
}
save(measures, "measures.csv"); save(pairs, "polychoric.csv"); save(equality, "equality.csv"); save(bootstrap, "bootstrap.csv")
save(omegas, "omega.csv")
versions <- sapply(c("psych", "psychTools", "mvtnorm", "numDeriv", "boot"), function(p) as.character(packageVersion(p)))
writeLines(c(R.version.string, paste(names(versions), versions)), "versions_measures.txt")
