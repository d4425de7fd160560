#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "daemon/cli/cli_table.h"
#include "daemon/cli/cli_text.h"

struct cli_table {
    size_t columns, count, room;
    bool right[CLI_TABLE_COLUMNS];
    size_t width[CLI_TABLE_COLUMNS];
    char **cells; /* count of them, the headers first */
};

static void put(struct cli_table *t, char *text)
{
    size_t column = t->count % t->columns, width = cli_text_width(text);

    if (t->count == t->room) {
        t->room = t->room * 2 + 64;
        t->cells = xrealloc(t->cells, t->room * sizeof(*t->cells));
    }
    t->cells[t->count++] = text;
    if (width > t->width[column])
        t->width[column] = width;
}

struct cli_table *cli_table_create(const char *const *headers)
{
    struct cli_table *t = xcalloc(1, sizeof(*t));

    while (t->columns < CLI_TABLE_COLUMNS && headers[t->columns])
        t->columns++;
    for (size_t i = 0; i < t->columns; i++) {
        t->right[i] = headers[i][0] == '>';
        put(t, xstrdup(headers[i] + (t->right[i] ? 1 : 0)));
    }
    return t;
}

void cli_table_free(struct cli_table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->count; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t);
}

void cli_table_put(struct cli_table *t, const char *text)
{
    put(t, cli_text_clean(text, strlen(text)));
}

static void print_cell(const struct cli_table *t, size_t i)
{
    size_t column = i % t->columns;
    int pad = (int)(t->width[column] - cli_text_width(t->cells[i]));

    if (t->right[column])
        (void)printf("%*s%s", pad, "", t->cells[i]);
    else if (column + 1 == t->columns)
        (void)fputs(t->cells[i], stdout);
    else
        (void)printf("%s%*s", t->cells[i], pad, "");
    (void)fputs(column + 1 == t->columns ? "\n" : "  ", stdout);
}

void cli_table_print(const struct cli_table *t, const char *none)
{
    if (t->count == t->columns) {
        (void)puts(none);
        return;
    }
    for (size_t i = 0; i < t->count; i++)
        print_cell(t, i);
}
