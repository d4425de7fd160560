#include <string.h>

#include "base/hex.h"
#include "sync/snapshot/manifest.h"

static void put_signatures(const struct manifest *m, struct manifest_texts *texts,
                           struct trust_candidate *out)
{
    for (size_t i = 0; i < m->signature_count; i++) {
        const struct trust_signed *sig = &m->signatures[i];
        size_t at = out->signature_count++;

        trust_key_text(&sig->key, texts->of[i].key);
        hex_encode(sig->signature, 64, texts->of[i].signature);
        out->signatures[at].pubkey = texts->of[i].key;
        out->signatures[at].signature = texts->of[i].signature;
        out->signatures[at].alg = sig->key.alg;
        out->signatures[at].over = TRUST_OVER_MANIFEST;
    }
}
_Static_assert((int)MANIFEST_SIGNATURES_MAX <= (int)TRUST_SIGNATURES_MAX,
               "all of them");

/* XAI's digest binds a state_hash that a snapshot's coins are not held against, and no
   state root: whoever has one signature over it could put it beside any coins.  So
   neither that hash nor those signatures are part of the claim. */
void manifest_candidate(const struct manifest *m, const char *source,
                        struct manifest_texts *texts, struct trust_candidate *out)
{
    *out = (struct trust_candidate){
        .source = source,
        .network = m->network,
        .has_height = true,
        .has_block_hash = true,
        .has_state_root = true,
        .has_work = true,
        .has_manifest = true,
        .height = m->height,
        .work = m->work,
    };
    memcpy(out->block_hash, m->block_hash, 32);
    memcpy(out->state_root, m->state_root, 32);
    memcpy(out->genesis_hash, m->genesis_hash, 32);
    manifest_digest(m, out->manifest_digest);
    put_signatures(m, texts, out);
}
