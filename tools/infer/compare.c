/* SPDX-License-Identifier: MIT */
/* `infer compare`: targets side by side, on the user's own prompts. */

#include "cmd.h"
#include "compare_args.h"
#include "compare_config.h"
#include "compare_limits.h"
#include "compare_mix.h"
#include "compare_progress.h"
#include "compare_report.h"
#include "compare_run.h"
#include "compare_save.h"
#include "compare_schema.h"
#include "compare_text.h"
#include "interrupt.h"
#include "load.h"
#include "out.h"
#include "report_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Longest answer to a made prompt. */
#define MIX_MAX_TOKENS 256
/* Made prompts: no more than are asked, and no more than this. */
#define MIX_MAX_PROMPTS 3000

static const char manual[] =
    "usage: infer compare [OPTIONS] TARGET...\n"
    "\n"
    "Measures targets (provider/model, or routes of the configuration) side "
    "by\n"
    "side: time to first token and to the whole answer, tokens per second,\n"
    "failures, cost, behaviour as concurrency rises, and what a route of all\n"
    "of them with failover and hedges achieves. They take turns, in an order\n"
    "drawn anew for each round. THIS SENDS REAL REQUESTS, WHICH COST MONEY.\n"
    "\n"
    "  -c, --config FILE      configuration (as for infer chat)\n"
    "  -p, --prompts FILE     prompts, one JSON value a line: a text, or an\n"
    "                         object (a Chat Completions request, or\n"
    "                         {\"prompt\": TEXT}; \"id\" names it); - is\n"
    "                         standard input\n"
    "      --mix KINDS        without -p, made prompts: chat, rag, agent, or\n"
    "                         several with commas (default: all three)\n"
    "  -n, --requests N       to each target, for the figures (default 100)\n"
    "      --concurrency C    so many at a time (default 4)\n"
    "      --max-concurrency C  1, 2, 4, ... at a time are tried too, until\n"
    "                         the target pushes back or C is passed (default\n"
    "                         16)\n"
    "      --no-ladder        measure at --concurrency only\n"
    "      --warm-up N        first requests to each that do not count\n"
    "                         (default 2)\n"
    "      --max-tokens N     longest answer, where a prompt does not say\n"
    "                         (default 256 for made prompts)\n"
    "      --timeout SECONDS  for each call (default 60)\n"
    "      --budget-usd X     stop before more than X dollars are spent\n"
    "      --no-route         do not measure a route of all targets\n"
    "      --seed N           of prompts, order and intervals (default 1)\n"
    "      --html FILE        write a page with plots\n"
    "      --json FILE        write everything, for programs; - is standard\n"
    "                         output, in place of the report, here and above\n"
    "      --save DIR         keep the answers side by side, to read\n"
    "  -q, --quiet            no progress display\n"
    "  -h, --help\n"
    "\n"
    "Ctrl-C ends the run; what was measured by then is reported. A second\n"
    "one ends it at once.\n"
    "\n"
    "Exit codes: 0 measured (also when targets failed, or the budget ended\n"
    "it); 1 nothing could be measured, or a file not written; 2 wrong usage;\n"
    "3 wrong configuration; 130 interrupted (128 plus the signal).\n";

/* Everything that one run of the command holds. */
typedef struct compare_run {
  inf_cmp_args args;
  infer_config *config;
  infer_client *client;
  inf_cmp_prompts prompts;
  inf_cmp_data data;
  inf_cmp_run run;
  inf_cmp_progress progress;
  inf_cmp_saver saver;
} compare_run;

/* ---- Before -------------------------------------------------------------- */

static uint64_t
most_requests(const inf_cmp_args *args)
{
  return args->warm_up +
         inf_cmp_most_requests(args->requests, args->concurrency,
                               args->max_concurrency, !args->no_ladder);
}

static int
load_prompts(compare_run *compare)
{
  const inf_cmp_args *args = &compare->args;
  int64_t max_tokens = args->max_tokens;
  if (args->prompts_path) {
    if (!inf_cmp_prompts_load(&compare->prompts, args->prompts_path)) {
      return EXIT_USAGE;
    }
  } else {
    size_t count = (size_t)most_requests(args);
    count = count > MIX_MAX_PROMPTS ? MIX_MAX_PROMPTS : count;
    if (!inf_cmp_mix_add(&compare->prompts, args->mix, count, args->seed)) {
      inf_say("out of memory");
      return EXIT_CALL_FAILED;
    }
    max_tokens = max_tokens > 0 ? max_tokens : MIX_MAX_TOKENS;
  }
  if (max_tokens > 0 && !inf_cmp_prompts_limit(&compare->prompts, max_tokens)) {
    inf_say("out of memory");
    return EXIT_CALL_FAILED;
  }
  return 0;
}

