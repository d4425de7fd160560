#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "daemon/cli/cli_progress.h"
#include "daemon/cli/cli_text.h"

enum { BAR = 24, TEXT_MAX = 1000 };

static double number(const cJSON *o, const char *key)
{
    return cJSON_GetNumberValue(cli_text_member(o, key)); /* NaN: none */
}

/* "12.3 MiB of 28.1 MiB", "160 of 201 headers", "160 headers" */
static void put_amount(struct buf *out, double done, double total, const char *unit)
{
    char text[CLI_TEXT_SHORT];
    bool bytes = strcmp(unit, "bytes") == 0;

    if (isnan(total) || bytes) {
        cli_text_units(done, unit, text);
        buf_printf(out, " %s", text);
    } else {
        buf_printf(out, " %.0f", done);
    }
    if (isnan(total))
        return;
    cli_text_units(total, unit, text);
    buf_printf(out, " of %s", text);
}

char *cli_progress_text(const cJSON *progress)
{
    CLEANUP_BUF struct buf out = BUF(TEXT_MAX);
    const cJSON *unit_text = cli_text_member(progress, "unit");
    const char *unit = cli_text_of(progress, "unit");
    double percent = number(progress, "percent"), total = number(progress, "total");
    double rate = number(progress, "rate"), eta = number(progress, "eta_seconds");
    char text[CLI_TEXT_SHORT];

    buf_puts(&out, cli_text_of(progress, "stage"));
    if (unit_text && !isnan(percent))
        buf_printf(&out, " %.0f %%,", percent);
    if (unit_text)
        put_amount(&out, number(progress, "done"), total, unit);
    if (unit_text && rate > 0) {
        cli_text_units(rate, unit, text);
        buf_printf(&out, ", %s/s", text);
    }
    if (unit_text && !isnan(eta)) {
        cli_text_seconds(eta, text);
        buf_printf(&out, ", %s left", text);
    }
    return out.data ? buf_take(&out) : xstrdup("-"); /* too long: of no cairnd */
}

/* "[########----------------] " */
static void make_bar(double percent, char bar[BAR + 4])
{
    size_t full = percent >= 100 ? BAR
                  : percent > 0  ? (size_t)(percent / 100 * BAR)
                                 : 0;

    memset(bar, '-', BAR + 1);
    memset(bar + 1, '#', full);
    bar[0] = '[';
    memcpy(bar + BAR + 1, "] ", 3);
}

char *cli_progress_line(const cJSON *progress)
{
    AUTOFREE char *text = cli_progress_text(progress);
    AUTOFREE char *clean = cli_text_clean(text, strlen(text));
    double percent = number(progress, "percent");
    char bar[BAR + 4] = "";

    if (!isnan(percent))
        make_bar(percent, bar);
    return xasprintf("%s%s", bar, clean);
}
