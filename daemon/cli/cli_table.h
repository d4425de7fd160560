#ifndef DAEMON_CLI_CLI_TABLE_H
#define DAEMON_CLI_CLI_TABLE_H

#include "base/cleanup.h"

/* Rows of text in columns as wide as they need to be. */
struct cli_table;

enum { CLI_TABLE_COLUMNS = 8 };

/* headers is NULL-ended; one that starts with '>' heads a column of numbers. */
struct cli_table *cli_table_create(const char *const *headers);
void cli_table_free(struct cli_table *t);
DEFINE_CLEANUP(struct cli_table, cli_table_free)

/* The next cell, row by row; its text is copied, and cleaned (cli_text.h). */
void cli_table_put(struct cli_table *t, const char *text);
/* To stdout; none: what to print when there are no rows. */
void cli_table_print(const struct cli_table *t, const char *none);

#endif
