/* SPDX-License-Identifier: MIT */
/* Places and prompts of a replay's calls: see replay_call.h. */

#include "replay_call.h"

#include "replay_dialect.h"
#include "replay_trace.h"

#include "base/mem.h"

static inf_replay_call *
call_new(void)
{
  inf_replay_call *call = inf_sim_alloc(sizeof(*call));
  inf_buf_init(&call->facts.prefix,
               INF_REPLAY_TRACE_MAX_PREFIX * sizeof(uint64_t));
  return call;
}

size_t
inf_replay_place_take(inf_replay_places *places)
{
  if (places->first_free > 0) {
    size_t place = places->first_free - 1;
    inf_replay_call *call = places->calls[place];
    places->first_free = call->next_free;
    inf_buf prefix = call->facts.prefix;
    inf_buf_clear(&prefix);
    *call = (inf_replay_call){.facts = {.prefix = prefix}};
    return place;
  }
  if (places->count == places->cap) {
    places->cap = places->cap * 2 + 64;
    places->calls =
        inf_sim_realloc(places->calls, places->cap * sizeof(inf_replay_call *));
  }
  places->calls[places->count] = call_new();
  return places->count++;
}

void
inf_replay_place_give(inf_replay_places *places, size_t place)
{
  places->calls[place]->next_free = places->first_free;
  places->first_free = place + 1;
}

inf_replay_call *
inf_replay_place_at(const inf_replay_places *places, uint64_t place)
{
  return place < places->count ? places->calls[place] : NULL;
}

void
inf_replay_places_free(inf_replay_places *places)
{
  for (size_t i = 0; i < places->count; i++) {
    inf_buf_fini(&places->calls[i]->facts.prefix);
    inf_free(places->calls[i]);
  }
  inf_free(places->calls);
}

/* The words are written once: only what stands before them is each call's. A
 * word of four letters is a token. */
int32_t
inf_replay_prompt_add(inf_replay_prompt *prompt, infer_request *request,
                      size_t place, uint32_t tokens)
{
  /* What the mark's own words and the message around them count. */
  enum { framing = 4 };
  char mark[INF_REPLAY_MARK_BYTES] = "";
  inf_buf *text = &prompt->text;
  size_t len = inf_replay_mark(place, mark);
  uint32_t known = framing + (uint32_t)len / INF_REPLAY_BYTES_PER_TOKEN;
  size_t rest = tokens > known ? tokens - known : 0;
  size_t whole = INF_REPLAY_MARK_BYTES + rest * INF_REPLAY_BYTES_PER_TOKEN;
  if (text->len < whole) {
    inf_buf_clear(text);
    inf_buf_append(text, mark, INF_REPLAY_MARK_BYTES);
    inf_buf_append(text, inf_replay_filler(2 * (uint32_t)rest),
                   2 * rest * INF_REPLAY_BYTES_PER_TOKEN);
    inf_sim_must(text);
  }
  char *start = text->ptr + INF_REPLAY_MARK_BYTES - len;
  memcpy(start, mark, len);
  return infer_request_add_message_n(request, "user", start,
                                     len + rest * INF_REPLAY_BYTES_PER_TOKEN);
}
