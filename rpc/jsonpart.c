#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "base/mem.h"
#include "rpc/jsonpart.h"
#include "rpc/jsontext.h"

struct span jsonpart_trim(struct span text)
{
    const char *end = text.at + text.len, *at = jsontext_skip_space(text.at, end);

    while (end > at && jsontext_skip_space(end - 1, end) == end)
        end--;
    return (struct span){at, (size_t)(end - at)};
}

/* One ASCII character of a checked string, unescaped; -1 for every other one. */
static int next_ascii(const char **p)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *q = *p;
    uint8_t u[2];

    if (q[0] != '\\') {
        *p = q + 1;
        return (uint8_t)q[0] < 0x80 ? q[0] : -1;
    }
    if (q[1] != 'u') {
        *p = q + 2;
        return to[strchr(from, q[1]) - from];
    }
    *p = q + 6;
    return hex_decode(q + 2, 2, false, u) && u[0] == 0 && u[1] < 0x80 ? u[1] : -1;
}

/* quoted points to the opening quote of a checked string. */
static bool name_is(const char *quoted, const char *name)
{
    const char *p = quoted + 1;

    for (; *name; name++)
        if (*p == '"' || next_ascii(&p) != *name)
            return false;
    return *p == '"';
}

bool jsonpart_member(struct span object, const char *name, struct span *value)
{
    const char *p, *end, *quoted, *first;

    object = jsonpart_trim(object);
    if (object.len < 2 || object.at[0] != '{')
        return false;
    end = object.at + object.len;
    p = object.at;
    do { /* p is at the bracket or a comma */
        quoted = jsontext_skip_space(p + 1, end);
        if (*quoted == '}')
            return false;
        first = jsontext_skip(quoted, end) + 1; /* past the colon */
        p = jsontext_skip(first, end);
        if (name_is(quoted, name)) {
            *value = jsonpart_trim((struct span){first, (size_t)(p - first)});
            return true;
        }
    } while (*p == ',');
    return false;
}

bool jsonpart_next(struct span array, struct span *element)
{
    const char *end, *p;

    array = jsonpart_trim(array);
    end = array.at + array.len;
    p = element->at ? element->at + element->len : array.at + 1;
    p = jsontext_skip_space(p, end);
    if (*p == ']')
        return false;
    if (element->at)
        p++; /* the comma */
    *element = jsonpart_trim((struct span){p, (size_t)(jsontext_skip(p, end) - p)});
    return true;
}

static int compare_names(const void *a, const void *b)
{
    const cJSON *const *x = a, *const *y = b;

    return strcmp((*x)->string, (*y)->string);
}

static const char *duplicate_here(const cJSON *object)
{
    size_t n = (size_t)cJSON_GetArraySize(object), i = 0;
    AUTOFREE const cJSON **members = xcalloc(n + 1, sizeof(void *));
    const cJSON *m = NULL;

    cJSON_ArrayForEach (m, object)
        members[i++] = m;
    qsort(members, n, sizeof(void *), compare_names);
    for (i = 1; i < n; i++)
        if (strcmp(members[i - 1]->string, members[i]->string) == 0)
            return members[i]->string;
    return NULL;
}

const char *jsonpart_duplicate(const cJSON *tree)
{
    const char *name = cJSON_IsObject(tree) ? duplicate_here(tree) : NULL;
    const cJSON *child = NULL;

    cJSON_ArrayForEach (child, tree) {
        if (name)
            break;
        name = jsonpart_duplicate(child);
    }
    return name;
}
