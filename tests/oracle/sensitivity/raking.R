# Raking by iterative proportional fitting in R's own loglin(), which fits the margins of one table to the pattern of
# another. Run in this folder: Rscript raking.R
rake <- function(observed, margins) {
  # any table with the known margins will do as a target: that of independence
  target <- Reduce(outer, lapply(margins, function(m) m / sum(m)))
  dim(target) <- dim(observed)
  fitted <- loglin(target, as.list(seq_along(margins)), start = observed / sum(observed), fit = TRUE,
                   eps = 1e-13, iter = 10000, print = FALSE)$fit
  dimnames(fitted) <- dimnames(observed)
  fitted
}

sets <- list(
  # hair, eyes and sex of 592 students: three variables, no empty cell that matters
  HairEyeColor = list(HairEyeColor, list(Hair = c(10, 35, 15, 40), Eye = c(30, 40, 20, 10), Sex = c(52, 48))),
  # passengers of the Titanic: cells that are empty, and very unequal margins
  Titanic = list(Titanic, list(Class = c(5, 15, 60, 20), Sex = c(500, 500), Age = c(1, 4), Survived = c(9, 1))),
  # as the first, with the third colour of eyes not stated: these keep the share that they have
  not_stated = list(HairEyeColor, list(
    Hair = c(10, 35, 15, 40),
    Eye = local({
      share <- sum(HairEyeColor[, 3, ]) / sum(HairEyeColor)
      known <- c(30, 40, 10) / 80 * (1 - share)
      c(known[1:2], share, known[3])
    }),
    Sex = c(52, 48)))
)
answers <- do.call(rbind, lapply(names(sets), function(name) {
  observed <- sets[[name]][[1]]
  fitted <- rake(observed, sets[[name]][[2]])
  cells <- expand.grid(dimnames(observed), stringsAsFactors = FALSE)
  names(cells) <- paste0("v", seq_along(cells))
  for (v in setdiff(paste0("v", 1:4), names(cells))) cells[[v]] <- ""
  data.frame(set = name, cells[paste0("v", 1:4)], count = as.vector(observed), share = as.vector(fitted))
}))
answers$share <- format(answers$share, digits = 17, scientific = TRUE, trim = TRUE)
write.csv(answers, "raking.csv", row.names = FALSE, quote = FALSE)
margins <- do.call(rbind, lapply(names(sets), function(name) {
  observed <- sets[[name]][[1]]
  do.call(rbind, lapply(seq_along(dim(observed)), function(v) data.frame(
    set = name, variable = paste0("v", v), level = dimnames(observed)[[v]],
    population = format(sets[[name]][[2]][[v]], digits = 17, trim = TRUE))))
}))
write.csv(margins, "margins.csv", row.names = FALSE, quote = FALSE)
writeLines(R.version.string, "versions.txt")
