# The answers that tests/test_favourable.py compares with, on the data sets of manifest.csv. Run here: Rscript favourable.R
#
# Without weights and covariates: the saturated linear model of the favourable answers, clubSandwich's CR2 and its
# Satterthwaite degrees of freedom. With weights: survey's linearised ratios by strata, and with a finite population.
# With covariates: a logistic regression by glm, the sandwich of its scores (sandwich::estfun) summed over respondents
# or teams, m / (m - 1) by cell, and the delta method for the average over everybody's covariates.
#
# The data are those of ../linear and ../ordinal. Waves and organisations are taken in sorted order (bytes).

suppressMessages({library(clubSandwich); library(sandwich); library(survey)})

words <- function(x) if (is.na(x) || x == "") character() else strsplit(x, " ")[[1]]

answer <- function(set) {
  items <- words(set$items); keyed <- as.numeric(words(set$keyed)); covariates <- words(set$covariates)
  wide <- read.csv(paste0(set$file, ".csv"), check.names = FALSE, na.strings = c("", "NA"))
  wide <- wide[seq(1, nrow(wide), by = set$every), ]
  y <- as.matrix(wide[items])
  y[, keyed < 0] <- set$low + set$high - y[, keyed < 0]
  good <- matrix(as.numeric(y %in% as.numeric(words(set$favourable))), nrow(y), dimnames = dimnames(y))
  good[is.na(y)] <- NA
  used <- complete.cases(wide[c("wave", "organisation", covariates, words(set$team))]) & rowSums(!is.na(y)) > 0
  wide <- wide[used, ]; good <- good[used, , drop = FALSE]
  waves <- sort(unique(as.character(wide$wave)), method = "radix")
  organisations <- sort(unique(as.character(wide$organisation)), method = "radix")
  cell <- paste(wide$wave, wide$organisation, sep = ", ")
  cells <- intersect(c(t(outer(waves, organisations, paste, sep = ", "))), unique(cell))
  asked <- sapply(items, function(item) tapply(!is.na(good[, item]), factor(cell, cells), sum)) > 1

  combine <- list()  # name -> cells x items, percentages times these
  add <- function(term, wave, organisation, weights) {
    if (!all(names(weights) %in% cells)) return()
    some <- apply(asked[names(weights), , drop = FALSE], 2, all)
    if (!any(some)) return()
    l <- matrix(0, length(cells), length(items), dimnames = list(cells, items))
    l[names(weights), some] <- 100 * weights / sum(some)
    combine[[paste(term, wave, organisation, sep = "|")]] <<- l
  }
  at <- function(w, o) paste(w, o, sep = ", ")
  for (w in waves) for (o in organisations) add("percent_favourable", w, o, setNames(1, at(w, o)))
  pairs <- function(x) if (length(x) > 1) combn(x, 2, simplify = FALSE) else list()
  for (p in pairs(waves)) for (o in organisations)
    add("change_percent_favourable", paste(p[2], "-", p[1]), o, setNames(c(1, -1), at(p[2:1], o)))
  for (w in waves) for (q in pairs(organisations))
    add("gap_percent_favourable", w, paste(q[1], "-", q[2]), setNames(c(1, -1), at(w, q)))
  for (p in pairs(waves)) for (q in pairs(organisations))
    add("difference_in_differences_percent_favourable", paste(p[2], "-", p[1]), paste(q[1], "-", q[2]),
      setNames(c(1, -1, -1, 1), c(at(p[2:1], q[1]), at(p[2:1], q[2]))))

  result <- if (length(covariates)) adjusted(set, wide, good, cell, cells, combine, covariates)
    else if (length(words(set$weight))) weighted(set, wide, good, cell, cells, combine)
    else plain(set, wide, good, cell, combine)
  labels <- do.call(rbind, strsplit(names(combine), "|", fixed = TRUE))
  message(set$name, ": ", length(combine), " estimates")
  data.frame(set = set$name, term = labels[, 1], wave = labels[, 2], organisation = labels[, 3], result)
}

long <- function(wide, good, cell, ...) {
  rows <- rep(seq_len(nrow(wide)), ncol(good))
  d <- data.frame(block = paste(cell[rows], rep(colnames(good), each = nrow(wide)), sep = " | "), row = rows,
    y = c(good), ...)
  d[!is.na(d$y), ]
}

clusters <- function(set, wide) if (length(words(set$team))) wide[[set$team]] else seq_len(nrow(wide))

blocks <- function(l) { v <- c(l); names(v) <- c(outer(rownames(l), colnames(l), paste, sep = " | ")); v }

