#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/*
 * The only place that reads time.  Rules about history never call it.  Any thread.
 * CAIRN_TEST_CLOCK_OFFSET (seconds) in the environment shifts clock_now_ms, for tests.
 */

int64_t clock_now_ms(void);  /* wall clock, milliseconds since 1970 UTC */
int64_t clock_mono_ms(void); /* never goes back; for intervals */

enum { CLOCK_TEXT = 25 };
/* RFC 3339 UTC with milliseconds, "2026-11-22T09:00:00.000Z". */
void clock_text(int64_t ms, char out[CLOCK_TEXT]);

#endif
