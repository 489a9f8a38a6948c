/* SPDX-License-Identifier: MIT */
/* `infer chat`: one prompt, one answer. The call runs on the library's loop
 * thread; this one waits for its events and for signals, so that Ctrl-C
 * cancels the call at the provider too. */

#include "chat_args.h"
#include "cmd.h"
#include "interrupt.h"
#include "load.h"
#include "out.h"
#include "trail.h"

#include "infer/infer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char manual[] =
    "usage: infer chat [OPTIONS] [PROMPT...]\n"
    "\n"
    "Sends a prompt and prints the answer. The prompt is the arguments, what\n"
    "comes on standard input when that is not a terminal (or when an argument\n"
    "is \"-\"), or both: the arguments first.\n"
    "\n"
    "  -m, --model NAME       route, provider/model, or model; else\n"
    "                         $INFER_MODEL, else the only one configured\n"
    "  -s, --system TEXT      system message\n"
    "  -c, --config FILE      configuration; else $INFER_CONFIG, else\n"
    "                         ~/.config/infer/config.json, else the providers\n"
    "                         whose keys are in the environment\n"
    "      --max-tokens N     longest answer, in tokens\n"
    "      --temperature X\n"
    "      --schema FILE      JSON schema that the answer has to match\n"
    "      --set MEMBER=JSON  any other member of the request, such as\n"
    "                         --set seed=7 --set 'stop=[\"END\"]'; repeatable\n"
    "      --deadline SECONDS time for everything, retries included\n"
    "      --label LABEL      only providers with this label; repeatable\n"
    "      --json             print the whole response object, as JSON\n"
    "      --stream           print the answer as it comes; the default on a\n"
    "                         terminal\n"
    "      --no-stream        print the answer when it is whole; the default\n"
    "                         elsewhere: an answer that breaks off is then\n"
    "                         asked for again, and no half of it is printed\n"
    "      --reasoning        show the reasoning too: dimmed on a terminal, "
    "on\n"
    "                         standard error elsewhere\n"
    "      --plan             print which targets would be tried, in which\n"
    "                         order and why; send nothing\n"
    "  -v, --verbose          tell about each attempt on standard error; "
    "twice\n"
    "                         for the log of the library too\n"
    "  -h, --help\n"
    "\n"
    "On a terminal control characters in the answer are made visible; into a\n"
    "file or pipe the answer goes as it came. A last newline is added where\n"
    "there is none.\n"
    "\n"
    "Exit codes: 0 success (also when the reader of the output went away);\n"
    "1 the call failed; 2 wrong usage; 3 wrong configuration; 130 interrupted\n"
    "(128 plus the signal).\n";

/* Everything that one run of the command holds. */
typedef struct chat_run {
  inf_chat_args args;
  infer_config *config;
  infer_client *client;
  infer_request *request;
  infer_queue *queue;
  infer_call *call;
  infer_response *response;
  infer_error *error;
  int32_t status;
  inf_out out, err;
  bool stream, color, dimmed, done;
} chat_run;

/* ---- Printing ------------------------------------------------------------ */

static void
set_dimmed(chat_run *chat, bool dimmed)
{
  if (chat->color && chat->dimmed != dimmed) {
    inf_out_raw(&chat->out, dimmed ? "\033[2m" : "\033[0m");
  }
  chat->dimmed = dimmed;
}

static void
print_text(chat_run *chat, const char *text, size_t len)
{
  if (chat->dimmed) {
    inf_out_end(chat->out.terminal ? &chat->out : &chat->err);
    set_dimmed(chat, false);
  }
  inf_out_text(&chat->out, text, len);
}

static void
print_reasoning(chat_run *chat, const char *text, size_t len)
{
  if (chat->args.reasoning && len > 0) {
    set_dimmed(chat, true);
    inf_out_text(chat->out.terminal ? &chat->out : &chat->err, text, len);
  }
}

static void
print_tool_call(chat_run *chat, const char *name, const char *arguments,
                size_t len)
{
  inf_out_end(&chat->out);
  print_text(chat, name, strlen(name));
  print_text(chat, "(", 1);
  print_text(chat, arguments, len);
  print_text(chat, ")\n", 2);
}

/* Ends the lines that are open, so that a message starts on its own. */
static void
end_lines(chat_run *chat)
{
  set_dimmed(chat, false);
  inf_out_end(&chat->out);
  inf_out_end(&chat->err);
}

static void
print_choice(chat_run *chat, size_t choice)
{
  size_t len = 0;
  const infer_response *response = chat->response;
  const char *text = infer_response_reasoning(response, choice, &len);
  print_reasoning(chat, text, len);
  text = infer_response_choice_text(response, choice, &len);
  print_text(chat, text, len);
  text = infer_response_refusal(response, choice, &len);
  print_text(chat, text, len);
  size_t calls = infer_response_tool_call_count(response, choice);
  for (size_t i = 0; i < calls; i++) {
    text = infer_response_tool_call_arguments(response, choice, i, &len);
    print_tool_call(chat, infer_response_tool_call_name(response, choice, i),
                    text, len);
  }
}

