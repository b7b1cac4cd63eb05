# Writes the structure oracle: lavaan::cfa with ordered answers, estimator WLSMV, on complete cases.
# Run in this folder: Rscript structure.R
#   bfi.csv        psych::bfi, the first 1,200 respondents, its five scales of five statements, gender and education
#   simulated.csv  three groups of 300, 400 and 250: four statements of four responses and one factor, with loadings,
#                  means and spreads that differ, and one statement that is harder in the third group
#                  (in `three` and `two` the same with the highest responses merged: three responses, two)
#   expected.csv   one estimate a row
#   versions.txt   what it was made with
# Statements are turned round first where they run against their scale, as surveywaves does.
suppressPackageStartupMessages({library(psych); library(lavaan)})

traits <- list(agreeableness = paste0("A", 1:5), conscientiousness = paste0("C", 1:5),
               extraversion = paste0("E", 1:5), neuroticism = paste0("N", 1:5), openness = paste0("O", 1:5))
reversed <- c("A1", "C4", "C5", "E1", "E2", "O2", "O5")
bfi <- head(psych::bfi, 1200)[c(unlist(traits, use.names = FALSE), "gender", "education")]
write.csv(bfi, "bfi.csv", row.names = FALSE, na = "")
bfi[reversed] <- 7 - bfi[reversed]

set.seed(13)
size <- c(300, 400, 250)
simulated <- do.call(rbind, lapply(1:3, function(g) {
  factor <- rnorm(size[g], c(0, .3, -.2)[g], c(1, 1.2, .9)[g])
  shift <- rbind(0, 0, c(0, 0, 0, .5))[g, ]
  answers <- sapply(1:4, function(i) {
    y <- c(.8, .7, .6, .75)[i] * factor - shift[i] + rnorm(size[g], 0, .65)
    findInterval(y, c(-1.1, -.2, .7) + c(.1, 0, -.1, .2)[i]) + 1
  })
  data.frame(answers, group = g)
}))
names(simulated)[1:4] <- paste0("S", 1:4)
write.csv(simulated, "simulated.csv", row.names = FALSE)

expected <- NULL
add <- function(data, scale, group, term, estimate, item = "", std_error = NA, df = NA, p_value = NA, n = NA)
  expected <<- rbind(expected, data.frame(data, scale, group, term, item, estimate, std_error, df, p_value, n,
                                          row.names = NULL))
fitted <- function(...) {
  # The search is stopped as late as lavaan's optimiser manages without giving up.
  for (tolerance in 10^-(12:10)) {
    fit <- suppressWarnings(cfa(..., ordered = TRUE, estimator = "WLSMV", std.lv = TRUE, missing = "listwise",
                                control = list(rel.tol = tolerance, iter.max = 10000)))
    if (lavInspect(fit, "converged")) return(fit)
  }
  stop("not converged")
}
# lavaan 0.6.14 keeps intercepts of ordered statements at 0 whatever its syntax says: they are freed in its table.
freed <- function(model, frame, items, ...) {
  table <- parTable(cfa(model, frame, ordered = TRUE, estimator = "WLSMV", std.lv = TRUE, do.fit = FALSE, ...))
  at <- which(table$lhs %in% items & table$op == "~1" & table$group > 1)
  table$free[at] <- max(table$free) + seq_along(at)
  table$ustart[at] <- NA
  fitted(table[setdiff(names(table), c("est", "se", "start"))], frame, ...)
}
printed <- function(fit, data, scale, group, prefix = "") {
  found <- fitMeasures(fit)
  add(data, scale, group, paste0(prefix, "chisq"), found["chisq.scaled"], df = found["df.scaled"],
      p_value = found["pvalue.scaled"], n = lavInspect(fit, "ntotal"))
  for (index in if (prefix == "") c("cfi", "tli", "rmsea") else c("cfi", "rmsea"))
    add(data, scale, group, paste0(prefix, index), found[paste0(index, ".scaled")])
  if (prefix == "") add(data, scale, group, "srmr", found["srmr"])
}
of <- function(name, items) paste(name, "=~", paste(items, collapse = " + "))

alone <- function(frame, data, scale, items) {
  fit <- fitted(of("f", items), frame)
  printed(fit, data, scale, "")
  standard <- standardizedSolution(fit)
  standard <- standard[standard$op == "=~", ]
  sign <- if (sum(standard$est.std) < 0) -1 else 1
  add(data, scale, "", "loading", sign * standard$est.std, standard$rhs, standard$se)
}
for (scale in names(traits)) alone(bfi, "bfi", scale, traits[[scale]])
alone(simulated, "simulated", "simulated", paste0("S", 1:4))

