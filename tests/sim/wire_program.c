/* SPDX-License-Identifier: MIT */
/* The program: its options, its ends, TLS and Unix sockets. */
#include "wire_util.h"

#include <openssl/ssl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char dir[64];

static int
make_dir(void **state)
{
  (void)state;
  snprintf(dir, sizeof(dir), "/tmp/infer-sim-test-XXXXXX");
  return mkdtemp(dir) ? 0 : -1;
}

static int
remove_dir(void **state)
{
  static const char *const names[] = {
      "ca.pem",         "server.pem", "client.pem", "server-key.pem",
      "client-key.pem", "socket",     "script"};
  (void)state;
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
    unlink(path);
  }
  return rmdir(dir);
}

static char *
in_dir(char *path, size_t size, const char *name)
{
  snprintf(path, size, "%s/%s", dir, name);
  return path;
}

/* Runs the tool to its end with standard error in text (4 KiB at most);
 * returns its exit code. */
static int
run_tool(const char *const *args, char *text)
{
  const char *argv[32] = {getenv("INFER_TOOL"), "sim"};
  int output[2];
  if (!argv[0] || !*argv[0])
    argv[0] = INFER_TOOL_PATH;
  for (size_t i = 0; args[i]; i++)
    argv[i + 2] = args[i];
  assert_int_equal(pipe(output), 0);
  pid_t pid = fork();
  if (pid == 0) {
    dup2(output[1], STDERR_FILENO);
    close(output[0]);
    alarm(10);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
  }
  close(output[1]);
  size_t len = 0;
  ssize_t n = 0;
  while (len < 4095 && (n = read(output[0], text + len, 4095 - len)) > 0)
    len += (size_t)n;
  text[len] = '\0';
  close(output[0]);
  int status = 0;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void
wrong_options(void **state)
{
  char script[128], text[4096];
  (void)state;
  FILE *file = fopen(in_dir(script, sizeof(script), "script"), "w");
  assert_non_null(file);
  fputs("{\"rules\":[{\"do\":{\"stauts\":1}}]}", file);
  fclose(file);
  const struct {
    const char *args[6];
    int code;
    const char *says;
  } cases[] = {
      {{"--nonsense"}, 2, "nonsense"},
      {{"extra"}, 2, "unexpected argument \"extra\""},
      {{"--seed", "x"}, 2, "--seed must be a whole number"},
      {{"--max-seconds", "0"}, 2, "--max-seconds must be"},
      {{"--tls-cert", "a"}, 2, "belong together"},
      {{"--tls-client-ca", "a"}, 2, "needs TLS"},
      {{"--script", "-", "--exit-on-stdin-eof"}, 2, "cannot be used"},
      {{"--listen", "0.0.0.0:0"}, 3, "--allow-remote"},
      {{"--listen", "[::]:0"}, 3, "--allow-remote"},
      {{"--listen", "example.com:0"}, 3, "is no numeric address"},
      {{"--listen", "127.0.0.1"}, 3, "must be like"},
      {{"--listen", "127.0.0.1:70000"}, 3, "must be like"},
      {{"--unix", "/nonexistent/x"}, 3, "No such file"},
      {{"--script", "/nonexistent"}, 1, "/nonexistent: No such file"},
      {{"--script", script}, 3, "script: rules[0].do.stauts: unknown member"},
      {{"--tls-cert", "/nonexistent", "--tls-key", "/nonexistent"},
       1,
       "cannot use certificate"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    int code = run_tool(cases[i].args, text);
    if (code != cases[i].code || !strstr(text, cases[i].says))
      fail_msg("%s: %d, %s", cases[i].args[0], code, text);
  }
}

static void
remote_addresses_with_leave(void **state)
{
  (void)state;
  sim_process *sim =
      must_start(NULL, (const char *const[]){"--listen", "0.0.0.0:0",
                                             "--allow-remote", NULL});
  assert_int_equal(strncmp(sim_origin(sim), "http://0.0.0.0:", 15), 0);
  assert_true(sim_stop(sim));
}

static void
it_ends_by_itself(void **state)
{
  char text[4096];
  (void)state;
  double before = now_ms();
  assert_int_equal(
      run_tool((const char *const[]){"--max-seconds", "1", NULL}, text), 0);
  assert_in_range((unsigned)(now_ms() - before), 990, 5000);
}

/* Waits for the child to end; its exit code. */
static int
wait_end(pid_t pid)
{
  int status = 0;
  for (int i = 0; i < 5000; i++) {
    if (waitpid(pid, &status, WNOHANG) == pid)
      return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    poll(NULL, 0, 1);
  }
  return -1000;
}

static void
signals_end_it(void **state)
{
  static const int signals[] = {SIGTERM, SIGINT};
  (void)state;
  for (size_t i = 0; i < COUNT_OF(signals); i++) {
    sim_process *sim = must_start("{\"defaults\":{\"silence\":true}}", NULL);
    int fd = sim_connect(sim);
    send_text(fd, "GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n");
    kill(sim_pid(sim), signals[i]);
    assert_int_equal(wait_end(sim_pid(sim)), 0);
    close(fd);
    sim_kill(sim);
  }
}

static void
it_ends_with_its_parent(void **state)
{
  (void)state;
  pid_t other = fork();
  if (other == 0) {
    pause();
    _exit(0);
  }
  char pid[16];
  snprintf(pid, sizeof(pid), "%d", (int)other);
  sim_process *sim =
      must_start(NULL, (const char *const[]){"--parent-pid", pid, NULL});
  kill(other, SIGKILL);
  waitpid(other, NULL, 0);
  assert_int_equal(wait_end(sim_pid(sim)), 0);
  sim_kill(sim);
}

/* The helper holds the other end of its standard input: a process that ends
 * with it open leaves no server behind. */
static void
it_ends_with_its_input(void **state)
{
  int link[2];
  (void)state;
  assert_int_equal(pipe(link), 0);
  pid_t starter = fork();
  if (starter == 0) {
    sim_process *sim = sim_start(NULL, NULL);
    uint16_t port = sim ? sim_port(sim) : 0;
    ssize_t n = write(link[1], &port, sizeof(port));
    _exit(n == sizeof(port) ? 0 : 1); /* without stopping it */
  }
  uint16_t port = 0;
  assert_int_equal(read(link[0], &port, sizeof(port)), sizeof(port));
  assert_int_equal(wait_end(starter), 0);
  char where[32];
  snprintf(where, sizeof(where), "127.0.0.1:%u", port);
  /* Its port is free again soon. */
  sim_process *next = NULL;
  for (int i = 0; !next && i < 100; i++) {
    char text[4096];
    poll(NULL, 0, 10);
    int code = run_tool(
        (const char *const[]){"--listen", where, "--max-seconds", "1", NULL},
        text);
    if (code == 0)
      break;
    assert_true(i < 99);
  }
  close(link[0]);
  close(link[1]);
}

static void
shutdown_by_request(void **state)
{
  (void)state;
  sim_process *sim = must_start(NULL, NULL);
  static const char post[] = "POST /_sim/shutdown HTTP/1.1\r\nHost: a\r\n\r\n";
  char *answer = sim_exchange(sim, post, strlen(post), NULL, NULL);
  assert_non_null(strstr(answer, "{\"ok\":true}"));
  assert_int_equal(wait_end(sim_pid(sim)), 0);
  free(answer);
  sim_kill(sim);
}

static void
several_listeners(void **state)
{
  char path[128];
  struct stat info;
  (void)state;
  in_dir(path, sizeof(path), "socket");
  sim_process *sim = must_start("{\"defaults\":{\"text\":\"over a path\"}}",
                                (const char *const[]){"--unix", path, NULL});
  char origin[160];
  snprintf(origin, sizeof(origin), "unix:%s", path);
  assert_string_equal(sim_origin(sim), origin);
  char *answer = ask(sim, STREAM, NULL, NULL);
  assert_non_null(strstr(answer, "over"));
  assert_non_null(strstr(answer, "data: [DONE]"));
  free(answer);
  assert_true(sim_stop(sim));
  assert_int_equal(stat(path, &info), -1); /* removed */
  sim = sim_start(NULL, (const char *const[]){"--listen", "[::1]:0", NULL});
  if (!sim) {
    print_message("SKIP: no IPv6 loopback\n");
    return;
  }
  answer = ask(sim, WHOLE, NULL, NULL);
  assert_non_null(strstr(answer, "HTTP/1.1 200 OK"));
  free(answer);
  assert_true(sim_stop(sim));
}

/* TLS. */

static SSL_CTX *
client_tls(bool with_certificate)
{
  char path[128];
  SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
  assert_int_equal(SSL_CTX_load_verify_locations(
                       tls, in_dir(path, sizeof(path), "ca.pem"), NULL),
                   1);
  if (with_certificate) {
    assert_int_equal(
        SSL_CTX_use_certificate_file(
            tls, in_dir(path, sizeof(path), "client.pem"), SSL_FILETYPE_PEM),
        1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(
                         tls, in_dir(path, sizeof(path), "client-key.pem"),
                         SSL_FILETYPE_PEM),
                     1);
  }
  return tls;
}

/* A request over TLS: what comes up to the end into answer (64 KiB); the
 * error of the last read is returned. -1: there was no connection. */
static int
ask_tls(sim_process *sim, SSL_CTX *tls, const char *name, const char *body,
        char *answer)
{
  SSL *ssl = SSL_new(tls);
  int fd = sim_connect(sim), n = 0, error = -1;
  size_t len = 0;
  assert_true(fd >= 0);
  SSL_set_fd(ssl, fd);
  SSL_set1_host(ssl, name);
  SSL_set_alpn_protos(ssl, (const unsigned char *)"\x02h2\x08http/1.1", 12);
  answer[0] = '\0';
  if (SSL_connect(ssl) == 1) {
    const unsigned char *protocol = NULL;
    unsigned protocol_len = 0;
    SSL_get0_alpn_selected(ssl, &protocol, &protocol_len);
    assert_int_equal(protocol_len, 8);
    assert_memory_equal(protocol, "http/1.1", 8);
    char *request = make_request("Connection: close\r\n", body);
    SSL_write(ssl, request, (int)strlen(request));
    while (len < 65535 &&
           (n = SSL_read(ssl, answer + len, 65535 - (int)len)) > 0)
      len += (size_t)n;
    error = SSL_get_error(ssl, n);
    answer[len] = '\0';
    free(request);
  }
  SSL_free(ssl);
  close(fd);
  return error;
}

static char tls_answer[65536];

static void
tls_with_a_certificate_of_its_own(void **state)
{
  (void)state;
  signal(SIGPIPE, SIG_IGN);
  sim_process *sim = must_start(
      "{\"rules\":[{\"when\":{\"stream\":true},\"do\":{\"reset\":{"
      "\"after_tokens\":1}}}],\"defaults\":{\"text\":\"secret words\"}}",
      (const char *const[]){"--self-signed", dir, NULL});
  assert_int_equal(strncmp(sim_origin(sim), "https://127.0.0.1:", 18), 0);
  SSL_CTX *tls = client_tls(false);
  assert_int_equal(ask_tls(sim, tls, "localhost", WHOLE, tls_answer),
                   SSL_ERROR_ZERO_RETURN);
  assert_non_null(strstr(tls_answer, "secret words"));
  assert_int_equal(ask_tls(sim, tls, "other.example", WHOLE, tls_answer), -1);
  assert_int_equal(ask_tls(sim, tls, "localhost", STREAM, tls_answer),
                   SSL_ERROR_SYSCALL);
  assert_non_null(strstr(tls_answer, "\"secret\""));
  json_object *log = ended_log(sim, 2);
  assert_true(json_object_get_boolean(at(log, "/0/tls")));
  assert_string_equal(text_at(log, "/1/end"), "reset");
  json_object_put(log);
  SSL_CTX_free(tls);
  assert_true(sim_stop(sim));
}

static void
tls_that_asks_for_a_certificate(void **state)
{
  char ca[128], cert[128], key[128];
  struct stat info;
  (void)state;
  in_dir(ca, sizeof(ca), "ca.pem");
  in_dir(cert, sizeof(cert), "server.pem");
  in_dir(key, sizeof(key), "server-key.pem");
  assert_int_equal(stat(key, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  sim_process *sim =
      must_start(NULL, (const char *const[]){"--tls-cert", cert, "--tls-key",
                                             key, "--tls-client-ca", ca, NULL});
  SSL_CTX *without = client_tls(false), *with = client_tls(true);
  int error = ask_tls(sim, without, "localhost", WHOLE, tls_answer);
  assert_int_not_equal(error, SSL_ERROR_ZERO_RETURN);
  assert_string_equal(tls_answer, "");
  assert_int_equal(ask_tls(sim, with, "localhost", WHOLE, tls_answer),
                   SSL_ERROR_ZERO_RETURN);
  assert_non_null(strstr(tls_answer, "HTTP/1.1 200 OK"));
  SSL_CTX_free(without);
  SSL_CTX_free(with);
  assert_true(sim_stop(sim));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_options),
      cmocka_unit_test(remote_addresses_with_leave),
      cmocka_unit_test(it_ends_by_itself),
      cmocka_unit_test(signals_end_it),
      cmocka_unit_test(it_ends_with_its_parent),
      cmocka_unit_test(it_ends_with_its_input),
      cmocka_unit_test(shutdown_by_request),
      cmocka_unit_test(several_listeners),
      cmocka_unit_test(tls_with_a_certificate_of_its_own),
      cmocka_unit_test(tls_that_asks_for_a_certificate),
  };
  return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
