#ifndef STORE_CONTROL_IMPL_H
#define STORE_CONTROL_IMPL_H

#include "store/control.h"
#include "store/db.h"

/* The inside of struct control, for control*.c. */
enum control_stmt {
#define STMT(name, sql) CONTROL_##name,
#include "store/control_stmt.def"
#undef STMT
    CONTROL_STMT_COUNT
};

struct control {
    struct db db;
};

/* SQLite's own, for as long as the row is; NULL for NULL. */
static inline const char *control_text(sqlite3_stmt *st, int at)
{
    return (const char *)sqlite3_column_text(st, at);
}

/* Pages: 0 as the first before_id, and a LIMIT that SQLite takes. */
static inline int64_t control_before(int64_t before_id)
{
    return before_id > 0 ? before_id : INT64_MAX;
}

static inline int64_t control_limit(size_t limit)
{
    return limit > INT32_MAX ? INT32_MAX : (int64_t)limit;
}

#endif
