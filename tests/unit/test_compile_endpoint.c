/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#include "config/compile_endpoint.h"

#define WITH "'base_url':'http://h',"
#define PEM  "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"

static void
is_plain_by_default(void **state)
{
  (void)state;
  inf_config *config = provider_compiled("'base_url':'http://h'");
  const inf_endpoint *endpoint = &config->providers[0].endpoint;
  assert_null(endpoint->proxy);
  assert_null(endpoint->no_proxy);
  assert_null(endpoint->ca_file);
  assert_null(endpoint->ca_pem);
  assert_null(endpoint->client_cert);
  assert_null(endpoint->client_key);
  assert_null(endpoint->unix_socket);
  assert_null(endpoint->resolve);
  assert_true(endpoint->tls_verify);
  assert_true(endpoint->compression);
  assert_int_equal(endpoint->http_version, 0);
  inf_config_unref(config);
}

static void
takes_certificate_files(void **state)
{
  (void)state;
  char *path = new_file(PEM, sizeof PEM - 1), text[2000];
  snprintf(text, sizeof text,
           WITH "'ca_file':'%s','client_cert':'%s','client_key':'%s'", path,
           path, path);
  inf_config *config = provider_compiled(text);
  assert_string_equal(config->providers[0].endpoint.ca_file, path);
  assert_string_equal(config->providers[0].endpoint.client_cert, path);
  assert_string_equal(config->providers[0].endpoint.client_key, path);
  inf_config_unref(config);

  snprintf(text, sizeof text, WITH "'client_key':'%s'", path);
  provider_refused(text, "providers[0].client_key: needs client_cert");
  snprintf(text, sizeof text, WITH "'ca_file':'%s','ca_pem':'x'", path);
  provider_refused(text, "providers[0].ca_pem: cannot go with ca_file");
  drop_file(path);
}

static void
looks_at_certificate_files(void **state)
{
  (void)state;
  static const char *const options[] = {"ca_file", "client_cert"};
  char *path = new_file("no certificate", 14), text[700], message[700];
  for (size_t i = 0; i < 2; i++) {
    snprintf(text, sizeof text, WITH "'%s':'%s'", options[i], path);
    snprintf(message, sizeof message, "providers[0].%s: %s is no PEM file",
             options[i], path);
    provider_refused(text, message);
    snprintf(text, sizeof text, WITH "'%s':'/nonexistent'", options[i]);
    snprintf(message, sizeof message,
             "providers[0].%s: cannot read /nonexistent: no such file",
             options[i]);
    provider_refused(text, message);
  }
  drop_file(path);
}

static void
takes_certificates_as_text(void **state)
{
  (void)state;
  inf_config *config =
      provider_compiled(WITH "'ca_pem':'-----BEGIN CERTIFICATE-----\\nx\\n'");
  assert_string_equal(config->providers[0].endpoint.ca_pem,
                      "-----BEGIN CERTIFICATE-----\nx\n");
  inf_config_unref(config);
  setenv("INFER_TEST_CA", PEM, 1);
  config = provider_compiled(WITH "'ca_pem':'env:INFER_TEST_CA'");
  assert_string_equal(config->providers[0].endpoint.ca_pem, PEM);
  inf_config_unref(config);
  unsetenv("INFER_TEST_CA");
  provider_refused(WITH "'ca_pem':'env:INFER_TEST_CA'",
                   "providers[0].ca_pem: environment variable INFER_TEST_CA "
                   "is not set");
  provider_refused(WITH "'ca_pem':'x'",
                   "providers[0].ca_pem: is no certificate in PEM form");
  provider_refused(WITH "'ca_pem':'-----BEGIN \\u0000'",
                   "providers[0].ca_pem: is no certificate in PEM form");
  provider_refused(WITH "'ca_pem':5",
                   "providers[0].ca_pem: expected a string, got 5");
}

static void
checks_sockets(void **state)
{
  (void)state;
  inf_config *config = provider_compiled(WITH "'unix_socket':'/run/s'");
  assert_string_equal(config->providers[0].endpoint.unix_socket, "/run/s");
  inf_config_unref(config);
  provider_refused(WITH "'unix_socket':'run/s'",
                   "providers[0].unix_socket: expected an absolute path");
  char text[400];
  snprintf(text, sizeof text, WITH "'unix_socket':'/%0200d'", 0);
  provider_refused(text, "providers[0].unix_socket: longer than 107 bytes");
  provider_refused(WITH "'unix_socket':'/s','proxy':'http://p'",
                   "providers[0].proxy: cannot go with unix_socket");
}

static void
checks_proxies(void **state)
{
  (void)state;
  inf_config *config = provider_compiled(WITH "'proxy':'http://u:p@h:1'");
  assert_string_equal(config->providers[0].endpoint.proxy, "http://u:p@h:1");
  inf_config_unref(config);
  provider_refused(WITH "'proxy':'http://u:secret@h:x'",
                   "providers[0].proxy: has a port that is no number from 1 "
                   "to 65535");
  provider_refused(WITH "'proxy':false",
                   "providers[0].proxy: expected a string, got false");
}

static void
takes_fixed_addresses(void **state)
{
  (void)state;
  inf_config *config =
      provider_compiled(WITH "'resolve':['h:80:127.0.0.1','h:81:[::1]']");
  const char *const *resolve = config->providers[0].endpoint.resolve;
  assert_string_equal(resolve[0], "h:80:127.0.0.1");
  assert_string_equal(resolve[1], "h:81:[::1]");
  assert_null(resolve[2]);
  inf_config_unref(config);
  provider_refused(WITH "'resolve':['h:80:127.0.0.1','h']",
                   "providers[0].resolve[1]: is not of the form "
                   "'host:port:address'");
  provider_refused(WITH "'resolve':'h:80:1.1.1.1'",
                   "providers[0].resolve: expected an array of strings, got "
                   "a string");
}

static void
takes_switches(void **state)
{
  (void)state;
  inf_config *config = provider_compiled(
      WITH "'tls_verify':false,'compression':false,'http_version':'1.1'");
  assert_false(config->providers[0].endpoint.tls_verify);
  assert_false(config->providers[0].endpoint.compression);
  assert_int_equal(config->providers[0].endpoint.http_version, 1);
  inf_config_unref(config);
  provider_refused(WITH "'http_version':'2'",
                   "providers[0].http_version: expected 'auto' or '1.1', got "
                   "'2'");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(is_plain_by_default),
      cmocka_unit_test(takes_certificate_files),
      cmocka_unit_test(looks_at_certificate_files),
      cmocka_unit_test(takes_certificates_as_text),
      cmocka_unit_test(checks_sockets),
      cmocka_unit_test(checks_proxies),
      cmocka_unit_test(takes_fixed_addresses),
      cmocka_unit_test(takes_switches),
  };
  return cmocka_run_group_tests(tests, clear_environment, NULL);
}