/* A stream prints choice 0 as it comes; the others follow at the end, for
 * they would be mixed up otherwise. */
static void
print_choices(chat_run *chat)
{
  size_t count = infer_response_choice_count(chat->response);
  for (size_t i = chat->stream ? 1 : 0; i < count; i++) {
    if (i > 0) {
      char line[64];
      end_lines(chat);
      int len = snprintf(line, sizeof(line), "--- choice %zu ---\n", i + 1);
      inf_out_text(&chat->out, line, (size_t)len);
    }
    print_choice(chat, i);
  }
}

/* ---- Events -------------------------------------------------------------- */

static void
on_restart(chat_run *chat, const infer_event *event)
{
  if (!chat->stream) {
    return;
  }
  end_lines(chat);
  inf_out_raw(&chat->out, "\n");
  inf_say("the answer broke off and starts over: %s",
          infer_event_text(event, NULL));
}

static void
on_done(chat_run *chat, infer_event *event)
{
  chat->done = true;
  chat->status = infer_event_status(event);
  chat->response = infer_event_take_response(event);
  chat->error = infer_event_take_error(event);
}

static void
on_event(chat_run *chat, infer_event *event)
{
  int32_t type = infer_event_type(event);
  if (type == INFER_EVENT_DONE) {
    on_done(chat, event);
    return;
  }
  if (infer_event_choice(event) != 0 || inf_interrupted) {
    return;
  }
  size_t len = 0;
  const char *text = infer_event_text(event, &len);
  switch (type) {
  case INFER_EVENT_TEXT:
  case INFER_EVENT_REFUSAL:
    print_text(chat, text, len);
    break;
  case INFER_EVENT_REASONING:
    print_reasoning(chat, text, len);
    break;
  case INFER_EVENT_TOOL_CALL_DONE:
    print_tool_call(chat, infer_event_tool_name(event), text, len);
    break;
  case INFER_EVENT_RESTART:
    on_restart(chat, event);
    break;
  default:
    break;
  }
}

static int32_t
take_events(chat_run *chat)
{
  infer_event *event = NULL;
  int32_t status = INFER_OK;
  while (!chat->done && status == INFER_OK) {
    status = infer_queue_poll(chat->queue, 0, &event);
    if (status == INFER_OK) {
      on_event(chat, event);
      infer_event_free(event);
    }
  }
  return status == INFER_E_TIMEOUT ? INFER_OK : status;
}

/* Until the terminal event. It comes in any case: the call has a deadline,
 * and a signal or a broken output cancels it. */
static int32_t
run_call(chat_run *chat)
{
  struct pollfd fds[2] = {
      {.fd = infer_queue_fd(chat->queue), .events = POLLIN},
      {.fd = inf_interrupt_fd(), .events = POLLIN},
  };
  int32_t status = INFER_OK;
  while (!chat->done && status == INFER_OK) {
    if (poll(fds, 2, -1) < 0 && errno != EINTR) {
      return INFER_E_INTERNAL;
    }
    if (inf_interrupted || chat->out.error) {
      infer_call_cancel(chat->call);
      fds[1].fd = -1;
    }
    status = take_events(chat);
  }
  return status;
}

/* ---- The command --------------------------------------------------------- */

static int
print_plan(chat_run *chat)
{
  infer_plan *plan = NULL;
  int32_t status =
      infer_client_plan(chat->client, chat->request, &plan, &chat->error);
  if (status != INFER_OK) {
    infer_error *error = chat->error;
    chat->error = NULL;
    return inf_load_failed(error, status);
  }
  size_t tried = 0;
  for (size_t i = 0; i < infer_plan_count(plan); i++) {
    bool left_out = infer_plan_status(plan, i) != INFER_OK;
    tried += !left_out;
    printf("%zu. %s: %s%s\n", i + 1, infer_plan_target(plan, i),
           left_out ? "left out: " : "", infer_plan_reason(plan, i));
  }
  infer_plan_free(plan);
  if (tried == 0) {
    inf_say("no target would be tried");
    return EXIT_CALL_FAILED;
  }
  return 0;
}

static void
warn_of_finish(const infer_response *response)
{
  const char *reason = infer_response_finish_reason(response, 0);
  if (strcmp(reason, "length") == 0) {
    inf_say("the answer was cut at the limit of tokens");
  } else if (strcmp(reason, "content_filter") == 0) {
    inf_say("the provider's content filter cut the answer");
  }
}

static void
print_success(chat_run *chat)
{
  if (chat->args.json) {
    size_t len = 0;
    const char *json = infer_response_json(chat->response, &len);
    inf_out_text(&chat->out, json, len);
  } else {
    print_choices(chat);
  }
  end_lines(chat);
}

