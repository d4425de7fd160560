#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/cli/cli_commands.h"
#include "daemon/cli/cli_progress.h"
#include "daemon/cli/cli_text.h"
#include "sync/publish/publish.h"

enum { STALL_SECONDS = 60, STALL_MAX = 3600, SAY_EVERY_MS = 200, LINE_EVERY_MS = 5000 };

struct show {
    bool terminal, silent, drawn;
    int64_t said_mono_ms, stage_mono_ms;
    enum publish_stage stage;
    const char *object;
};

static cJSON *progress_of(const struct show *w, const struct publish_progress *p,
                          int64_t now)
{
    cJSON *o = cJSON_CreateObject();
    AUTOFREE char *stage = xasprintf("%s %s", publish_stage_name(p->stage), p->object);
    double seconds = (double)(now - w->stage_mono_ms) / 1000;

    cJSON_AddStringToObject(o, "stage", stage);
    if (p->of_bytes > 0) {
        cJSON_AddStringToObject(o, "unit", "bytes");
        cJSON_AddNumberToObject(o, "percent",
                                100 * (double)p->bytes / (double)p->of_bytes);
        cJSON_AddNumberToObject(o, "done", (double)p->bytes);
        cJSON_AddNumberToObject(o, "total", (double)p->of_bytes);
        if (seconds > 0)
            cJSON_AddNumberToObject(o, "rate", (double)p->bytes / seconds);
    }
    return o;
}

static void clear(struct show *w)
{
    (void)fputs(w->drawn ? "\r\033[K" : "", stderr);
    w->drawn = false;
}

static void say_retry(struct show *w, const struct publish_progress *p)
{
    AUTOFREE char *text =
        xasprintf("%s: %s; again in %.1f s", reason_code(p->why->reason), p->why->msg,
                  (double)p->wait_ms / 1000);

    clear(w);
    cli_text_line(stderr, "cairn: ", text);
}

/* On stderr: what comes of it is on stdout. */
static void on_progress(void *arg, const struct publish_progress *p)
{
    struct show *w = arg;
    int64_t now = clock_mono_ms();
    bool new_stage = p->stage != w->stage || p->object != w->object;
    cJSON *o;

    if (p->why)
        say_retry(w, p);
    if (p->stage != w->stage || w->stage_mono_ms == 0)
        w->stage_mono_ms = now;
    w->stage = p->stage;
    w->object = p->object;
    if (w->silent || (!new_stage && now - w->said_mono_ms <
                                        (w->terminal ? SAY_EVERY_MS : LINE_EVERY_MS)))
        return;
    w->said_mono_ms = now;
    o = progress_of(w, p, now);
    if (w->terminal) {
        AUTOFREE char *line = cli_progress_line(o);

        (void)fprintf(stderr, "\r\033[K%.79s", line);
        w->drawn = true;
    } else {
        AUTOFREE char *text = cli_progress_text(o);

        cli_text_line(stderr, "", text);
    }
    cJSON_Delete(o);
}

static void say_done(const struct cli *c, const struct publish_result *r,
                     const struct s3target *t)
{
    AUTOFREE char *name = xasprintf("%s/manifest.json", r->id);
    AUTOFREE char *key = s3target_key(t, name);
    AUTOFREE char *latest_key = s3target_key(t, "latest.json");
    AUTOFREE char *url = s3target_url(t, key, "");
    AUTOFREE char *latest = s3target_url(t, latest_key, "");
    char sent[CLI_TEXT_SHORT], kept[CLI_TEXT_SHORT];

    if (cli_is_json(c)) {
        (void)printf("{\"id\":\"%s\",\"is_latest\":%s,\"kept_bytes\":%ju,"
                     "\"manifest\":\"%s\",\"sent_bytes\":%ju}\n",
                     r->id, r->is_latest ? "true" : "false", (uintmax_t)r->kept_bytes,
                     url, (uintmax_t)r->sent_bytes);
        return;
    }
    cli_text_bytes((double)r->sent_bytes, sent);
    cli_text_bytes((double)r->kept_bytes, kept);
    cli_text_fact("snapshot", "%s", r->id);
    cli_text_fact("sent", "%s; %s were there", sent, kept);
    cli_text_fact("manifest", "%s", url);
    cli_text_fact(
        "latest", "%s%s", latest,
        r->is_latest ? "" : " names another of that height or above; --back moves it");
}

static enum cli_exit say_error(const struct err *err)
{
    AUTOFREE char *text = xasprintf("%s: %s", reason_code(err->reason), err->msg);

    cli_text_line(stderr, "cairn: ", text);
    cli_text_line(stderr, "  hint: ", reason_hint(err->reason));
    return CLI_FAILED;
}

static enum errc read_keys(const struct cli *c, struct s3keys **out, struct err *err)
{
    if (c->values[CLI_OPT_CREDENTIALS])
        return s3keys_read(c->values[CLI_OPT_CREDENTIALS], out, err);
    return s3keys_from_environment((const char *const *)environ, out, err);
}

enum cli_exit cli_publish_run(struct cli *c)
{
    CLEANUP(s3target_free) struct s3target *target = NULL;
    CLEANUP(s3keys_free) struct s3keys *keys = NULL;
    struct show w = {.terminal = isatty(STDERR_FILENO) == 1, .silent = cli_is_json(c)};
    struct publish_order o = {.dir = c->words[0], .progress = on_progress, .arg = &w};
    const char *region = c->values[CLI_OPT_REGION];
    struct publish_result result;
    double stall = STALL_SECONDS;
    struct err err;
    enum errc rc;

    if (!c->values[CLI_OPT_ENDPOINT] || !c->values[CLI_OPT_BUCKET])
        return cli_usage(c, "wants --endpoint and --bucket");
    if (c->values[CLI_OPT_STALL] &&
        !cli_number(c, "--stall", c->values[CLI_OPT_STALL], STALL_MAX, &stall))
        return CLI_USAGE;
    if (s3target_create(c->values[CLI_OPT_ENDPOINT], region ? region : "us-east-1",
                        c->values[CLI_OPT_BUCKET], c->values[CLI_OPT_PREFIX], &target,
                        &err) != ERR_OK)
        return cli_usage(c, "%s", err.msg);
    target->path_style = !c->values[CLI_OPT_VIRTUAL_HOST];
    if (read_keys(c, &keys, &err) != ERR_OK)
        return say_error(&err);
    o.store.target = target;
    o.store.keys = keys;
    o.may_go_back = c->values[CLI_OPT_BACK] != NULL;
    o.store.stall_seconds = stall > 1 ? (uint32_t)stall : 1;
    rc = publish_run(&o, &result, &err);
    clear(&w);
    if (rc)
        return say_error(&err);
    say_done(c, &result, target);
    return CLI_DONE;
}
