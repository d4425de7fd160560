#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "daemon/cli/cli_text.h"
#include "rpc/jsontext.h"
#include "rpc/param.h"

enum { FACT_WIDTH = 13 };

/* One code point of valid UTF-8; its bytes are counted in *len. */
static uint32_t decode(const char *p, size_t *len)
{
    uint8_t first = (uint8_t)*p;
    uint32_t code;

    *len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    code = *len == 1 ? first : first & (0x7fU >> *len);
    for (size_t i = 1; i < *len; i++)
        code = code << 6 | ((uint8_t)p[i] & 0x3f);
    return code;
}

/* Escape sequences start with one of the first two; the rest hide or turn text. */
static bool is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c ||
           (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xfff9 && c <= 0xfffb) || c >= 0xe0000;
}

static void put_escaped(struct buf *b, uint32_t c)
{
    if (c < 0x10000) {
        buf_printf(b, "\\u%04x", c);
        return;
    }
    c -= 0x10000;
    buf_printf(b, "\\u%04x\\u%04x", 0xd800 + (c >> 10), 0xdc00 + (c & 0x3ff));
}

char *cli_text_clean(const char *text, size_t len)
{
    AUTOFREE char *copy = xstrndup(text, len);
    AUTOFREE char *valid = jsontext_clean(copy);
    CLEANUP_BUF struct buf out = BUF(SIZE_MAX); /* at most six times what came in */
    size_t n;

    for (const char *p = valid; *p; p += n) {
        uint32_t c = decode(p, &n);

        if (is_unsafe(c))
            put_escaped(&out, c);
        else
            buf_put(&out, p, n);
    }
    return out.data ? buf_take(&out) : xstrdup("");
}

size_t cli_text_width(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((uint8_t)*text & 0xc0) != 0x80;
    return n;
}

void cli_text_line(FILE *to, const char *before, const char *text)
{
    AUTOFREE char *clean = cli_text_clean(text, strlen(text));

    (void)fprintf(to, "%s%s\n", before, clean);
}

void cli_text_fact(const char *name, const char *fmt, ...)
{
    AUTOFREE char *text = NULL;
    AUTOFREE char *clean = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort(); /* memory */
    clean = cli_text_clean(text, (size_t)n);
    (void)printf("%-*s%s\n", FACT_WIDTH, name, clean);
}

void cli_text_bytes(double bytes, char out[CLI_TEXT_SHORT])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t i = 0;

    for (; bytes >= 1024 && i < 4; i++)
        bytes /= 1024;
    (void)snprintf(out, CLI_TEXT_SHORT, i > 0 ? "%.1f %s" : "%.0f %s", bytes, units[i]);
}

void cli_text_seconds(double seconds, char out[CLI_TEXT_SHORT])
{
    static const struct {
        double size;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    size_t i = 0;
    double whole, rest;

    if (!(seconds > 0 && seconds < 1e12))
        seconds = 0;
    if (seconds > 0 && seconds < 10) {
        (void)snprintf(out, CLI_TEXT_SHORT, "%.1f s", seconds);
        return;
    }
    while (i < 3 && seconds < units[i].size)
        i++;
    whole = (double)(uint64_t)(seconds / units[i].size);
    rest =
        i < 3
            ? (double)(uint64_t)((seconds - whole * units[i].size) / units[i + 1].size)
            : 0;
    if (rest > 0)
        (void)snprintf(out, CLI_TEXT_SHORT, "%.0f %s %.0f %s", whole, units[i].name,
                       rest, units[i + 1].name);
    else
        (void)snprintf(out, CLI_TEXT_SHORT, "%.0f %s", whole, units[i].name);
}

void cli_text_units(double n, const char *unit, char out[CLI_TEXT_SHORT])
{
    if (strcmp(unit, "bytes") == 0)
        cli_text_bytes(n, out);
    else
        (void)snprintf(out, CLI_TEXT_SHORT, "%.0f %.16s", n, unit);
}

const cJSON *cli_text_member(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsNull(v) ? NULL : v;
}

const char *cli_text_of(const cJSON *o, const char *key)
{
    const char *text = cJSON_GetStringValue(cli_text_member(o, key));

    return text ? text : "-";
}

const char *cli_text_count(const cJSON *o, const char *key, char out[CLI_TEXT_SHORT])
{
    const cJSON *v = cli_text_member(o, key);

    if (cJSON_IsNumber(v) && v->valuedouble > -1e15 && v->valuedouble < 1e15)
        (void)snprintf(out, CLI_TEXT_SHORT, "%.0f", v->valuedouble);
    else
        (void)snprintf(out, CLI_TEXT_SHORT, "-");
    return out;
}

bool cli_text_ms(const cJSON *o, const char *key, int64_t *ms)
{
    static const struct param_spec spec[] = {{"at", PARAM_TIME, true, .offset = 0},
                                             {.name = NULL}};
    cJSON *params = cJSON_CreateObject();
    struct err err;
    bool ok;

    cJSON_AddStringToObject(params, "at", cli_text_of(o, key));
    ok = param_parse(spec, params, (struct span){0}, ms, &err) == ERR_OK;
    cJSON_Delete(params);
    return ok;
}

const char *cli_text_time(const cJSON *o, const char *key, char out[CLI_TEXT_SHORT])
{
    const char *text = cli_text_of(o, key);
    char span[CLI_TEXT_SHORT];
    double ago;
    int64_t ms;

    if (!cli_text_ms(o, key, &ms)) {
        (void)snprintf(out, CLI_TEXT_SHORT, "%.24s", text);
        return out;
    }
    ago = (double)(clock_now_ms() - ms) / 1000;
    cli_text_seconds(ago < 0 ? -ago : ago, span);
    (void)snprintf(out, CLI_TEXT_SHORT, "%.10s %.8sZ (%s%.16s%s)", text, text + 11,
                   ago < 0 ? "in " : "", span, ago < 0 ? "" : " ago");
    return out;
}
