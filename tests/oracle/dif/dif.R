# The answers that tests/test_invariance.py compares with: nested proportional-odds models by ordinal::clm, on the data
# sets of manifest.csv, as lordif nests them. Run here: Rscript dif.R   (half a minute)
#
# answers.csv has one row a set, item, comparison and matching score (total: with the item; rest: without): respondents,
# log-likelihoods of the thresholds alone (ll0) and of the three models, and for pairs the log odds of the first group less
# the second in model 2, with standard error. Of each set the first comparison is fitted by MASS::polr too, which must agree.
suppressMessages({library(ordinal); library(MASS)})
words <- function(x) strsplit(x, " ")[[1]]
tight <- clm.control(gradTol = 1e-9, maxIter = 200L, maxLineIter = 50L)

models <- function(d, pair, check) {
  d$y <- factor(d$y)
  d$g <- droplevels(d$g); d$other <- droplevels(d$other)
  terms <- if (nlevels(d$other) > 1) "other + s" else "s"
  formulas <- lapply(c("1", terms, paste(terms, "+ g"), paste(terms, "+ g * s")), reformulate, response = "y")
  fits <- lapply(formulas, function(f) suppressWarnings(clm(f, data = d, control = tight)))
  ll <- sapply(fits, function(fit) as.numeric(logLik(fit)))
  if (check) for (j in 2:4) {
    start <- c(fits[[j]]$beta, fits[[j]]$alpha)
    other <- polr(formulas[[j]], data = d, start = start[!is.na(start)], control = list(reltol = 1e-15))
    stopifnot(abs(as.numeric(logLik(other)) - ll[j]) < 1e-6)
  }
  slope <- se <- NA
  if (pair) {
    table <- coef(summary(fits[[3]]))
    name <- grep("^g", rownames(table), value = TRUE)
    if (length(name) == 1) { slope <- table[name, 1]; se <- table[name, 2] }
  }
  # what clm had to leave out, a test cannot count
  aliased <- sapply(fits[2:4], function(fit) any(is.na(coef(fit))))
  data.frame(n = nrow(d), ll0 = ll[1], ll1 = ll[2], ll2 = ll[3], ll3 = ll[4], log_odds = slope, std_error = se,
    aliased = max(c(0, which(aliased)[1]), na.rm = TRUE), slope = max(abs(sapply(fits[2:4], function(f) max(abs(f$gradient))))))
}

answers <- NULL
manifest <- read.csv("manifest.csv", colClasses = c(items = "character", keyed = "character"))
for (i in seq_len(nrow(manifest))) {
  set <- manifest[i, ]
  items <- words(set$items); keyed <- as.numeric(words(set$keyed))
  wide <- read.csv(set$file, check.names = FALSE, na.strings = c("", "NA"))
  wide <- wide[!is.na(wide$wave), ]
  y <- as.matrix(wide[items]); y[, keyed < 0] <- set$low + set$high - y[, keyed < 0]
  wave <- as.character(wide$wave); organisation <- as.character(wide$organisation)
  waves <- sort(unique(wave), method = "radix"); organisations <- sort(unique(organisation), method = "radix")
  asked <- sapply(waves, function(w) apply(y[wave == w, , drop = FALSE], 2, function(x) any(!is.na(x))))
  checked <- FALSE
  one <- function(item, grouping, between, groups, within) {
    # groups: first and second of a pair, or all; within: the waves whose answers count
    if (!all(asked[item, within])) return()
    common <- setdiff(items[apply(asked[, within, drop = FALSE], 1, all)], item)
    if (!length(common)) return()
    by <- if (grouping == "wave") wave else organisation
    rows <- by %in% groups & wave %in% within
    others <- y[rows, common, drop = FALSE]
    d <- data.frame(y = y[rows, item], g = factor(by[rows], levels = rev(groups)),
      other = factor(if (set$adjust == "no") "x" else if (grouping == "wave") ifelse(is.na(organisation), "none", organisation)[rows]
        else wave[rows]))
    answered <- rowSums(!is.na(others))
    d$rest <- rowMeans(others, na.rm = TRUE)
    d$total <- (rowSums(others, na.rm = TRUE) + d$y) / (answered + 1)
    d <- d[!is.na(d$y) & answered >= max(1, ceiling(length(common) / 2)), ]
    size <- table(d$g)
    pair <- between != "all"
    if (pair && any(size < set$min_n)) return()
    if (sum(size >= set$min_n) < 2) return()
    d <- d[d$g %in% names(size)[size >= set$min_n], ]
    for (matching in c("total", "rest")) {
      found <- models(transform(d, s = d[[matching]]), pair, !checked)
      checked <<- TRUE
      answers <<- rbind(answers, data.frame(set = set$set, item, grouping, between, matching, found))
    }
  }
  pairs <- function(x) if (length(x) < 2) list() else combn(x, 2, simplify = FALSE)
  for (item in items) {
    able <- waves[asked[item, ] & colSums(asked) > 1]
    if (length(waves) > 2) one(item, "wave", "all", able, able)
    for (p in pairs(waves)) one(item, "wave", paste(p[2], "-", p[1]), rev(p), rev(p))
    if (length(organisations) > 2) one(item, "organisation", "all", organisations, able)
    for (p in pairs(organisations)) one(item, "organisation", paste(p[1], "-", p[2]), p, able)
  }
}
number <- sapply(answers, is.numeric)
print(aggregate(slope ~ set, answers, max))
answers$slope <- NULL
number <- sapply(answers, is.numeric)
answers[number] <- lapply(answers[number], function(x) ifelse(is.na(x), "", sprintf("%.12g", x)))
write.csv(answers, "answers.csv", row.names = FALSE, quote = which(!number))
versions <- sapply(c("ordinal", "MASS"), function(p) as.character(packageVersion(p)))
writeLines(c(R.version.string, paste(names(versions), versions)), "versions.txt")