/* What of a schema nobody looks at is said before, not found out after. */
static void
warn_of_schemas(const inf_cmp_prompts *prompts)
{
  for (size_t i = 0; i < prompts->count; i++) {
    const char *unknown = inf_cmp_schema_unknown(prompts->list[i].schema);
    if (unknown) {
      inf_say("prompt %s: the keyword \"%s\" of its schema, and perhaps "
              "others, are not checked",
              prompts->list[i].name, unknown);
      return;
    }
  }
}

static int
prepare_prompts(compare_run *compare)
{
  inf_cmp_data *data = &compare->data;
  int64_t timeout_ms = (int64_t)(compare->args.timeout_s * 1000);
  data->prompts =
      (char **)calloc(compare->prompts.count, sizeof(*data->prompts));
  for (size_t i = 0; data->prompts && i < compare->prompts.count; i++) {
    const inf_cmp_prompt *prompt = &compare->prompts.list[i];
    data->prompts[i] = strdup(prompt->name);
    if (!data->prompts[i] || infer_request_set_deadline_ms(
                                 prompt->request, timeout_ms) != INFER_OK) {
      return EXIT_CALL_FAILED;
    }
    data->prompt_count++;
  }
  return data->prompts ? 0 : EXIT_CALL_FAILED;
}

/* A file that cannot be written is found out before money is spent. */
static int
check_files(const inf_cmp_args *args)
{
  bool ok = (!args->html_path || inf_report_check(args->html_path)) &&
            (!args->json_path || inf_report_check(args->json_path));
  return ok ? 0 : EXIT_USAGE;
}

static void
take_settings(compare_run *compare)
{
  const inf_cmp_args *args = &compare->args;
  inf_cmp_data *data = &compare->data;
  data->base_concurrency = args->concurrency;
  data->max_concurrency = args->max_concurrency;
  data->ladder = !args->no_ladder;
  data->requests = args->requests;
  data->warm_up = args->warm_up;
  data->seed = args->seed;
  data->timeout_ms = args->timeout_s * 1000;
  data->budget_nano_usd = args->budget_nano_usd;
  snprintf(data->prompt_source, sizeof(data->prompt_source), "%s",
           args->prompts_path ? args->prompts_path : "the built-in mix");
  inf_cmp_purse_init(&compare->run.purse, args->budget_nano_usd);
}

static int
make_client(compare_run *compare)
{
  infer_error *error = NULL;
  /* This program waits on the queue alone, whatever the file's owner needs. */
  int32_t status = infer_config_set_int(compare->config, "threads", 1, &error);
  return status == INFER_OK ? inf_load_client(compare->config, &compare->client)
                            : inf_load_failed(error, status);
}

static int
prepare(compare_run *compare)
{
  const inf_cmp_args *args = &compare->args;
  int code = load_prompts(compare);
  if (code == 0) {
    code = inf_load_config(args->config_path, &compare->config);
  }
  if (code == 0) {
    code = inf_cmp_config_subjects(args, compare->config, &compare->data,
                                   compare->run.models);
  }
  if (code == 0) {
    code = make_client(compare);
  }
  if (code == 0) {
    code = prepare_prompts(compare);
  }
  if (code == 0) {
    code = check_files(args);
  }
  if (code == 0) {
    code = inf_cmp_saver_init(&compare->saver, args->save_path, &compare->data,
                              &compare->prompts);
  }
  return code == 0 ? inf_interrupt_catch() : code;
}

/* ---- Meanwhile ----------------------------------------------------------- */

static void
on_tick(void *user_data, size_t subject, const inf_cmp_level *level,
        uint32_t round, size_t in_flight)
{
  compare_run *compare = user_data;
  inf_cmp_progress_show(&compare->progress, subject, level, round, in_flight,
                        compare->run.purse.spent_nano_usd,
                        inf_cmp_run_now_ms(&compare->run));
}

static void
on_answer(void *user_data, const inf_cmp_sample *sample,
          const infer_response *response, const infer_error *error)
{
  compare_run *compare = user_data;
  inf_cmp_saver_take(&compare->saver, sample, response, error);
}

