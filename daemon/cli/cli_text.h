#ifndef DAEMON_CLI_CLI_TEXT_H
#define DAEMON_CLI_CLI_TEXT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "rpc/span.h"

/* Text for people.  Peers choose strings: none may steer the terminal. */

/* A copy in which control characters, and those that turn the direction of writing, are
   spelled as \u escapes, which JSON knows too.  The caller's. */
char *cli_text_clean(const char *text, size_t len);
size_t cli_text_width(const char *text); /* code points */

/* A line, cleaned but for what is put before it. */
void cli_text_line(FILE *to, const char *before, const char *text);

/* "key         the rest", cleaned, on stdout. */
void cli_text_fact(const char *name, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

enum { CLI_TEXT_SHORT = 48 };
void cli_text_bytes(double bytes, char out[CLI_TEXT_SHORT]); /* "12.3 MiB" */
void cli_text_seconds(double seconds,
                      char out[CLI_TEXT_SHORT]); /* "1 min 33 s", "0.4 s" */
/* An amount of what a stage counts: "12.3 MiB" or "120 blocks". */
void cli_text_units(double n, const char *unit, char out[CLI_TEXT_SHORT]);

/* Members of answers; what is missing, null or of another type shows as "-". */
const char *cli_text_of(const cJSON *o, const char *key);
const cJSON *cli_text_member(const cJSON *o, const char *key);
/* A whole number as text; out is returned. */
const char *cli_text_count(const cJSON *o, const char *key, char out[CLI_TEXT_SHORT]);
/* RFC 3339; false: no time. */
bool cli_text_ms(const cJSON *o, const char *key, int64_t *ms);
/* "2026-11-22 11:06:04Z (3 min ago)"; out is returned. */
const char *cli_text_time(const cJSON *o, const char *key, char out[CLI_TEXT_SHORT]);

#endif
