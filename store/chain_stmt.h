#ifndef STORE_CHAIN_STMT_H
#define STORE_CHAIN_STMT_H

#include "store/chaindb.h"
#include "store/db.h"

/* The inside of struct chaindb, for chaindb*.c and state*.c. */
enum chain_stmt {
#define STMT(name, sql) CHAIN_##name,
#include "store/chain_stmt.def"
#undef STMT
    CHAIN_STMT_COUNT
};

struct chaindb {
    struct db db;
};

#endif
