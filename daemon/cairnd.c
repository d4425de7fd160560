#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/config/config.h"
#include "rpc/public.h"
#include "rpc/rpc.h"
#include "sync/engine.h"

enum { EXIT_USAGE = 2, FILES_WANTED = 65536, FILES_LEAST = 64 };

static const char usage[] =
    "usage: cairnd [--config FILE] [--data-dir DIR] [--rpc-listen ADDR]\n"
    "              [--log-level LEVEL] [--check-config] [--version] [--help]\n"
    "\n"
    "  --config FILE      the configuration, YAML; docs/configuration.md lists the keys\n"
    "  --data-dir DIR     wins over data_dir of the file\n"
    "  --rpc-listen ADDR  wins over rpc.listen; port 0 takes a free one\n"
    "  --log-level LEVEL  error, warn, info or debug; wins over log.level\n"
    "  --check-config     print the effective configuration, and where each value is\n"
    "                     from, as JSON, and end\n"
    "\n"
    "Environment variables win over the file; docs/configuration.md lists them too.\n"
    "Once it listens, it prints \"ready rpc=ADDR\" on stdout, with \" public=ADDR\" after it\n"
    "when public.listen is set.  SIGTERM and SIGINT end it.\n";

struct options {
    struct config_flags flags;
    bool check;
};

/* True: go on.  False: *status is what to exit with. */
static bool parse_options(int argc, char **argv, struct options *out, int *status)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'},
        {"data-dir", required_argument, NULL, 'd'},
        {"rpc-listen", required_argument, NULL, 'r'},
        {"log-level", required_argument, NULL, 'l'},
        {"check-config", no_argument, NULL, 'k'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;

    *status = EXIT_SUCCESS;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is only this thread yet */
    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (c) {
        case 'c':
            out->flags.file = optarg;
            break;
        case 'd':
            out->flags.data_dir = optarg;
            break;
        case 'r':
            out->flags.rpc_listen = optarg;
            break;
        case 'l':
            out->flags.log_level = optarg;
            break;
        case 'k':
            out->check = true;
            break;
        case 'v':
            (void)printf("cairnd %s\n", CAIRN_VERSION);
            return false;
        case 'h':
            (void)fputs(usage, stdout);
            return false;
        default: /* getopt_long has said what */
            *status = EXIT_USAGE;
            return false;
        }
    }
    if (optind == argc)
        return true;
    (void)fprintf(stderr, "%s: %s: no such argument; see --help\n", argv[0],
                  argv[optind]);
    *status = EXIT_USAGE;
    return false;
}

/* daemon.stop: as if somebody had sent the signal. */
static void stop_daemon(void *arg)
{
    (void)arg;
    (void)kill(getpid(), SIGTERM);
}

/* Before any thread starts: all inherit the mask, and main alone waits for the two. */
static void block_signals(sigset_t *set)
{
    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGINT);
    (void)sigaddset(set, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, set, NULL);
}

/* With fewer files there are fewer connections; with too few, nothing works well. */
static enum errc raise_file_limit(struct err *err)
{
    struct rlimit lim;

    if (getrlimit(RLIMIT_NOFILE, &lim) != 0)
        return err_errno(err, "limit of open files");
    if (lim.rlim_cur >= FILES_WANTED)
        return ERR_OK;
    lim.rlim_cur = lim.rlim_max < FILES_WANTED ? lim.rlim_max : FILES_WANTED;
    if (lim.rlim_cur < FILES_LEAST)
        return err_set(err, ERR_CONFLICT,
                       "at most %llu files may be open, at least %d are needed; see "
                       "ulimit -n",
                       (unsigned long long)lim.rlim_cur, FILES_LEAST);
    if (setrlimit(RLIMIT_NOFILE, &lim) != 0)
        return err_errno(err, "limit of open files");
    return ERR_OK;
}

/* Memory that a bootstrap used goes back to the system when it ends: glibc would keep
   an arena a core, and once it freed a large block would take the next from the heap.
   NOLINTBEGIN(concurrency-mt-unsafe): before the first thread */
static void keep_memory_small(void)
{
    (void)mallopt(M_ARENA_MAX, 2);
    (void)mallopt(M_MMAP_THRESHOLD, 128 << 10);
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 20);
}
/* NOLINTEND(concurrency-mt-unsafe) */

static int fail_start(const char *what, const struct err *err)
{
    log_error("cannot start", KV_S("what", what),
              KV_S("reason", reason_code(err->reason)), KV_S("detail", err->msg),
              KV_S("hint", reason_hint(err->reason)));
    return EXIT_FAILURE;
}

static void wait_for_end(const sigset_t *set)
{
    siginfo_t info;

    while (sigwaitinfo(set, &info) < 0)
        ; /* EINTR: a signal of others, such as SIGCONT */
    log_info("stopping", KV_S("signal", sigabbrev_np(info.si_signo)));
}

static void say_ready(const struct rpc *rpc, const struct public *public,
                      const struct engine *engine)
{
    (void)printf("ready rpc=%s", rpc_address(rpc));
    if (public)
        (void)printf(" public=%s", public_address(public));
    if (engine_p2p_address(engine)[0] != '\0')
        (void)printf(" p2p=%s", engine_p2p_address(engine));
    (void)printf("\n");
    (void)fflush(stdout);
}

static int serve(const struct config *cfg, const sigset_t *signals)
{
    struct rpc_config rpc_cfg = cfg->rpc;
    struct engine *engine = NULL;
    struct public *public = NULL;
    struct rpc *rpc = NULL;
    struct err err;

    rpc_cfg.stop = stop_daemon;
    if (engine_start(&cfg->engine, &engine, &err) != ERR_OK)
        return fail_start("engine", &err);
    if (rpc_start(&rpc_cfg, engine, &rpc, &err) != ERR_OK) {
        engine_stop(engine);
        return fail_start("rpc", &err);
    }
    if (cfg->public.listen[0] != '\0' &&
        public_start(&cfg->public, engine, &public, &err) != ERR_OK) {
        rpc_stop(rpc);
        engine_stop(engine);
        return fail_start("public plane", &err);
    }
    say_ready(rpc, public, engine);
    log_info("ready", KV_S("rpc", rpc_address(rpc)), KV_S("data_dir", cfg->data_dir));
    wait_for_end(signals);
    engine_refuse_calls(engine);
    public_stop(public);
    rpc_stop(rpc);
    engine_stop(engine);
    log_info("stopped");
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    CLEANUP(config_free) struct config *cfg = NULL;
    struct options options = {.flags.environment = (const char *const *)environ};
    sigset_t signals;
    struct err err;
    int status;

    if (!parse_options(argc, argv, &options, &status))
        return status;
    if (config_load(&options.flags, &cfg, &err) != ERR_OK) {
        (void)fprintf(stderr, "%s: %s\n", argv[0], err.msg);
        return EXIT_USAGE;
    }
    if (options.check) {
        AUTOFREE char *text = config_text(cfg);

        return puts(text) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    if (sodium_init() < 0) {
        (void)fprintf(stderr, "%s: libsodium does not start\n", argv[0]);
        return EXIT_FAILURE;
    }
    (void)umask(077); /* nothing of the data directory is for others */
    log_set_level(cfg->log_level);
    block_signals(&signals);
    keep_memory_small();
    if (raise_file_limit(&err) != ERR_OK)
        return fail_start("limits", &err);
    log_info("starting", KV_S("version", CAIRN_VERSION),
             KV_S("network", cfg->params.network), KV_S("data_dir", cfg->data_dir));
    return serve(cfg, &signals);
}
