# The answers that tests/test_mixed_ordinal.py compares with: ordinal's clmm with 15 nodes of adaptive Gauss-Hermite
# quadrature, and emmeans on its latent scale, on the data sets of manifest.csv. Run here: Rscript ordinal.R
#
# The data are those of ../linear. Waves and organisations are taken in sorted order (bytes). Covariates enter as
# columns centred over respondents, categorical ones as 0-1 columns of all levels but the first.

suppressMessages({library(ordinal); library(emmeans)})

words <- function(x) if (is.na(x) || x == "") character() else strsplit(x, " ")[[1]]

answer <- function(set) {
  items <- words(set$items); keyed <- as.numeric(words(set$keyed)); covariates <- words(set$covariates)
  wide <- read.csv(file.path("..", "linear", paste0(set$file, ".csv")), check.names = FALSE, na.strings = c("", "NA"))
  wide <- wide[seq(1, nrow(wide), by = set$every), ]
  wide$wave <- as.character(wide$wave); wide$organisation <- as.character(wide$organisation)
  waves <- sort(unique(wide$wave), method = "radix")
  organisations <- sort(unique(wide$organisation), method = "radix")
  y <- as.matrix(wide[items])
  y[, keyed < 0] <- set$low + set$high - y[, keyed < 0]
  wide <- wide[c("wave", "organisation", covariates)]
  used <- complete.cases(wide) & rowSums(!is.na(y)) > 0
  wide <- wide[used, , drop = FALSE]; y <- y[used, , drop = FALSE]
  profile <- matrix(0, nrow(wide), 0)
  for (name in covariates) {
    column <- wide[[name]]
    made <- if (is.numeric(column)) matrix(column, dimnames = list(NULL, name)) else {
      levels <- sort(unique(column), method = "radix")[-1]
      matrix(sapply(levels, function(l) as.numeric(column == l)), ncol = length(levels),
        dimnames = list(NULL, paste0(name, "[", levels, "]")))
    }
    profile <- cbind(profile, scale(made, scale = FALSE))
  }
  x <- paste0("x", seq_len(ncol(profile)))[seq_len(ncol(profile))]
  cells <- c(t(outer(waves, organisations, paste, sep = ", ")))
  cell <- factor(paste(wide$wave, wide$organisation, sep = ", "))
  cell <- factor(cell, levels = intersect(cells, levels(cell)))
  rows <- rep(seq_len(nrow(wide)), length(items))
  long <- data.frame(cell = cell[rows], item = factor(rep(items, each = nrow(wide)), levels = items),
    respondent = factor(rows), setNames(as.data.frame(profile[rows, , drop = FALSE]), x), response = c(y))
  long <- long[!is.na(long$response), ]
  long$response <- factor(long$response, ordered = TRUE)
  long <<- long  # where emmeans looks for it
  formula <- reformulate(c("cell", "item", x, "(1 | respondent)"), "response")
  started <- Sys.time()
  fit <- clmm(formula, data = long, link = set$link, nAGQ = 15, Hess = TRUE, control = clmm.control(grtol = 1e-8))
  message(set$name, ": ", round(as.numeric(Sys.time() - started, units = "secs"), 1), " s, largest gradient ",
    signif(max(abs(fit$gradient)), 2))
  alone <- clm(reformulate(c("cell", "item", x), "response"), data = long, link = set$link,
    control = clm.control(gradTol = 1e-9))

  tau <- as.numeric(fit$ST[[1]])
  # on the boundary clmm's Hessian is singular; the model is then that without respondents
  model <- if (tau < 1e-3) alone else fit
  error <- sqrt(diag(vcov(model)))
  beta <- fit$beta
  named <- c(paste0("cell[", levels(cell)[-1], "]"), paste0("item[", items[-1], "]"), colnames(profile))
  stopifnot(length(named) == length(beta))
  out <- rbind(
    data.frame(term = paste0("threshold[", names(fit$alpha), "]"), estimate = fit$alpha, std_error = error[names(fit$alpha)]),
    data.frame(term = named, estimate = beta, std_error = error[names(beta)]),
    data.frame(term = c("tau", "loglik", "loglik_alone"), estimate = c(tau, fit$logLik, alone$logLik), std_error = NA))
  out$wave <- "all"; out$organisation <- "all"

  at <- setNames(as.list(rep(0, length(x))), x)
  grid <- ref_grid(model, at = at, mode = "latent")
  vectors <- list(); stated <- list()
  mean_of <- function(w, o) {
    name <- paste(w, o, sep = ", ")
    if (!name %in% levels(cell)) NULL else (grid@grid$cell == name) / length(items)
  }
  state <- function(term, wave, organisation, parts, signs) {
    if (any(sapply(parts, is.null))) return()
    stated[[length(stated) + 1]] <<- data.frame(term = term, wave = wave, organisation = organisation)
    vectors[[length(vectors) + 1]] <<- Reduce(`+`, Map(`*`, parts, signs))
  }
  pairs <- function(x) if (length(x) < 2) list() else combn(x, 2, simplify = FALSE)
  for (w in waves) for (o in organisations) state("emmean", w, o, list(mean_of(w, o)), 1)
  for (p in pairs(waves)) for (o in organisations)
    state("change", paste(p[2], "-", p[1]), o, list(mean_of(p[2], o), mean_of(p[1], o)), c(1, -1))
  for (w in waves) for (q in pairs(organisations))
    state("gap", w, paste(q[1], "-", q[2]), list(mean_of(w, q[1]), mean_of(w, q[2])), c(1, -1))
  for (p in pairs(waves)) for (q in pairs(organisations))
    state("difference_in_differences", paste(p[2], "-", p[1]), paste(q[1], "-", q[2]),
      list(mean_of(p[2], q[1]), mean_of(p[1], q[1]), mean_of(p[2], q[2]), mean_of(p[1], q[2])), c(1, -1, -1, 1))
  names(vectors) <- seq_along(vectors)
  tested <- summary(contrast(grid, method = vectors), infer = c(TRUE, TRUE))
  out <- rbind(out, cbind(do.call(rbind, stated), estimate = tested$estimate, std_error = tested$SE))
  cbind(set = set$name, out[c("term", "wave", "organisation", "estimate", "std_error")])
}

manifest <- read.csv("manifest.csv", colClasses = c(items = "character", keyed = "character", covariates = "character"))
answers <- do.call(rbind, lapply(split(manifest, seq_len(nrow(manifest))), answer))
number <- sapply(answers, is.numeric)
answers[number] <- lapply(answers[number], function(x) ifelse(is.na(x), "", sprintf("%.15g", x)))
write.csv(answers, "answers.csv", row.names = FALSE, quote = 2:4)
versions <- sapply(c("ordinal", "emmeans"), function(p) as.character(packageVersion(p)))
writeLines(c(R.version.string, paste(names(versions), versions)), "versions.txt")
