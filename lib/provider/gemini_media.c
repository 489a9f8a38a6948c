/* SPDX-License-Identifier: MIT */
/* Images, files and sound: by their data, or by their address. */
#include "provider/gemini_write.h"

#include "infer/infer.h"

#include "wire/json_write.h"

/* Vertex AI wants the type of a file that it fetches; what the address does
 * not tell AI Studio finds out for itself. */
static const char *const endings[][2] = {
    {".png", "image/png"},   {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"}, {".webp", "image/webp"},
    {".gif", "image/gif"},   {".heic", "image/heic"},
    {".heif", "image/heif"}, {".pdf", "application/pdf"},
    {".mp4", "video/mp4"},   {".mov", "video/mov"},
    {".webm", "video/webm"}, {".mp3", "audio/mp3"},
    {".wav", "audio/wav"},   {".txt", "text/plain"},
};

static inf_sv
type_of(inf_sv url)
{
  url = inf_sv_of(url.ptr, inf_sv_find(url, '?'));
  url = inf_sv_of(url.ptr, inf_sv_find(url, '#'));
  for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
    inf_sv end = inf_sv_from(endings[i][0]);
    if (url.len > end.len &&
        inf_sv_eq_nocase(inf_sv_of(url.ptr + url.len - end.len, end.len), end))
      return inf_sv_from(endings[i][1]);
  }
  return INF_SV("");
}

/* "data:image/png;base64,AAAA", split at its signs. */
static bool
split_data(inf_sv url, inf_sv *type, inf_sv *data)
{
  size_t comma = inf_sv_find(url, ',');
  inf_sv head = inf_sv_of(url.ptr, comma);
  if (comma == url.len || !inf_sv_ends_with(head, INF_SV(";base64")))
    return false;
  head = inf_sv_of(head.ptr + 5, head.len - 5);
  *type = inf_sv_of(head.ptr, inf_sv_find(head, ';'));
  *data = inf_sv_of(url.ptr + comma + 1, url.len - comma - 1);
  return type->len > 0;
}

static void
put_file(inf_buf *out, inf_sv type, inf_sv url)
{
  inf_json_open(out, '{');
  inf_json_key(out, INF_SV("fileData"));
  inf_json_open(out, '{');
  if (type.len > 0)
    inf_json_member_string(out, INF_SV("mimeType"), type);
  inf_json_member_string(out, INF_SV("fileUri"), url);
  inf_json_close(out, '}');
  inf_json_close(out, '}');
}

int32_t
inf_gemini_put_url(const inf_gemini_request *request, inf_sv url,
                   inf_sv file_type)
{
  inf_sv type, data;
  inf_buf *out = request->out;
  static const char *const schemes[] = {"https://", "http://", "gs://"};
  for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
    if (inf_sv_starts_with(url, inf_sv_from(schemes[i]))) {
      put_file(out, file_type.len > 0 ? file_type : type_of(url), url);
      return INFER_OK;
    }
  }
  if (!inf_sv_starts_with(url, INF_SV("data:")) ||
      !split_data(url, &type, &data))
    return inf_gemini_refuse(request, "a URL", INF_SV(""),
                             "neither data with a type and base64 nor http, "
                             "https or gs");
  inf_json_open(out, '{');
  inf_json_key(out, INF_SV("inlineData"));
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("mimeType"), type);
  inf_json_member_string(out, INF_SV("data"), data);
  inf_json_close(out, '}');
  inf_json_close(out, '}');
  return INFER_OK;
}
