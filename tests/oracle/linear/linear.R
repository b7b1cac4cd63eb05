# The answers that tests/test_mixed_linear.py compares with: lme4, lmerTest and emmeans on the data sets of
# manifest.csv. Run here: Rscript linear.R
#
# To add a data set: a row in manifest.csv, and <name>.csv with one row a respondent: wave, organisation, the
# covariates (numeric ones are continuous) and the items. Sets that ship with R are written by `shipped` below.
# Waves and organisations are taken in sorted order (bytes), the empty cells among them answered with NA.

suppressMessages({library(lme4); library(lmerTest); library(emmeans)})
emm_options(lmerTest.limit = 1e6, pbkrtest.limit = 1e6)

shipped <- list(
  bfi = function() {
    d <- psychTools::bfi[seq(1, 2800, by = 4), ]
    data.frame(
      wave = c("1 to 19", "2 20 to 29", "3 30 on")[cut(d$age, c(0, 19, 29, 200), labels = FALSE)],
      organisation = c("male", "female")[d$gender],
      education = c("school", "finishing", "college", "degree", "graduate")[d$education],
      d[c("A1", "A2", "A3", "A4", "A5")])
  },
  sai = function() {
    d <- psychTools::sai
    d <- d[d$study %in% c("CITY", "FILM", "XRAY"), ]
    data.frame(wave = paste("time", d$time), organisation = as.character(d$study),
      d[c("calm", "tense", "at.ease", "upset", "worrying", "rested", "nervous", "relaxed", "content", "joyful")])
  },
  beps = function() {
    d <- carData::BEPS
    data.frame(wave = paste("part", ceiling(3 * seq_len(nrow(d)) / nrow(d))), organisation = as.character(d$vote),
      gender = as.character(d$gender), knowledge = d$political.knowledge, age = d$age,
      d[c("economic.cond.national", "economic.cond.household", "Blair", "Hague")])
  },
  leaders = function() {
    d <- carData::BEPS
    data.frame(wave = paste("part", ceiling(2 * seq_len(nrow(d)) / nrow(d))), organisation = as.character(d$vote),
      d[c("Blair", "Hague", "Kennedy")])
  },
  verbal = function() {
    v <- lme4::VerbAgg
    d <- v[!duplicated(v$id), ]
    y <- tapply(as.integer(v$resp), list(v$id, v$item), mean)[as.character(d$id), ]
    colnames(y) <- sub("want", "Want", sub("do", "Do", colnames(y)))
    data.frame(wave = paste("half", 1 + (seq_len(nrow(d)) > nrow(d) / 2)), organisation = as.character(d$Gender),
      anger = d$Anger, y)
  },
  disjoint = function() {
    d <- shipped$verbal()
    want <- c("S1WantCurse", "S1WantScold", "S1WantShout"); do <- c("S1DoCurse", "S1DoScold", "S1DoShout")
    d[d$wave == "half 1", do] <- NA
    d[d$wave == "half 2", want] <- NA
    d[c("wave", "organisation", want, do)]
  },
  wine = function() {
    w <- ordinal::wine
    w$second <- as.integer(w$bottle) %% 2 == 0
    key <- interaction(w$judge, w$temp, w$contact, drop = TRUE)
    first <- w[!w$second, ]
    data.frame(wave = as.character(first$temp), organisation = paste("contact", first$contact),
      bottle1 = as.integer(first$rating),
      bottle2 = as.integer(w$rating[w$second][match(key[!w$second], key[w$second])]))
  })

words <- function(x) if (is.na(x) || x == "") character() else strsplit(x, " ")[[1]]

# lme4 looks for the smallest deviance; where its slope is zero is a far sharper answer to the same question
fit_sharply <- function(formula, long) {
  parsed <- lFormula(formula, long, REML = TRUE, control = lmerControl(check.rankX = "silent.drop.cols"))
  deviance <- do.call(mkLmerDevfun, parsed)
  found <- optimizeLmer(deviance, optimizer = "bobyqa", control = list(rhoend = 1e-10))
  theta <- found$par
  if (theta > 1e-3) {
    slope <- function(t) numDeriv::grad(deviance, t)
    theta <- uniroot(slope, theta * c(0.999, 1.001), extendInt = "upX", tol = 1e-13)$root
  } else theta <- 0
  found$par <- theta
  found$fval <- deviance(theta)
  fit <- mkMerMod(environment(deviance), found, parsed$reTrms, fr = parsed$fr)
  list(fit = as_lmerModLmerTest(update_call(fit, formula)), theta = theta)
}
# lmerTest evaluates the call again, to get the deviance function
update_call <- function(fit, formula) {
  fit@call <- call("lmer", formula, data = quote(long), REML = TRUE,
    control = quote(lmerControl(check.rankX = "silent.drop.cols")))
  fit
}

