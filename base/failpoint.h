#ifndef BASE_FAILPOINT_H
#define BASE_FAILPOINT_H

/*
 * Where a crash is tested: around every fsync, rename and commit.  With
 * CAIRN_TEST_HOOKS=1, CAIRN_FAILPOINT=name:N kills the process (SIGKILL) at the Nth
 * passage of that point, and CAIRN_FAILPOINT_TRACE=file appends the name at every
 * passage.  Otherwise nothing happens.  Any thread.
 */
enum failpoint {
    FAILPOINT_SYNC_BEFORE,
    FAILPOINT_SYNC_AFTER,
    FAILPOINT_RENAME_BEFORE,
    FAILPOINT_RENAME_AFTER,
    FAILPOINT_COMMIT_BEFORE,
    FAILPOINT_COMMIT_AFTER,
    FAILPOINT_COUNT
};

void failpoint_pass(enum failpoint point);

#endif
