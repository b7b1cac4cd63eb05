# What linear.R, weights.R and diagnostics.R share: the data sets, and lme4's fit of them.

suppressMessages({library(lme4); library(lmerTest)})

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
  },
  leadership = function() {
    d <- get(data("bhr2000", package = "multilevel", envir = environment()))
    d <- d[seq(1, nrow(d), by = 4), ]
    data.frame(wave = c("short days", "long days")[1 + (d$HRS > 11)],
      organisation = c("religion 1 or 2", "religion 3", "religion 4 or 5")[c(1, 1, 2, 3, 3)[d$RELIG]],
      group = d$GRP, d[c("AF06", "AF07", "AP12", "AP17", "AP33", "AP34", "AS14", "AS15", "AS16", "AS17", "AS28")])
  },
  attitudes = function() {
    d <- mlmRev::Socatt
    first <- d[d$year == 1983, ]
    y <- tapply(as.integer(d$numpos) - 1, list(d$respond, d$year), mean)[as.character(first$respond), ]
    data.frame(wave = c("up to 40", "over 40")[1 + (first$age > 40)], organisation = as.character(first$class),
      religion = as.character(first$religion), district = first$district, setNames(data.frame(y), paste0("y", colnames(y))))
  },
  pupils = function() {
    d <- nlme::bdf[seq(1, nrow(nlme::bdf), by = 3), ]
    data.frame(wave = paste("denomination", d$denomina), organisation = paste("sex", d$sex), iq = d$IQ.verb,
      school = as.character(d$schoolNR), d[c("langPRET", "langPOST", "aritPRET", "aritPOST")])
  },
  judges = function() {
    d <- shipped$wine()
    w <- ordinal::wine
    cbind(d[c("wave", "organisation")], judge = paste("judge", w$judge[!as.integer(w$bottle) %% 2 == 0]), d[c("bottle1", "bottle2")])
  },
  simulated = function() {
    set.seed(20060701, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")
    n <- 400; teams <- 24
    team <- sample(teams, n, replace = TRUE)
    wave <- c("first", "second")[1 + (runif(n) < 0.45)]
    mean <- 3.2 + 0.3 * (wave == "second") * (team %% 2) + rnorm(teams, 0, 0.25)[team] + rnorm(n, 0, 0.6)
    y <- sapply(1:5, function(j) pmin(5, pmax(1, round(mean + 0.1 * j + rnorm(n, 0, 0.8)))))
    y[matrix(runif(n * 5) < 0.06, n)] <- NA
    data.frame(wave = wave, organisation = c("health", "social")[1 + team %% 2], team = paste("team", team),
      role = sample(c("clinical", "office", "other"), n, replace = TRUE), years = sample(0:39, n, replace = TRUE),
      setNames(data.frame(y), paste0("q", 1:5)))
  },
  unteamed = function() {
    set.seed(20080501, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")
    d <- shipped$simulated()
    d$team <- paste("team", sample(40, nrow(d), replace = TRUE))
    d[setdiff(names(d), c("role", "years"))]
  })

words <- function(x) if (is.na(x) || x == "") character() else strsplit(x, " ")[[1]]

# What a set holds once its missing rows are out: one row a respondent (`wide`, `y`), one row an answer (`long`)
prepare <- function(set) {
  items <- words(set$items); keyed <- as.numeric(words(set$keyed)); covariates <- words(set$covariates)
  wide <- read.csv(paste0(set$name, ".csv"), check.names = FALSE, na.strings = c("", "NA"))
  wide$wave <- as.character(wide$wave); wide$organisation <- as.character(wide$organisation)
  waves <- sort(unique(wide$wave), method = "radix")
  organisations <- sort(unique(wide$organisation), method = "radix")
  y <- as.matrix(wide[items])
  y[, keyed < 0] <- set$low + set$high - y[, keyed < 0]
  wide <- wide[c("wave", "organisation", covariates, words(set$team))]
  used <- complete.cases(wide) & rowSums(!is.na(y)) > 0
  wide <- wide[used, , drop = FALSE]; y <- y[used, , drop = FALSE]
  for (name in covariates) if (is.character(wide[[name]]))
    wide[[name]] <- factor(wide[[name]], levels = sort(unique(wide[[name]]), method = "radix"))
  wide$team <- if (set$team == "") factor(1) else factor(wide[[set$team]])
  cell_names <- outer(waves, organisations, paste, sep = " | ")
  wide$cell <- factor(paste(wide$wave, wide$organisation, sep = " | "),
    levels = intersect(c(t(cell_names)), paste(wide$wave, wide$organisation, sep = " | ")))
  long <- data.frame(wide[rep(seq_len(nrow(wide)), length(items)), , drop = FALSE],
    respondent = factor(rep(seq_len(nrow(wide)), length(items))),
    item = factor(rep(items, each = nrow(wide)), levels = items), response = c(y))
  long <- long[!is.na(long$response), ]
  random <- c("(1 | respondent)", if (set$team != "") "(1 | team)")
  list(wide = wide, y = y, long = long, items = items, covariates = covariates, waves = waves,
    organisations = organisations, cells = cell_names,
    formula = reformulate(c("0 + cell", "item", covariates, random), "response"))
}

# lme4 looks for the smallest deviance; where its slope is zero is a far sharper answer to the same question.
# The first ratio is the respondents', the second the teams' (lme4 sorts by the number of levels).
fit_sharply <- function(formula, long) {
  parsed <- lFormula(formula, long, REML = TRUE, control = lmerControl(check.rankX = "silent.drop.cols"))
  stopifnot(names(parsed$reTrms$flist)[1] == "respondent")
  deviance <- do.call(mkLmerDevfun, parsed)
  found <- optimizeLmer(deviance, optimizer = "bobyqa", control = list(rhoend = 1e-10))
  theta <- found$par
  free <- theta > 1e-3
  theta[!free] <- 0
  at <- function(part) { theta[free] <- part; deviance(theta) }
  for (step in seq_len(if (any(free)) 8 else 0)) {
    slope <- numDeriv::grad(at, theta[free])
    theta[free] <- theta[free] - solve(numDeriv::hessian(at, theta[free]), slope)
  }
  found$par <- theta
  found$fval <- deviance(theta)
  fit <- mkMerMod(environment(deviance), found, parsed$reTrms, fr = parsed$fr)
  list(fit = as_lmerModLmerTest(update_call(fit, formula)), theta = theta, deviance = deviance)
}
# lmerTest evaluates the call again, to get the deviance function; it looks for `long` where everything is seen
update_call <- function(fit, formula) {
  fit@call <- call("lmer", formula, data = quote(long), REML = TRUE,
    control = quote(lmerControl(check.rankX = "silent.drop.cols")))
  fit
}

read_manifest <- function(name) {
  manifest <- read.csv(name, colClasses = "character")
  for (column in c("low", "high")) manifest[[column]] <- as.numeric(manifest[[column]])
  manifest
}
write_answers <- function(answers, name) {
  number <- sapply(answers, is.numeric)
  answers[number] <- lapply(answers[number], function(x) ifelse(is.na(x), "", sprintf("%.15g", x)))
  write.csv(answers, name, row.names = FALSE, quote = which(!number))
}

# columns -> what they are with centred covariates: a cell's coefficient is then its mean at their means
centring <- function(one, names) {
  turn <- diag(length(names)); dimnames(turn) <- list(names, names)
  if (length(one$covariates)) {
    rows <- model.matrix(reformulate(one$covariates), one$wide)[, -1, drop = FALSE]
    turn[startsWith(names, "cell"), colnames(rows)] <- rep(colMeans(rows), each = sum(startsWith(names, "cell")))
  }
  turn
}
