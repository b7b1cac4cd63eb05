# The answers that tests/test_mixed_ordinal_teams.py compares with, on companies.csv and ../linear/*.csv. Run here: Rscript teams.R
#
# fixed      the log-likelihood of respondents nested in teams at given parameters, by integrate() within integrate()
# nested     its maximum, by an own quadrature over a dense grid of both effects and nlminb()
# laplace    what clmm says, which has Laplace's approximation only
# one_item   one item, (1 | team): clmm with 15 nodes of adaptive quadrature
# profile    where the profile likelihood interval of tau ends, by the same dense grid, nlminb() and uniroot()
# sandwich   clm with weights and without, sandwich::vcovCL (HC0, m / (m - 1)) by respondent

suppressMessages({library(ordinal); library(sandwich)})
links <- list(logit = plogis, probit = pnorm)
rows <- list()
say <- function(part, link, term, estimate, std_error = NA)
  rows[[length(rows) + 1]] <<- data.frame(part, link, term, estimate = as.numeric(estimate), std_error = as.numeric(std_error))

all <- read.csv("companies.csv")
longer <- function(wide, items) {
  wide$cell <- factor(paste(wide$wave, wide$organisation, sep = ", "))
  wide$respondent <- seq_len(nrow(wide))
  long <- do.call(rbind, lapply(items, function(item)
    data.frame(wide[setdiff(names(wide), items)], item = item, response = wide[[item]])))
  long <- long[!is.na(long$response), ]
  long$item <- factor(long$item, levels = items)
  long$response <- factor(long$response, levels = sort(unique(long$response)), ordered = TRUE)
  long$team <- factor(long$team); long$respondent <- factor(long$respondent)
  long
}
shift <- function(long, beta) {
  x <- model.matrix(~ cell + item, long)[, -1, drop = FALSE]
  drop(x %*% beta)
}

# --- fixed ---------------------------------------------------------------------------------------------------
some <- all[all$team %in% sprintf("company %02d", c(2, 3, 4, 5, 6, 7)), ][1:40, ]
for (link in names(links)) {
  cdf <- links[[link]]
  long <- longer(some, c("LEAD03", "LEAD05"))
  alpha <- c(-2.4, -1.1, 0.3, 2.1); beta <- c(0.4, -0.3, 0.2, 0.5)[seq_len(nlevels(long$cell))]
  tau <- 1.3; omega <- 0.7
  eta <- shift(long, beta); bounds <- c(-Inf, alpha, Inf); k <- as.integer(as.character(long$response))
  inner <- function(which, v) integrate(function(z) sapply(z, function(one)
    dnorm(one) * prod(cdf(bounds[k[which] + 1] - eta[which] - tau * one - omega * v) -
      cdf(bounds[k[which]] - eta[which] - tau * one - omega * v))), -9, 9, rel.tol = 1e-10, abs.tol = 0, subdivisions = 400)$value
  total <- 0
  for (team in levels(long$team)) {
    mine <- split(which(long$team == team), droplevels(long$respondent[long$team == team]))
    total <- total + log(integrate(function(v) sapply(v, function(one)
      dnorm(one) * prod(sapply(mine, inner, v = one))), -9, 9, rel.tol = 1e-10, abs.tol = 0, subdivisions = 400)$value)
  }
  say("fixed", link, "loglik", total)
}

# --- nested: dense grids ---------------------------------------------------------------------------------------
grid <- function(number, reach = 7) { z <- seq(-reach, reach, length.out = number); list(z = z, w = dnorm(z) / sum(dnorm(z))) }
nested <- function(long, link, teams, number = c(45, 61)) {
  # the log-likelihood as a function of (thresholds, effects, tau, omega); without teams, of (.., tau)
  cdf <- links[[link]]
  x <- model.matrix(if (nlevels(long$cell) > 1) ~ cell + item else ~ item, long)[, -1, drop = FALSE]
  k <- as.integer(long$response); K <- nlevels(long$response)
  gz <- grid(number[1]); gv <- if (teams) grid(number[2]) else list(z = 0, w = 1)
  team <- if (teams) long$team[!duplicated(long$respondent)] else NULL
  ids <- as.integer(droplevels(long$respondent)); order_of <- unique(ids)
  function(par) {
    alpha <- par[1:(K - 1)]
    if (is.unsorted(alpha, strictly = TRUE)) return(-1e10)
    beta <- par[K:(K + ncol(x) - 1)]; tau <- par[K + ncol(x)]; omega <- if (teams) par[K + ncol(x) + 1] else 0
    eta <- drop(x %*% beta); bounds <- c(-Inf, alpha, Inf)
    per <- matrix(0, length(order_of), length(gv$z))
    for (m in seq_along(gv$z)) {
      at <- outer(eta + omega * gv$z[m], tau * gz$z, `+`)
      l <- log(pmax(cdf(bounds[k + 1] - at) - cdf(bounds[k] - at), 1e-300))
      s <- rowsum(l, ids, reorder = FALSE)
      top <- apply(s, 1, max)
      per[, m] <- top + log(exp(s - top) %*% gz$w)
    }
    if (teams) per <- rowsum(per, as.integer(droplevels(team)), reorder = FALSE)
    top <- apply(per, 1, max)
    sum(top + log(exp(per - top) %*% gv$w))
  }
}
quarter <- all[seq(1, nrow(all), 6), ]
for (link in names(links)) {
  long <- longer(quarter, c("LEAD03", "LEAD05"))
  laplace <- clmm(response ~ cell + item + (1 | team) + (1 | respondent), data = long, link = link)
  sd <- sapply(laplace$ST, as.numeric)[c("respondent", "team")]
  names(sd) <- c("tau", "omega")
  term <- c(paste0("threshold[", names(laplace$alpha), "]"),
    paste0("cell[", levels(long$cell)[-1], "]"), paste0("item[", levels(long$item)[-1], "]"), "tau", "omega")
  start <- c(laplace$alpha, laplace$beta, sd)
  say("laplace", link, c(term, "loglik"), c(start, laplace$logLik))
  f <- nested(long, link, TRUE, c(31, 41))
  start[c("tau", "omega")] <- pmax(start[c("tau", "omega")], 0.3)
  fit <- nlminb(start, function(p) -f(p), control = list(rel.tol = 1e-13, eval.max = 2000, iter.max = 500))
  say("nested", link, c(term, "loglik"), c(fit$par, nested(long, link, TRUE, c(91, 121))(fit$par)))
  message(link, " nested: ", fit$message)
}