for (at in 1:4) {
  pair <- names(traits)[at + 0:1]
  fit <- fitted(c(of("f", traits[[pair[1]]]), of("g", traits[[pair[2]]])), bfi)
  standard <- standardizedSolution(fit)
  loading <- standard[standard$op == "=~", ]
  sign <- prod(sapply(c("f", "g"), function(name) sign(sum(loading$est.std[loading$lhs == name]))))
  phi <- standard[standard$lhs == "f" & standard$op == "~~" & standard$rhs == "g", ]
  add("bfi", pair[1], "", paste("factor_correlation:", pair[2]), sign * phi$est.std, std_error = phi$se,
      n = lavInspect(fit, "ntotal"))
}

# The steps of Wu & Estabrook (2016). Thresholds alone are made equal with intercepts and scales of the items free in
# all groups but the first; then loadings; then intercepts too, which is lavaan's group.equal = c("thresholds",
# "loadings") as it stands.
steps <- function(frame, data, scale, items, by, only = c("configural", "thresholds", "metric", "scalar")) {
  frame <- frame[complete.cases(frame[c(items, by)]), ]
  # lavaan refuses a response that a group never gave: it is merged with the next one towards the middle.
  for (item in items) {
    kept <- Reduce(intersect, lapply(split(frame[[item]], frame[[by]]), unique))
    if (!setequal(kept, unique(frame[[item]]))) cat(scale, "by", by, "merged:", item, "kept", sort(kept), "\n")
    frame[[item]] <- sapply(frame[[item]], function(x) sort(kept)[which.min(abs(sort(kept) - x))])
  }
  groups <- length(unique(frame[[by]]))
  later <- function(first, what) sprintf("c(%s)*%s", paste(c(first, rep("NA", groups - 1)), collapse = ","), what)
  free <- c(of("f", items), paste(items, "~", later(0, "1")), paste(items, "~*~", mapply(later, 1, items)),
            paste0("f ~ c(", paste(rep(0, groups), collapse = ","), ")*1"))
  unit <- paste0("f ~~ c(", paste(rep(1, groups), collapse = ","), ")*f")
  fits <- list(
    configural = function() fitted(of("f", items), frame, group = by),
    thresholds = function() freed(c(free, unit), frame, items, group = by, group.equal = "thresholds"),
    metric = function() freed(c(free, paste("f ~~", later(1, "f"))), frame, items, group = by,
                              group.equal = c("thresholds", "loadings")),
    scalar = function() fitted(of("f", items), frame, group = by, group.equal = c("thresholds", "loadings"))
  )
  fits <- lapply(fits[only], function(fit) fit())
  last <- NULL
  for (step in names(fits)) {
    fit <- fits[[step]]
    printed(fit, data, scale, by, paste0(step, "_"))
    if (!is.null(last) && fitMeasures(fit, "df") > fitMeasures(fits[[last]], "df")) {
      test <- lavTestLRT(fits[[last]], fit, method = "satorra.2000", A.method = "delta", scaled.shifted = TRUE)
      add(data, scale, by, paste0(step, "_chisq_difference"), test[2, "Chisq diff"], df = test[2, "Df diff"],
          p_value = test[2, "Pr(>Chisq)"])
    }
    last <- step
  }
}
for (scale in names(traits)) steps(bfi, "bfi", scale, traits[[scale]], "gender")
for (scale in c("conscientiousness", "neuroticism")) steps(bfi, "bfi", scale, traits[[scale]], "education")
steps(simulated, "simulated", "simulated", paste0("S", 1:4), "group")
for (most in 3:2) {
  merged <- simulated
  merged[1:4] <- lapply(merged[1:4], pmin, most)
  # With two responses, thresholds and spreads of the responses cannot both be free.
  only <- if (most == 2) c("configural", "scalar") else c("configural", "thresholds", "metric", "scalar")
  steps(merged, "simulated", c("two", "three")[most - 1], paste0("S", 1:4), "group", only)
}

number <- sapply(expected, is.numeric)
expected[number] <- lapply(expected[number], function(x) ifelse(is.na(x), "", formatC(x, digits = 12, format = "g")))
write.csv(expected, "expected.csv", row.names = FALSE)
writeLines(c(R.version.string, paste("lavaan", packageVersion("lavaan")), paste("psych", packageVersion("psych"))),
           "versions.txt")