/* The reader of a pipe may leave when it has what it wanted. */
static int
output_failed(const chat_run *chat)
{
  if (chat->out.error == EPIPE) {
    return 0;
  }
  return inf_out_result(&chat->out);
}

static int
call_failed(chat_run *chat)
{
  infer_error *error = chat->error;
  int32_t status = chat->status;
  chat->error = NULL;
  return inf_load_failed(error, status);
}

static int
finish(chat_run *chat)
{
  if (chat->status == INFER_OK && !inf_interrupted) {
    print_success(chat);
  }
  end_lines(chat);
  if (chat->args.verbose > 0) {
    inf_trail_say(chat->response, chat->error);
  }
  if (inf_interrupted) {
    inf_say("cancelled");
    return EXIT_SIGNAL + (int)inf_interrupted;
  }
  if (chat->out.error) {
    return output_failed(chat);
  }
  if (chat->status != INFER_OK) {
    return call_failed(chat);
  }
  if (!chat->args.json) {
    warn_of_finish(chat->response);
  }
  return 0;
}

static int
send_call(chat_run *chat)
{
  int32_t mode = chat->stream ? INFER_SUBMIT_STREAM : INFER_SUBMIT_WHOLE;
  int32_t status = infer_queue_new(&chat->queue, chat->client);
  if (status == INFER_OK) {
    status = infer_submit(chat->client, chat->request, mode, chat->queue, 0,
                          &chat->call, &chat->error);
  }
  if (status == INFER_OK) {
    status = run_call(chat);
  }
  if (status != INFER_OK) {
    chat->status = status;
    return call_failed(chat);
  }
  return finish(chat);
}

static void
on_log(int32_t level, const char *message, void *user_data)
{
  static const char *const names[] = {"",     "error", "warn",
                                      "info", "debug", "trace"};
  (void)user_data;
  inf_note("* %s: %s", level >= 1 && level <= 5 ? names[level] : "log",
           message);
}

static int
make_client(chat_run *chat)
{
  /* This program waits on the queue alone, whatever the file's owner needs. */
  infer_error *error = NULL;
  int32_t status = infer_config_set_int(chat->config, "threads", 1, &error);
  if (status != INFER_OK) {
    return inf_load_failed(error, status);
  }
  if (chat->args.verbose > 1) {
    infer_config_set_log(chat->config, INFER_LOG_DEBUG, on_log, NULL);
  }
  return inf_load_client(chat->config, &chat->client);
}

static int
make_request(chat_run *chat)
{
  const char *model = chat->args.model;
  char *only = NULL;
  if (!model) {
    model = getenv("INFER_MODEL");
  }
  if (!model || model[0] == '\0') {
    model = only = inf_load_only_model(chat->config);
  }
  if (!model) {
    return EXIT_USAGE;
  }
  int code = inf_chat_args_request(&chat->args, model, &chat->request);
  free(only);
  return code;
}

static void
choose_output(chat_run *chat)
{
  const char *term = getenv("TERM");
  const char *no_color = getenv("NO_COLOR");
  inf_out_init(&chat->out, STDOUT_FILENO);
  inf_out_init(&chat->err, STDERR_FILENO);
  chat->out.stop = &inf_interrupted;
  chat->stream = !chat->args.json && !chat->args.no_stream &&
                 (chat->args.stream || chat->out.terminal);
  chat->color = chat->out.terminal && !(no_color && no_color[0]) &&
                !(term && strcmp(term, "dumb") == 0);
}

static int
run(chat_run *chat)
{
  int code = inf_load_config(chat->args.config_path, &chat->config);
  if (code == 0) {
    code = make_request(chat);
  }
  if (code == 0) {
    code = make_client(chat);
  }
  if (code == 0) {
    code = inf_chat_args_prompt(&chat->args, chat->request);
  }
  if (code != 0) {
    return code;
  }
  if (chat->args.plan) {
    return print_plan(chat);
  }
  choose_output(chat);
  code = inf_interrupt_catch();
  return code == 0 ? send_call(chat) : code;
}

static void
chat_fini(chat_run *chat)
{
  infer_response_free(chat->response);
  infer_error_free(chat->error);
  infer_call_free(chat->call);
  infer_queue_free(chat->queue);
  infer_request_free(chat->request);
  infer_client_free(chat->client);
  infer_config_free(chat->config);
  inf_chat_args_fini(&chat->args);
}

int
cmd_chat(int argc, char **argv)
{
  chat_run chat = {0};
  int code = inf_chat_args_parse(&chat.args, argc, argv);
  if (code == 0 && chat.args.help) {
    fputs(manual, stdout);
  } else if (code == 0) {
    code = run(&chat);
  }
  chat_fini(&chat);
  return code;
}
