# Takes the columns of this study out of two data sets that ship with the R package psychTools (Debian:
# r-cran-psychtools), and lays them side by side. Run here: Rscript export.R
#
# The two sets have no person in common. Row i of the one is put beside row i of the other: the answers to either set
# are real, that one person gave both is not.

suppressMessages(library(psychTools))
data(Athenstaedt)
data(sai)

habits <- c(
  make_bed = "V5", wash_dishes = "V7", dust = "V38", change_sheets = "V45", iron = "V72", laundry = "V73",
  set_table = "V16", cook = "V69", wash_windows = "V71",
  change_fuses = "V29", clean_drain = "V30", do_repairs = "V32", light_bulbs = "V33", home_improvement = "V57",
  device_trouble = "V66",
  talk_problems = "V49", tell_partner = "V14",
  walk_town = "V41")

# The dictionary says what V1, V2, ... are; a package that numbers them differently must not pass unnoticed.
words <- setNames(as.character(Athenstaedt.dictionary[["Item"]]), rownames(Athenstaedt.dictionary))
stopifnot(words[["V5"]] == "Make the Bed", words[["V66"]] == "Have Problem using Technical Devices")
dictionary <- data.frame(item = names(habits), variable = unname(habits), text = trimws(words[habits]))
write.table(dictionary, "dictionary.tsv", sep = "\t", quote = FALSE, row.names = FALSE)

feelings <- c(calm = "calm", at_ease = "at.ease", relaxed = "relaxed", content = "content", tense = "tense")
first <- sai[sai$time == 1 & !is.na(sai$id), ]
first <- first[seq(1, nrow(first), by = 5), ][seq_len(nrow(Athenstaedt)), ]

people <- data.frame(
  person = seq_len(nrow(Athenstaedt)),
  study = Athenstaedt$STUDIE,
  gender = Athenstaedt$gender,
  setNames(Athenstaedt[habits], names(habits)),
  setNames(first[feelings], names(feelings)))
write.csv(people, "people.csv", row.names = FALSE, na = "", quote = FALSE)
writeLines(c(R.version.string, paste("psychTools", packageVersion("psychTools"))), "versions.txt")
