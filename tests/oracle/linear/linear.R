# The answers that tests/test_mixed_linear.py and test_mixed_linear_teams.py compare with: lme4, lmerTest and emmeans on
# the data sets of manifest.csv. Run here: Rscript linear.R (three minutes)
#
# To add a data set: a row in manifest.csv, and <name>.csv with one row a respondent: wave, organisation, the
# covariates (numeric ones are continuous), the team if the manifest names one, and the items. Sets that ship with
# R are written by `shipped` in models.R. Waves and organisations are taken in sorted order (bytes), the empty cells
# among them answered with NA.

source("models.R")
suppressMessages(library(emmeans))
emm_options(lmerTest.limit = 1e6, pbkrtest.limit = 1e6)

# Which items are linked, by cells that answered them, with those that most respondents answered
linked <- function(cell, y) {
  asked <- sapply(seq_len(ncol(y)), function(j) levels(cell) %in% cell[!is.na(y[, j])])
  block <- seq_len(ncol(y))
  repeat {
    before <- block
    for (c in seq_len(nrow(asked))) if (any(asked[c, ])) {
      mine <- block %in% block[asked[c, ]]
      block[mine] <- min(block[mine])
    }
    if (identical(before, block)) break
  }
  sizes <- sapply(unique(block), function(b) sum(rowSums(!is.na(y[, block == b, drop = FALSE])) > 0))
  block == unique(block)[which.max(sizes)]
}

# Six combinations of all coefficients drawn at random, tested by lmerTest::contest. The covariates of the tests are
# centred over respondents; a vector in their coordinates is `vector`.
contests <- function(set, fit, wide, covariates) {
  set.seed(7)
  names <- names(fixef(fit))
  rows <- if (length(covariates)) model.matrix(reformulate(covariates), wide)[, -1, drop = FALSE] else NULL
  do.call(rbind, lapply(1:6, function(i) {
    L <- round(rnorm(length(names)), 2)
    found <- contest(fit, L, joint = FALSE)
    vector <- setNames(L, names)
    of_cells <- sum(vector[startsWith(names, "cell")])
    for (name in colnames(rows)) vector[name] <- vector[name] - of_cells * mean(rows[, name])
    data.frame(set = set$name, number = i, column = names, weight = vector, estimate = found$Estimate,
      std_error = found$`Std. Error`, df = found$df, p_value = found$`Pr(>|t|)`, row.names = NULL)
  }))
}

answer <- function(set) {
  message(set$name)
  one <- prepare(set)
  wide <- one$wide; y <- one$y; items <- one$items; covariates <- one$covariates
  waves <- one$waves; organisations <- one$organisations; cell_names <- one$cells
  long <<- one$long
  sharp <- fit_sharply(one$formula, long)
  fit <- sharp$fit

  numeric <- covariates[vapply(wide[covariates], is.numeric, NA)]
  at <- lapply(wide[numeric], mean)
  grid <- ref_grid(fit, at = at, lmer.df = "satterthwaite")
  # the means are over the items that cells link with those most respondents answered
  common <- linked(wide$cell, y)
  share <- (grid@grid$item %in% items[common]) / sum(common)
  for (name in setdiff(covariates, numeric))
    share <- share * as.numeric(prop.table(table(wide[[name]]))[as.character(grid@grid[[name]])])
  mean_of <- function(w, o) {
    name <- paste(w, o, sep = " | ")
    if (!name %in% levels(wide$cell)) return(NULL)
    share * (grid@grid$cell == name)
  }

  stated <- list()
  state <- function(term, wave, organisation, parts, signs) {
    vector <- if (any(sapply(parts, is.null))) NULL else Reduce(`+`, Map(`*`, parts, signs))
    stated[[length(stated) + 1]] <<- list(term = term, wave = wave, organisation = organisation, vector = vector)
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

  some <- !sapply(stated, function(s) is.null(s$vector))
  vectors <- lapply(stated[some], `[[`, "vector")
  names(vectors) <- seq_along(vectors)
  tested <- summary(contrast(grid, method = vectors), infer = c(TRUE, TRUE))
  # where nothing is missing, emmeans' own proportional weights must say the same
  if (!anyNA(y) && all(common)) {
    own <- summary(emmeans(grid, "cell", weights = "proportional"))
    stopifnot(all.equal(own$emmean, tested$estimate[seq_len(nrow(own))], tolerance = 1e-10))
  }

  out <- data.frame(set = set$name, term = sapply(stated, `[[`, "term"), wave = sapply(stated, `[[`, "wave"),
    organisation = sapply(stated, `[[`, "organisation"), estimate = NA_real_, std_error = NA_real_, df = NA_real_,
    conf_low = NA_real_, conf_high = NA_real_, p_value = NA_real_)
  out[some, 5:10] <- tested[c("estimate", "SE", "df", "lower.CL", "upper.CL", "p.value")]
  parts <- setNames(as.data.frame(VarCorr(fit))$vcov, as.data.frame(VarCorr(fit))$grp)
  of_team <- if (set$team == "") 0 else parts[["team"]]
  between <- parts[["respondent"]] + of_team
  fixed <- var(predict(fit, re.form = NA))
  model <- c(tau2 = parts[["respondent"]], sigma2 = parts[["Residual"]], icc = between / sum(parts),
    total_sd = sqrt(sum(parts)), reml_loglik = as.numeric(logLik(fit)),
    r2_marginal = fixed / (fixed + sum(parts)), r2_conditional = (fixed + between) / (fixed + sum(parts)),
    n_respondents = nlevels(droplevels(long$respondent)))
  if (set$team != "") model <- c(model, tau2_team = of_team, icc_team = of_team / sum(parts))
  list(answers = rbind(out, data.frame(set = set$name, term = names(model), wave = "all", organisation = "all", estimate = model,
    std_error = NA, df = NA, conf_low = NA, conf_high = NA, p_value = NA)),
    contests = contests(set, fit, wide, covariates))
}

manifest <- read_manifest("manifest.csv")
for (name in intersect(names(shipped), manifest$name))
  write.csv(shipped[[name]](), paste0(name, ".csv"), row.names = FALSE, na = "", quote = FALSE)
found <- lapply(split(manifest, seq_len(nrow(manifest))), answer)
for (part in c("answers", "contests"))
  write_answers(do.call(rbind, lapply(found, `[[`, part)), paste0(part, ".csv"))
versions <- sapply(c("lme4", "lmerTest", "emmeans", "numDeriv", "psychTools", "carData", "ordinal", "multilevel", "mlmRev", "nlme"),
  function(p) as.character(packageVersion(p)))
writeLines(c(R.version.string, paste(names(versions), versions)), "versions.txt")
