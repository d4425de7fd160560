#ifndef SYNC_INCIDENTS_CHOICES_H
#define SYNC_INCIDENTS_CHOICES_H

/* How an incident of this kind can be resolved, NULL-ended.  Pure; any thread. */
const char *const *incidents_choices(const char *kind);

#endif
