/* SPDX-License-Identifier: MIT */
/* The parts of a message's content, as blocks of Anthropic's Messages. */
#include "provider/anthropic_write.h"

#include "infer/infer.h"

#include "provider/member_rules.h"
#include "wire/base64.h"
#include "wire/json_value.h"
#include "wire/json_write.h"

/* ---- Sources ------------------------------------------------------------- */

typedef struct data_url {
  inf_sv type; /* "image/png" */
  inf_sv data; /* base64 */
} data_url;

/* False if the text is none, or not base64. */
static bool
split_data_url(inf_sv text, data_url *url)
{
  const inf_sv scheme = INF_SV("data:"), mark = INF_SV(";base64");
  size_t comma = inf_sv_find(text, ',');
  if (!inf_sv_starts_with(text, scheme) || comma == text.len)
    return false;
  inf_sv head = inf_sv_of(text.ptr + scheme.len, comma - scheme.len);
  if (!inf_sv_ends_with(head, mark))
    return false;
  url->type = inf_sv_of(head.ptr, inf_sv_find(head, ';'));
  if (inf_sv_eq(url->type, INF_SV("image/jpg"))) /* said, but not registered */
    url->type = INF_SV("image/jpeg");
  url->data = inf_sv_of(text.ptr + comma + 1, text.len - comma - 1);
  return true;
}

static bool
is_web_url(inf_sv text)
{
  return inf_sv_starts_with(text, INF_SV("https://")) ||
         inf_sv_starts_with(text, INF_SV("http://"));
}

static bool
is_image_type(inf_sv type)
{
  static const char *const types[] = {"image/jpeg", "image/png", "image/gif",
                                      "image/webp"};
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
    if (inf_sv_eq(type, inf_sv_from(types[i])))
      return true;
  return false;
}

static void
write_source(inf_buf *body, const char *type, inf_sv media_type, inf_sv name,
             inf_sv text)
{
  inf_json_key(body, INF_SV("source"));
  inf_json_open(body, '{');
  inf_json_member_string(body, INF_SV("type"), inf_sv_from(type));
  if (media_type.len > 0)
    inf_json_member_string(body, INF_SV("media_type"), media_type);
  inf_json_member_string(body, name, text);
  inf_json_close(body, '}');
}

/* A document of plain text is sent as that. */
static void
write_plain_source(inf_anthropic_writer *writer, inf_sv base64)
{
  inf_buf text;
  inf_buf_init(&text, INF_CHAT_MAX_BYTES);
  int32_t status = inf_base64_get(base64, &text);
  if (status == INFER_E_PROTOCOL)
    inf_anthropic_refuse(writer, "file", ": its data is not base64");
  else if (status != INFER_OK)
    writer->status = writer->status == INFER_OK ? status : writer->status;
  else
    write_source(writer->body, "text", INF_SV("text/plain"), INF_SV("data"),
                 inf_buf_sv(&text));
  inf_buf_fini(&text);
}

/* ---- Blocks -------------------------------------------------------------- */

static void
begin_block(inf_buf *body, const char *type)
{
  inf_json_open(body, '{');
  inf_json_member_string(body, INF_SV("type"), inf_sv_from(type));
}

/* The part's members that the API has beside the source. */
static void
end_block(inf_buf *body, inf_sv part)
{
  static const char *const names[] = {"cache_control", "title", "context",
                                      "citations"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    inf_sv value = inf_json_get(part, inf_sv_from(names[i]));
    if (value.len > 0)
      inf_json_member_raw(body, inf_sv_from(names[i]), value);
  }
  inf_json_close(body, '}');
}

static void
write_image(inf_anthropic_writer *writer, inf_sv part)
{
  data_url data;
  inf_buf *body = writer->body;
  inf_sv image = inf_json_get(part, INF_SV("image_url"));
  inf_sv value = inf_json_is(image, INF_JSON_OBJECT)
                     ? inf_json_get(image, INF_SV("url"))
                     : image;
  inf_sv url = inf_anthropic_text(writer, value);
  bool is_data = split_data_url(url, &data);
  if (!is_data && !is_web_url(url)) {
    inf_anthropic_refuse(writer, "image_url",
                         ": neither a web address nor base64 data");
    return;
  }
  if (is_data && !is_image_type(data.type)) {
    inf_anthropic_refuse(writer, "image_url",
                         ": not a JPEG, PNG, GIF or WebP image");
    return;
  }
  begin_block(body, "image");
  if (is_data)
    write_source(body, "base64", data.type, INF_SV("data"), data.data);
  else
    write_source(body, "url", INF_SV(""), INF_SV("url"), url);
  end_block(body, part);
}

static void
write_title(inf_anthropic_writer *writer, inf_sv part, inf_sv file)
{
  inf_sv name = inf_json_get(file, INF_SV("filename"));
  if (inf_json_is(name, INF_JSON_STRING) && name.len > 2 &&
      inf_json_get(part, INF_SV("title")).len == 0)
    inf_json_member_raw(writer->body, INF_SV("title"), name);
}