plain <- function(set, wide, good, cell, combine) {
  d <- long(wide, good, cell)
  fit <- lm(y ~ 0 + block, data = d)
  v <- vcovCR(fit, cluster = clusters(set, wide)[d$row], type = "CR2")
  t(sapply(combine, function(l) {
    w <- blocks(l)[sub("^block", "", names(coef(fit)))]
    r <- linear_contrast(fit, vcov = v, contrasts = matrix(w, 1), test = "Satterthwaite")
    c(estimate = r$Est, std_error = r$SE, df = r$df)
  }))
}

weighted <- function(set, wide, good, cell, cells, combine) {
  given <- 1 * !is.na(good)
  of <- good; of[is.na(of)] <- 0
  names <- character(); columns <- list()
  for (one in seq_along(cells)) for (j in seq_len(ncol(good))) {
    columns[[paste0("n", one, "_", j)]] <- of[, j] * (cell == cells[one])
    columns[[paste0("d", one, "_", j)]] <- given[, j] * (cell == cells[one])
  }
  d <- data.frame(cell = cell, weight = wide[[set$weight]], columns)
  arguments <- list(ids = ~1, strata = ~cell, weights = ~weight, data = d)
  sampled <- words(set$sampled)
  if (length(sampled)) {
    shares <- setNames(as.numeric(sampled[c(FALSE, TRUE)]), sampled[c(TRUE, FALSE)])
    d$fpc <- shares[as.character(wide$wave)]
    arguments$data <- d; arguments$fpc <- ~fpc
  }
  design <- do.call(svydesign, arguments)
  total <- svytotal(as.formula(paste("~", paste(names(columns), collapse = "+"))), design)
  t(sapply(combine, function(l) {
    parts <- which(l != 0, arr.ind = TRUE)
    text <- paste0("(", l[parts], ") * n", parts[, 1], "_", parts[, 2], " / d", parts[, 1], "_", parts[, 2], collapse = "+")
    r <- svycontrast(total, parse(text = text)[[1]])
    c(estimate = as.numeric(coef(r)), std_error = as.numeric(SE(r)), df = NA)
  }))
}

adjusted <- function(set, wide, good, cell, cells, combine, covariates) {
  profile <- do.call(cbind, lapply(covariates, function(name) {
    column <- wide[[name]]
    if (is.numeric(column)) matrix(column) else sapply(sort(unique(column), method = "radix")[-1], function(l) 1 * (column == l))
  }))
  d <- long(wide, good, cell)
  block <- factor(d$block)
  x <- cbind(sapply(levels(block), function(l) 1 * (block == l)), profile[d$row, , drop = FALSE])
  fit <- glm(d$y ~ 0 + x, family = binomial, control = glm.control(epsilon = 1e-14, maxit = 100))
  cluster <- clusters(set, wide); per_cell <- tapply(cluster, cell, function(one) length(unique(one)))
  own <- c(per_cell[cell[d$row]])
  scores <- estfun(fit) * sqrt(own / (own - 1))
  meat <- crossprod(rowsum(scores, cluster[d$row]))
  inverse <- solve(crossprod(x, fitted(fit) * (1 - fitted(fit)) * x))
  v <- inverse %*% meat %*% inverse
  beta <- coef(fit); constants <- nlevels(block)
  t(sapply(combine, function(l) {
    w <- blocks(l); w <- w[w != 0]
    value <- 0; slope <- 0 * beta
    for (name in names(w)) {
      k <- match(name, levels(block))
      eta <- beta[k] + profile %*% beta[-seq_len(constants)]
      p <- plogis(eta)
      value <- value + w[name] * mean(p)
      slope[k] <- slope[k] + w[name] * mean(p * (1 - p))
      slope[-seq_len(constants)] <- slope[-seq_len(constants)] + w[name] * colMeans(c(p * (1 - p)) * profile)
    }
    c(estimate = as.numeric(value), std_error = sqrt(c(slope %*% v %*% slope)), df = NA)
  }))
}

manifest <- read.csv("manifest.csv", colClasses = "character")
manifest[c("low", "high", "every")] <- lapply(manifest[c("low", "high", "every")], as.numeric)
found <- do.call(rbind, lapply(seq_len(nrow(manifest)), function(row) answer(as.list(manifest[row, ]))))
found[c("estimate", "std_error", "df")] <- lapply(found[c("estimate", "std_error", "df")], signif, 15)
write.csv(found, "answers.csv", row.names = FALSE, na = "", quote = 1:4)
writeLines(c(R.version.string, sapply(c("clubSandwich", "sandwich", "survey", "ordinal"),
  function(name) paste(name, packageVersion(name)))), "versions.txt")
