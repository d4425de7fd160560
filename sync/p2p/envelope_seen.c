#include <sodium.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "sync/p2p/envelope.h"

/*
 * Two pools of max slots, entries and the keys that have some, each found by a hash
 * table of chains.  An entry is in the chain of its bucket, in the list of all by age,
 * and in that of its key.  Ids are salted hashes: nobody can aim at a bucket.  Slot 0
 * stands for none.
 */
enum { ID = 16 };

struct entry {
    uint8_t id[ID];
    int64_t at_ms;
    uint32_t chain;        /* next of the bucket, or of the free ones */
    uint32_t older, newer; /* of all */
    uint32_t key_newer;    /* of its key */
    uint32_t owner;        /* slot of its key */
};

struct owner {
    uint8_t id[ID];
    uint32_t chain;
    uint32_t count, oldest, newest;
};

struct envelope_seen {
    uint32_t max, share, mask;
    uint32_t count;                     /* entries */
    uint32_t fresh, fresh_owner;        /* first slot never used */
    uint32_t free_entries, free_owners; /* those used before */
    uint32_t oldest, newest;
    uint32_t *entry_buckets, *owner_buckets;
    struct entry *entries;
    struct owner *owners;
    uint8_t salt[ID];
};

struct envelope_seen *envelope_seen_create(size_t max)
{
    struct envelope_seen *s = xcalloc(1, sizeof(*s));
    uint32_t buckets = 16;

    s->max = max < ENVELOPE_SEEN_SHARE ? ENVELOPE_SEEN_SHARE : (uint32_t)max;
    s->share = s->max / ENVELOPE_SEEN_SHARE;
    while (buckets < s->max)
        buckets *= 2;
    s->mask = buckets - 1;
    s->fresh = s->fresh_owner = 1;
    s->entry_buckets = xcalloc(buckets, sizeof(uint32_t));
    s->owner_buckets = xcalloc(buckets, sizeof(uint32_t));
    s->entries = xcalloc((size_t)s->max + 1, sizeof(struct entry));
    s->owners = xcalloc((size_t)s->max + 1, sizeof(struct owner));
    randombytes_buf(s->salt, sizeof(s->salt));
    return s;
}

void envelope_seen_free(struct envelope_seen *s)
{
    if (!s)
        return;
    free(s->entry_buckets);
    free(s->owner_buckets);
    free(s->entries);
    free(s->owners);
    free(s);
}

static uint32_t *bucket(const struct envelope_seen *s, uint32_t *buckets,
                        const uint8_t id[ID])
{
    uint32_t n;

    memcpy(&n, id, sizeof(n));
    return &buckets[n & s->mask];
}

/* Of the salt, the key and, for an entry, the nonce. */
static void make_id(const struct envelope_seen *s, const struct envelope *e,
                    bool with_nonce, uint8_t out[ID])
{
    uint8_t text[ID + sizeof(e->key) + sizeof(e->nonce)], digest[32];
    size_t len = ID + sizeof(e->key);

    memcpy(text, s->salt, ID);
    memcpy(text + ID, e->key, sizeof(e->key));
    if (with_nonce) {
        memcpy(text + len, e->nonce, sizeof(e->nonce));
        len += sizeof(e->nonce);
    }
    hash_sha256(text, len, digest);
    memcpy(out, digest, ID);
}

static uint32_t find_entry(const struct envelope_seen *s, const uint8_t id[ID])
{
    uint32_t i = *bucket(s, s->entry_buckets, id);

    while (i && memcmp(s->entries[i].id, id, ID) != 0)
        i = s->entries[i].chain;
    return i;
}

static uint32_t find_owner(const struct envelope_seen *s, const uint8_t id[ID])
{
    uint32_t i = *bucket(s, s->owner_buckets, id);

    while (i && memcmp(s->owners[i].id, id, ID) != 0)
        i = s->owners[i].chain;
    return i;
}

static void drop_owner(struct envelope_seen *s, uint32_t slot)
{
    struct owner *o = &s->owners[slot];
    uint32_t *link = bucket(s, s->owner_buckets, o->id);

    while (*link != slot)
        link = &s->owners[*link].chain;
    *link = o->chain;
    o->chain = s->free_owners;
    s->free_owners = slot;
}

/* slot is the oldest of its key; it may be anywhere among all. */
static void drop_entry(struct envelope_seen *s, uint32_t slot)
{
    struct entry *e = &s->entries[slot];
    struct owner *o = &s->owners[e->owner];
    uint32_t *link = bucket(s, s->entry_buckets, e->id);

    while (*link != slot)
        link = &s->entries[*link].chain;
    *link = e->chain;
    *(e->older ? &s->entries[e->older].newer : &s->oldest) = e->newer;
    *(e->newer ? &s->entries[e->newer].older : &s->newest) = e->older;
    o->oldest = e->key_newer;
    o->count--;
    if (o->count == 0)
        drop_owner(s, e->owner);
    e->chain = s->free_entries;
    s->free_entries = slot;
    s->count--;
}

static uint32_t add_owner(struct envelope_seen *s, const uint8_t id[ID])
{
    uint32_t slot = s->free_owners, *head = bucket(s, s->owner_buckets, id);
    struct owner *o;

    if (!slot)
        slot = s->fresh_owner++;
    o = &s->owners[slot];
    if (s->free_owners == slot)
        s->free_owners = o->chain;
    *o = (struct owner){.chain = *head};
    memcpy(o->id, id, ID);
    *head = slot;
    return slot;
}

static void add_entry(struct envelope_seen *s, const uint8_t id[ID], uint32_t owner,
                      int64_t mono_ms)
{
    uint32_t slot = s->free_entries, *head = bucket(s, s->entry_buckets, id);
    struct owner *o = &s->owners[owner];
    struct entry *e;

    if (!slot)
        slot = s->fresh++;
    e = &s->entries[slot];
    if (s->free_entries == slot)
        s->free_entries = e->chain;
    *e = (struct entry){
        .at_ms = mono_ms, .chain = *head, .older = s->newest, .owner = owner};
    memcpy(e->id, id, ID);
    *head = slot;
    *(s->newest ? &s->entries[s->newest].newer : &s->oldest) = slot;
    s->newest = slot;
    *(o->count ? &s->entries[o->newest].key_newer : &o->oldest) = slot;
    o->newest = slot;
    o->count++;
    s->count++;
}

bool envelope_seen_add(struct envelope_seen *s, const struct envelope *e,
                       int64_t mono_ms)
{
    uint8_t id[ID], owner_id[ID];
    uint32_t owner;

    while (s->oldest &&
           mono_ms - s->entries[s->oldest].at_ms >= ENVELOPE_SEEN_S * INT64_C(1000))
        drop_entry(s, s->oldest);
    make_id(s, e, true, id);
    if (find_entry(s, id))
        return false;
    make_id(s, e, false, owner_id);
    owner = find_owner(s, owner_id);
    if (owner && s->owners[owner].count >= s->share)
        drop_entry(s, s->owners[owner].oldest);
    else if (s->count >= s->max)
        drop_entry(s, s->oldest);
    owner = find_owner(s, owner_id); /* its last entry may have gone */
    if (!owner)
        owner = add_owner(s, owner_id);
    add_entry(s, id, owner, mono_ms);
    return true;
}
