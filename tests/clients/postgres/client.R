# R's RPostgreSQL over DBI: see check.py for what is asked of a client.
suppressPackageStartupMessages(library(RPostgreSQL))
given <- commandArgs(trailingOnly = TRUE)
need <- function(condition, what) if (!isTRUE(condition)) stop(what, call. = FALSE)
say <- function(line) { cat(line, "\n", sep = ""); flush(stdout()) }

connection <- dbConnect(PostgreSQL(), host = given[1], port = as.integer(given[2]), dbname = "amanat", user = "analyst", password = given[3])
need(dbGetQuery(connection, "select 1 as one")$one == 1, "select 1")
say("connect")
need("v01" %in% dbListTables(connection) && dbExistsTable(connection, c("published", "v01")), "tables")
need("province" %in% dbListFields(connection, c("published", "v01")), "columns")
comments <- dbGetQuery(connection, paste(
  "select obj_description(a.attrelid, 'pg_class') as of_table, col_description(a.attrelid, a.attnum) as of_column",
  "from pg_attribute a where a.attrelid = 'published.v01'::regclass and a.attname = 'province'"))
need(grepl("Victims identified", comments$of_table) && grepl("codes in reference.province", comments$of_column), "a comment")
say("tables")
rows <- dbGetQuery(connection, sub("\\{\\}", "$2", sub("\\{\\}", "$1", given[4])), list(2024L, "F"))
need(is.numeric(rows$n) && any(rows$province == "PK-PB" & rows$n > 0, na.rm = TRUE), "typed")
values <- dbGetQuery(connection, "select value, as_of from published.v01 where time_period = '2024' and province = '_T'")
need(is.numeric(values$value) && inherits(values$as_of, "Date"), "types of a table")
say("typed")
refused <- tryCatch(dbSendQuery(connection, given[5]), error = conditionMessage)
need(is.character(refused), "answered")
message <- paste(refused, dbGetException(connection)$errorMsg)
need(grepl("PRIV-1003", message) && grepl("Write count(*), with GROUP BY", message, fixed = TRUE), message)
say(if (grepl("PV003", message)) "refusal" else "refusal: no SQLSTATE")
# It has no way to cancel; the session's own limit ends the question.
invisible(dbGetQuery(connection, "set statement_timeout = 300"))
say("limit")
ended <- tryCatch(dbSendQuery(connection, given[6]), error = conditionMessage)
say(if (is.character(ended)) gsub("\n", " ", ended) else "answered")
invisible(dbDisconnect(connection))
