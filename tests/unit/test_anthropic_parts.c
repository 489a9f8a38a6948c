/* SPDX-License-Identifier: MIT */
#include "unit/anthropic_support.h"

#define PART(part)           MESSAGES("{'role':'user','content':[" part "]}")
#define BLOCK                "/messages/0/content/0"
#define REFUSED(part, why)   assert_refused(PART(part), why)
#define BECOMES(part, block) assert_becomes(PART(part), BLOCK, block)

static void
test_text(void **state)
{
  (void)state;
  BECOMES("{'type':'text','text':'a','cache_control':{'type':'ephemeral'}}",
          "{'type':'text','text':'a','cache_control':{'type':'ephemeral'}}");
  BECOMES("'bare'", "{'type':'text','text':'bare'}");
  BECOMES("{'type':'text','text':''},{'type':'text','text':'b'}",
          "{'type':'text','text':'b'}");
  BECOMES("{'type':'refusal','refusal':'No'}", "{'type':'text','text':'No'}");
}

static void
test_images(void **state)
{
  (void)state;
  BECOMES("{'type':'image_url','image_url':{'url':'data:image/png;base64,"
          "QUJD','detail':'low'},'cache_control':{'type':'ephemeral'}}",
          "{'type':'image','source':{'type':'base64','media_type':"
          "'image/png','data':'QUJD'},'cache_control':{'type':'ephemeral'}}");
  BECOMES("{'type':'image_url','image_url':{'url':'data:image\\/jpg;base64,"
          "QU\\/D'}}",
          "{'type':'image','source':{'type':'base64','media_type':"
          "'image/jpeg','data':'QU/D'}}");
  BECOMES("{'type':'image_url','image_url':{'url':'https://h/a.png'}}",
          "{'type':'image','source':{'type':'url','url':'https://h/a.png'}}");
  BECOMES("{'type':'image_url','image_url':'http://h/a.png'}",
          "{'type':'image','source':{'type':'url','url':'http://h/a.png'}}");
  REFUSED("{'type':'image_url','image_url':{'url':'data:image/bmp;base64,"
          "QUJD'}}",
          "image_url: not a JPEG, PNG, GIF or WebP image");
  REFUSED("{'type':'image_url','image_url':{'url':'data:image/png,QUJD'}}",
          "image_url: neither a web address nor base64 data");
  REFUSED("{'type':'image_url','image_url':{'url':'file:///etc/passwd'}}",
          "image_url: neither a web address nor base64 data");
  REFUSED("{'type':'image_url'}",
          "image_url: neither a web address nor base64 data");
}

static void
test_files(void **state)
{
  (void)state;
  BECOMES("{'type':'file','file':{'filename':'a.pdf','file_data':"
          "'data:application/pdf;base64,QUJD'}}",
          "{'type':'document','source':{'type':'base64','media_type':"
          "'application/pdf','data':'QUJD'},'title':'a.pdf'}");
  BECOMES("{'type':'file','title':'T','citations':{'enabled':true},'file':{"
          "'filename':'a.pdf','file_data':'data:application/pdf;base64,QUJD'"
          "}}",
          "{'type':'document','source':{'type':'base64','media_type':"
          "'application/pdf','data':'QUJD'},'title':'T','citations':{"
          "'enabled':true}}");
  BECOMES("{'type':'file','file':{'file_data':'data:text/plain;charset=utf-8;"
          "base64,w6kK'}}",
          "{'type':'document','source':{'type':'text','media_type':"
          "'text/plain','data':'\\u00e9\\n'}}");
  BECOMES("{'type':'file','file':{'file_data':'data:image/webp;base64,QUJD'}}",
          "{'type':'image','source':{'type':'base64','media_type':"
          "'image/webp','data':'QUJD'}}");
  BECOMES("{'type':'file','file':{'file_data':'https://h/a.pdf'}}",
          "{'type':'document','source':{'type':'url','url':"
          "'https://h/a.pdf'}}");
  BECOMES("{'type':'file','file':{'file_id':'file_1'}}",
          "{'type':'document','source':{'type':'file','file_id':'file_1'}}");
  REFUSED("{'type':'file','file':{'file_data':'data:text/plain;base64,Q'}}",
          "file: its data is not base64");
  REFUSED("{'type':'file','file':{'file_data':'data:audio/wav;base64,QUJD'}}",
          "file: neither a PDF, a plain text nor an image");
  REFUSED("{'type':'file','file':{}}",
          "file: neither a PDF, a plain text nor an image");
}

static void
test_other_parts(void **state)
{
  (void)state;
  /* The API's own. */
  BECOMES("{'type':'document','source':{'type':'url','url':'u'},'title':'t'}",
          "{'type':'document','source':{'type':'url','url':'u'},'title':'t'}");
  BECOMES("{'type':'search_result','source':'s','content':[]}",
          "{'type':'search_result','source':'s','content':[]}");
  /* Thinking in the content, as Mistral has it, is not signed. */
  BECOMES("{'type':'thinking','thinking':[{'type':'text','text':'Hm'}]},"
          "{'type':'text','text':'a'}",
          "{'type':'text','text':'a'}");
  BECOMES("{'type':'thinking','thinking':'Hm','signature':'c2ln'}",
          "{'type':'thinking','thinking':'Hm','signature':'c2ln'}");
  REFUSED("{'type':'input_audio','input_audio':{'data':'QUJD','format':"
          "'wav'}}",
          "input_audio: content that the provider does not take");
  REFUSED("{'type':'video_url','video_url':{'url':'https://h/v'}}",
          "video_url: content that the provider does not take");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text),
      cmocka_unit_test(test_images),
      cmocka_unit_test(test_files),
      cmocka_unit_test(test_other_parts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
