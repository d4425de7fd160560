/* What object stores answer: what is read is within its bounds, and a list of parts
   ascends. */
#include <stdlib.h>
#include <string.h>

#include "sync/publish/publish_latest.h"
#include "sync/publish/s3xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_text(const char *text)
{
    require(!text || strlen(text) <= S3XML_TEXT_MAX);
}

static void check_xml(const char *text, size_t size)
{
    CLEANUP(s3xml_free) struct s3xml *x = NULL;
    struct err err = {0};

    if (s3xml_read(text, size, &x, &err) != ERR_OK) {
        require(!x && err.reason == REASON_STORE_BAD_ANSWER && err.msg[0] != '\0');
        return;
    }
    require(x->root && x->part_count <= S3XML_PARTS_MAX);
    check_text(x->code);
    check_text(x->message);
    check_text(x->upload_id);
    for (size_t i = 0; i < x->part_count; i++) {
        require(s3xml_etag_ok(x->parts[i].etag));
        require(x->parts[i].number > (i > 0 ? x->parts[i - 1].number : 0));
    }
}

/* The other small text that comes from a store. */
static void check_latest(const char *text, size_t size)
{
    CLEANUP_BUF struct buf again = BUF(PUBLISH_LATEST_MAX);
    struct publish_latest l;
    struct err err = {0};

    if (publish_latest_parse(text, size, &l, &err) != ERR_OK)
        return;
    publish_latest_write(&l, &again);
    require(again.len == size && memcmp(again.data, text, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_xml((const char *)data, size);
    check_latest((const char *)data, size);
    return 0;
}