static void
write_file_data(inf_anthropic_writer *writer, inf_sv part, inf_sv file,
                inf_sv text)
{
  data_url data;
  inf_buf *body = writer->body;
  bool is_data = split_data_url(text, &data);
  if (is_data && is_image_type(data.type)) {
    begin_block(body, "image");
    write_source(body, "base64", data.type, INF_SV("data"), data.data);
    end_block(body, part);
    return;
  }
  bool is_pdf = is_data && inf_sv_eq(data.type, INF_SV("application/pdf"));
  bool is_text = is_data && inf_sv_eq(data.type, INF_SV("text/plain"));
  if (!is_pdf && !is_text && !is_web_url(text)) {
    inf_anthropic_refuse(writer, "file",
                         ": neither a PDF, a plain text nor an image");
    return;
  }
  begin_block(body, "document");
  if (is_pdf)
    write_source(body, "base64", data.type, INF_SV("data"), data.data);
  else if (is_text)
    write_plain_source(writer, data.data);
  else
    write_source(body, "url", INF_SV(""), INF_SV("url"), text);
  write_title(writer, part, file);
  end_block(body, part);
}

static void
write_file(inf_anthropic_writer *writer, inf_sv part)
{
  inf_sv file = inf_json_get(part, INF_SV("file"));
  inf_sv id = inf_json_get(file, INF_SV("file_id"));
  if (!inf_json_is(id, INF_JSON_STRING)) {
    write_file_data(
        writer, part, file,
        inf_anthropic_text(writer, inf_json_get(file, INF_SV("file_data"))));
    return;
  }
  begin_block(writer->body, "document");
  write_source(writer->body, "file", INF_SV(""), INF_SV("file_id"),
               inf_anthropic_text(writer, id));
  write_title(writer, part, file);
  end_block(writer->body, part);
}

/* ---- Parts --------------------------------------------------------------- */

/* The API refuses an empty text. */
static void
write_text(inf_anthropic_writer *writer, inf_sv text)
{
  if (!inf_json_is(text, INF_JSON_STRING) || text.len <= 2)
    return;
  inf_json_open(writer->body, '{');
  inf_json_member_string(writer->body, INF_SV("type"), INF_SV("text"));
  inf_json_member_raw(writer->body, INF_SV("text"), text);
  inf_json_close(writer->body, '}');
}

static void
write_own_text(inf_anthropic_writer *writer, inf_sv part)
{
  if (inf_json_get(part, INF_SV("text")).len > 2)
    inf_json_put_raw(writer->body, part);
}

static void
write_refusal(inf_anthropic_writer *writer, inf_sv part)
{
  write_text(writer, inf_json_get(part, INF_SV("refusal")));
}

/* Thinking goes back signed or not at all. */
static void
write_thinking(inf_anthropic_writer *writer, inf_sv part)
{
  const inf_json_iter left = {.key = INF_SV("thinking"), .value = part};
  if (inf_json_get(part, INF_SV("signature")).len > 2)
    inf_json_put_raw(writer->body, part);
  else
    inf_member_note_within(writer->send, "messages.content", &left);
}

static void
refuse_part(inf_anthropic_writer *writer, inf_sv part)
{
  inf_anthropic_text(writer, inf_json_get(part, INF_SV("type")));
  inf_anthropic_refuse(writer, inf_buf_cstr(&writer->scratch),
                       ": content that the provider does not take");
}

static const struct part_kind {
  const char *type;
  void (*write)(inf_anthropic_writer *writer, inf_sv part);
} part_kinds[] = {
    {"text", write_own_text},     {"image_url", write_image},
    {"file", write_file},         {"refusal", write_refusal},
    {"thinking", write_thinking}, {"input_audio", refuse_part},
    {"audio_url", refuse_part},   {"video_url", refuse_part},
};

static void
write_part(inf_anthropic_writer *writer, inf_sv part)
{
  inf_sv type = inf_json_get(part, INF_SV("type"));
  if (inf_json_is(part, INF_JSON_STRING)) {
    write_text(writer, part);
    return;
  }
  for (size_t i = 0; i < sizeof(part_kinds) / sizeof(part_kinds[0]); i++) {
    if (!inf_json_equal(type, inf_sv_from(part_kinds[i].type)))
      continue;
    part_kinds[i].write(writer, part);
    return;
  }
  inf_json_put_raw(writer->body, part); /* in the API's own shape */
}

void
inf_anthropic_write_blocks(inf_anthropic_writer *writer, inf_sv content)
{
  if (inf_json_is(content, INF_JSON_STRING)) {
    write_text(writer, content);
    return;
  }
  inf_json_iter it = inf_json_iter_of(content);
  while (it.end && !it.object && inf_json_next(&it))
    write_part(writer, it.value);
}
