/* SPDX-License-Identifier: MIT */
/* Copies an answer into one block of memory. The answer that is being read
 * lives in buffers that the next one uses again; what the application gets is
 * as large as it must be, costs one allocation, and is freed in one go by
 * whatever thread it is on.
 *
 * The same walk measures and copies, so that the two cannot differ: without a
 * block, or from where it is full, it only counts. */
#include "provider/answer.h"

typedef struct packer {
  char *block; /* NULL: only count */
  size_t room; /* of the block */
  size_t used; /* more than room: it was too small */
} packer;

/* The next bytes of the block, filled from ptr; NULL where there are none. */
static void *
put(packer *pack, const void *ptr, size_t len, size_t align)
{
  size_t at = (pack->used + align - 1) / align * align;
  pack->used = at + len;
  if (!pack->block || pack->used > pack->room)
    return NULL;
  if (len > 0)
    memcpy(pack->block + at, ptr, len);
  return pack->block + at;
}

/* cap 0 says that the text is not the buffer's own. */
static void
pack_buf(packer *pack, inf_buf *to, const inf_buf *from)
{
  if (from->len == 0) {
    if (to)
      *to = (inf_buf){.max = from->max};
    return;
  }
  char *text = put(pack, from->ptr, from->len + 1, 1);
  if (to)
    *to = (inf_buf){.ptr = text, .len = from->len, .max = from->max};
}

static void
pack_members(packer *pack, inf_members *to, const inf_members *from)
{
  inf_member *list = put(pack, from->list, from->count * sizeof *from->list,
                         _Alignof(inf_member));
  for (size_t i = 0; i < from->count; i++) {
    pack_buf(pack, list ? &list[i].name : NULL, &from->list[i].name);
    pack_buf(pack, list ? &list[i].pieces : NULL, &from->list[i].pieces);
  }
  if (to)
    *to = (inf_members){.list = list, .count = from->count};
}

static void
pack_tool_call(packer *pack, inf_tool_call *to, const inf_tool_call *from)
{
  pack_buf(pack, to ? &to->id : NULL, &from->id);
  pack_buf(pack, to ? &to->type : NULL, &from->type);
  pack_buf(pack, to ? &to->name : NULL, &from->name);
  pack_buf(pack, to ? &to->arguments : NULL, &from->arguments);
  pack_members(pack, to ? &to->extra : NULL, &from->extra);
}

static void
pack_choice(packer *pack, inf_choice *to, const inf_choice *from)
{
  pack_buf(pack, to ? &to->text : NULL, &from->text);
  pack_buf(pack, to ? &to->reasoning : NULL, &from->reasoning);
  pack_buf(pack, to ? &to->refusal : NULL, &from->refusal);
  pack_buf(pack, to ? &to->logprobs : NULL, &from->logprobs);
  pack_buf(pack, to ? &to->refusal_logprobs : NULL, &from->refusal_logprobs);
  pack_buf(pack, to ? &to->role : NULL, &from->role);
  pack_buf(pack, to ? &to->finish_reason : NULL, &from->finish_reason);
  pack_buf(pack, to ? &to->native_finish_reason : NULL,
           &from->native_finish_reason);
  pack_members(pack, to ? &to->message_extra : NULL, &from->message_extra);
  pack_members(pack, to ? &to->extra : NULL, &from->extra);
  inf_tool_call *calls = put(pack, from->tool_calls,
                             from->tool_call_count * sizeof *from->tool_calls,
                             _Alignof(inf_tool_call));
  for (size_t i = 0; i < from->tool_call_count; i++)
    pack_tool_call(pack, calls ? &calls[i] : NULL, &from->tool_calls[i]);
  if (to) {
    to->tool_calls = calls;
    to->tool_call_cap = 0;
  }
}

static void
pack_answer(packer *pack, inf_answer *to, const inf_answer *from)
{
  pack_buf(pack, to ? &to->id : NULL, &from->id);
  pack_buf(pack, to ? &to->model : NULL, &from->model);
  pack_buf(pack, to ? &to->usage_json : NULL, &from->usage_json);
  pack_members(pack, to ? &to->extra : NULL, &from->extra);
  inf_choice *choices =
      put(pack, from->choices, from->choice_count * sizeof *from->choices,
          _Alignof(inf_choice));
  for (size_t i = 0; i < from->choice_count; i++)
    pack_choice(pack, choices ? &choices[i] : NULL, &from->choices[i]);
  if (to)
    to->choices = choices;
}

size_t
inf_answer_packed_bytes(const inf_answer *from)
{
  packer pack = {0};
  pack_answer(&pack, NULL, from);
  return pack.used;
}

size_t
inf_answer_pack(inf_answer *to, const inf_answer *from, void *memory,
                size_t room)
{
  packer pack = {.block = memory, .room = room};
  *to = *from;
  inf_buf_init(&to->scratch, 0);
  to->echo = (inf_sv){0};
  to->choice_cap = to->choices_made = 0;
  to->listener = NULL;
  to->listener_context = NULL;
  pack_answer(&pack, to, from);
  return pack.used;
}