# --- one_item --------------------------------------------------------------------------------------------------
for (link in names(links)) {
  long <- longer(all, "LEAD05")
  fit <- clmm(response ~ cell + (1 | team), data = long, link = link, nAGQ = 15, control = clmm.control(grtol = 1e-8))
  error <- sqrt(diag(vcov(fit)))
  term <- c(paste0("threshold[", names(fit$alpha), "]"), paste0("cell[", levels(long$cell)[-1], "]"))
  say("one_item", link, term, coef(fit), error[seq_along(term)])
  say("one_item", link, c("omega", "loglik"), c(as.numeric(fit$ST[[1]]), fit$logLik))
}

# --- profile ---------------------------------------------------------------------------------------------------
wine <- read.csv(file.path("..", "linear", "wine.csv")); wine$team <- "none"
for (set in c("wine", "companies")) for (link in names(links)) {
  long <- if (set == "wine") longer(wine, c("bottle1", "bottle2")) else longer(quarter, c("LEAD03", "LEAD05"))
  f <- nested(long, link, FALSE, c(81, 1))
  begin <- clm(response ~ cell + item, data = long, link = link)
  top <- nlminb(c(coef(begin), 1), function(p) -f(p), control = list(rel.tol = 1e-14, eval.max = 3000, iter.max = 900))
  others <- top$par[-length(top$par)]
  missing <- function(tau) {
    best <- nlminb(others, function(p) -f(c(p, tau)), control = list(rel.tol = 1e-14, eval.max = 3000, iter.max = 900))
    2 * (best$objective - top$objective) - qchisq(0.95, 1)
  }
  tau <- top$par[length(top$par)]
  # a low end of 0 where the deviance does not reach that far
  low <- if (2 * (-begin$logLik - top$objective) <= qchisq(0.95, 1)) 0 else uniroot(missing, c(0.2, tau), tol = 1e-6)$root
  say(paste0("profile_", set), link, c("tau", "loglik", "low", "high"),
    c(tau, -top$objective, low, uniroot(missing, c(tau, 4 * tau), tol = 1e-6)$root))
}

# --- sandwich --------------------------------------------------------------------------------------------------
leaders <- read.csv(file.path("..", "linear", "leaders.csv")); leaders <- leaders[seq(1, nrow(leaders), by = 5), ]
leaders$team <- "none"; leaders$weight <- 0.5 + (seq_len(nrow(leaders)) %% 7) / 5
for (set in c("companies", "leaders")) for (link in names(links)) for (weighted in c(FALSE, TRUE)) {
  wide <- if (set == "companies") all else leaders
  items <- if (set == "companies") "LEAD05" else c("Blair", "Hague", "Kennedy")
  wide <- wide[rowSums(!is.na(wide[items])) > 0, ]
  wide$weight <- if (weighted) wide$weight / ave(wide$weight, wide$wave) else 1
  long <- longer(wide, items)
  fit <- if (length(items) > 1) clm(response ~ cell + item, data = long, weights = weight, link = link, control = clm.control(gradTol = 1e-9)) else
    clm(response ~ cell, data = long, weights = weight, link = link, control = clm.control(gradTol = 1e-9))
  error <- sqrt(diag(vcovCL(fit, cluster = long$respondent, type = "HC0", cadjust = TRUE)))
  later <- seq_len(nlevels(long$cell) - 1) + length(fit$alpha)
  say(paste0("sandwich_", set, if (weighted) "_weighted"), link,
    c(paste0("cell[", levels(long$cell)[-1], "]"), "loglik"), c(coef(fit)[later], fit$logLik), c(error[later], NA))
}

answers <- do.call(rbind, rows)
number <- c("estimate", "std_error")
answers[number] <- lapply(answers[number], function(x) ifelse(is.na(x), "", sprintf("%.15g", x)))
write.csv(answers, "teams.csv", row.names = FALSE, quote = 3)
versions <- sapply(c("ordinal", "sandwich", "multilevel", "psychTools"), function(p) as.character(packageVersion(p)))
writeLines(c(R.version.string, paste(names(versions), versions)), "versions_teams.txt")