answer <- function(set) {
  items <- words(set$items); keyed <- as.numeric(words(set$keyed)); covariates <- words(set$covariates)
  wide <- read.csv(paste0(set$name, ".csv"), check.names = FALSE, na.strings = c("", "NA"))
  wide$wave <- as.character(wide$wave); wide$organisation <- as.character(wide$organisation)
  waves <- sort(unique(wide$wave), method = "radix")
  organisations <- sort(unique(wide$organisation), method = "radix")
  y <- as.matrix(wide[items])
  y[, keyed < 0] <- set$low + set$high - y[, keyed < 0]
  wide <- wide[c("wave", "organisation", covariates)]
  used <- complete.cases(wide) & rowSums(!is.na(y)) > 0
  wide <- wide[used, , drop = FALSE]; y <- y[used, , drop = FALSE]
  for (name in covariates) if (is.character(wide[[name]])) wide[[name]] <- factor(wide[[name]])
  cell_names <- outer(waves, organisations, paste, sep = " | ")
  wide$cell <- factor(paste(wide$wave, wide$organisation, sep = " | "),
    levels = intersect(c(t(cell_names)), paste(wide$wave, wide$organisation, sep = " | ")))
  long <<- data.frame(wide[rep(seq_len(nrow(wide)), length(items)), , drop = FALSE],
    respondent = factor(rep(seq_len(nrow(wide)), length(items))),
    item = factor(rep(items, each = nrow(wide)), levels = items), response = c(y))
  long <<- long[!is.na(long$response), ]
  formula <- reformulate(c("0 + cell", "item", covariates, "(1 | respondent)"), "response")
  sharp <- fit_sharply(formula, long)
  fit <- sharp$fit

  numeric <- covariates[vapply(wide[covariates], is.numeric, NA)]
  at <- lapply(wide[numeric], mean)
  grid <- ref_grid(fit, at = at, lmer.df = "satterthwaite")
  share <- rep(1 / length(items), nrow(grid@grid))
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
  if (!anyNA(y)) {
    own <- summary(emmeans(grid, "cell", weights = "proportional"))
    stopifnot(all.equal(own$emmean, tested$estimate[seq_len(nrow(own))], tolerance = 1e-10))
  }

  out <- data.frame(set = set$name, term = sapply(stated, `[[`, "term"), wave = sapply(stated, `[[`, "wave"),
    organisation = sapply(stated, `[[`, "organisation"), estimate = NA_real_, std_error = NA_real_, df = NA_real_,
    conf_low = NA_real_, conf_high = NA_real_, p_value = NA_real_)
  out[some, 5:10] <- tested[c("estimate", "SE", "df", "lower.CL", "upper.CL", "p.value")]
  parts <- as.data.frame(VarCorr(fit))$vcov
  fixed <- var(predict(fit, re.form = NA))
  model <- c(tau2 = parts[1], sigma2 = parts[2], icc = parts[1] / sum(parts), reml_loglik = as.numeric(logLik(fit)),
    r2_marginal = fixed / (fixed + sum(parts)), r2_conditional = (fixed + parts[1]) / (fixed + sum(parts)),
    n_respondents = nlevels(droplevels(long$respondent)))
  rbind(out, data.frame(set = set$name, term = names(model), wave = "all", organisation = "all", estimate = model,
    std_error = NA, df = NA, conf_low = NA, conf_high = NA, p_value = NA))
}

manifest <- read.csv("manifest.csv", colClasses = c(items = "character", keyed = "character", covariates = "character"))
for (name in intersect(names(shipped), manifest$name))
  write.csv(shipped[[name]](), paste0(name, ".csv"), row.names = FALSE, na = "", quote = FALSE)
answers <- do.call(rbind, lapply(split(manifest, seq_len(nrow(manifest))), answer))
number <- sapply(answers, is.numeric)
answers[number] <- lapply(answers[number], function(x) ifelse(is.na(x), "", sprintf("%.15g", x)))
write.csv(answers, "answers.csv", row.names = FALSE, quote = 2:4)
versions <- sapply(c("lme4", "lmerTest", "emmeans", "numDeriv", "psychTools", "carData", "ordinal"),
  function(p) as.character(packageVersion(p)))
writeLines(c(R.version.string, paste(names(versions), versions)), "versions.txt")