static bool
measure(compare_run *compare)
{
  compare->run.data = &compare->data;
  compare->run.prompts = &compare->prompts;
  compare->run.client = compare->client;
  compare->run.watch = (inf_cmp_watch){
      .tick = on_tick, .answer = on_answer, .user_data = compare};
  if (!compare->args.quiet) {
    inf_note("up to %llu requests to each of %zu targets and routes; Ctrl-C "
             "ends it and keeps what was measured",
             (unsigned long long)most_requests(&compare->args),
             compare->data.subject_count);
  }
  inf_cmp_progress_init(&compare->progress, &compare->data,
                        compare->args.quiet);
  bool ok = inf_cmp_run_all(&compare->run);
  inf_cmp_limits_read(compare->client, &compare->data);
  inf_cmp_progress_end(&compare->progress);
  return ok;
}

/* ---- After --------------------------------------------------------------- */

static int
report_to(const inf_cmp_summary *summary, const char *path,
          void (*write)(const inf_cmp_summary *summary, inf_buf *out))
{
  if (!path) {
    return 0;
  }
  inf_buf out;
  inf_buf_init(&out, INF_CMP_MAX_REPORT);
  write(summary, &out);
  int code = EXIT_CALL_FAILED;
  if (out.status != INFER_OK) {
    inf_say("%s: %s", path, infer_status_text(out.status));
  } else if (inf_report_write(path, &out)) {
    code = 0;
  }
  inf_buf_fini(&out);
  return code;
}

static int
print_text(const inf_cmp_summary *summary)
{
  inf_buf out;
  inf_buf_init(&out, INF_CMP_MAX_REPORT);
  inf_cmp_report_text(summary, inf_cmp_width(STDOUT_FILENO), &out);
  inf_out to;
  inf_out_init(&to, STDOUT_FILENO);
  inf_out_text(&to, inf_buf_cstr(&out), out.len);
  bool whole = out.status == INFER_OK;
  inf_buf_fini(&out);
  int failed = to.error == EPIPE ? 0 : inf_out_result(&to);
  return whole ? failed : EXIT_CALL_FAILED;
}

static int
report(compare_run *compare)
{
  inf_cmp_summary *summary = calloc(1, sizeof(*summary));
  inf_cmp_progress_say(&compare->progress, "working out the figures");
  if (!summary || !inf_cmp_summary_init(summary, &compare->data)) {
    inf_say("out of memory");
    free(summary);
    return EXIT_CALL_FAILED;
  }
  inf_cmp_progress_end(&compare->progress);
  bool taken = inf_report_is_stdout(compare->args.html_path) ||
               inf_report_is_stdout(compare->args.json_path);
  int code = taken ? 0 : print_text(summary);
  int html = report_to(summary, compare->args.html_path, inf_cmp_report_html);
  int json = report_to(summary, compare->args.json_path, inf_cmp_report_json);
  int save = inf_cmp_saver_write(&compare->saver);
  inf_cmp_summary_fini(summary);
  free(summary);
  return code ? code : html ? html : json ? json : save;
}

static void
say_nothing_measured(const inf_cmp_data *data)
{
  if (data->budget_reached) {
    inf_say("nothing was measured: the budget does not allow it");
    return;
  }
  for (size_t i = 0; i < data->subject_count; i++) {
    inf_say("%s was not measured: %s", data->subjects[i].name,
            data->subjects[i].left_out);
  }
}

static int
run(compare_run *compare)
{
  int code = prepare(compare);
  if (code != 0) {
    return code;
  }
  warn_of_schemas(&compare->prompts);
  bool ok = measure(compare);
  if (compare->data.sample_count > 0) {
    code = report(compare);
  } else if (ok && !inf_interrupted) {
    say_nothing_measured(&compare->data);
    code = EXIT_CALL_FAILED;
  }
  if (inf_interrupted) {
    if (compare->data.sample_count == 0) {
      inf_say("interrupted before anything was measured");
    }
    return EXIT_SIGNAL + (int)inf_interrupted;
  }
  return ok ? code : EXIT_CALL_FAILED;
}

int
cmd_compare(int argc, char **argv)
{
  compare_run *compare = calloc(1, sizeof(*compare));
  if (!compare) {
    inf_say("out of memory");
    return EXIT_CALL_FAILED;
  }
  inf_cmp_data_init(&compare->data);
  int code = inf_cmp_args_parse(&compare->args, argc, argv);
  if (code == 0 && compare->args.help) {
    fputs(manual, stdout);
  } else if (code == 0) {
    take_settings(compare);
    code = run(compare);
  }
  inf_cmp_saver_fini(&compare->saver);
  infer_client_free(compare->client);
  infer_config_free(compare->config);
  inf_cmp_prompts_fini(&compare->prompts);
  inf_cmp_data_fini(&compare->data);
  free(compare);
  return code;
}
