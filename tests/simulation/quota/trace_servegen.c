/* SPDX-License-Identifier: MIT */
/* ServeGen's clients: no requests, but what they were like. Requests are drawn
 * from it, always the same ones.
 *
 * NAME-trace.csv has a line for each ten minutes: when it began, requests per
 * second, the coefficient of variation of the gaps, the distribution that fits
 * them best (none, "Gamma" or "Weibull"), its shape and its scale. We take the
 * distribution's shape, and a scale that makes the rate: the fitted one often
 * misses it by far.
 *
 * NAME-dataset.json beside it has, for each six hours, how often each length
 * of prompt and answer was. Where it is missing, lengths are drawn as the
 * model draws its own. */
#include "trace_reading.h"

#include "base/rng.h"

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Enough for the longest run, and more than it takes. */
enum { max_drawn = 1 << 19 };

typedef struct window {
  double at, rate, shape;
  bool weibull;
} window;

/* Lengths and how often they are. */
typedef struct lengths {
  double *value, *until; /* until: the sum of the shares so far */
  size_t count;
} lengths;

typedef struct servegen {
  trace_reading *reading;
  inf_rng rng;
  json_object *lengths; /* NULL: none */
  struct {
    double at;
    lengths prompt, output;
  } now; /* those of the present six hours */
  double last_at;
  bool begun;
} servegen;

/* ---- Draws --------------------------------------------------------------- */

/* Above 0, below 1. */
static double
draw_open(inf_rng *rng)
{
  return (inf_rng_double(rng) * 0x1p53 + 0.5) / (0x1p53 + 1);
}

static double
draw_normal(inf_rng *rng)
{
  const double two_pi = 6.283185307179586;
  double r = sqrt(-2 * log(draw_open(rng)));
  return r * cos(two_pi * draw_open(rng));
}

/* Marsaglia and Tsang, "A simple method for generating gamma variables", 2000;
 * of a shape below 1 by the shape one above. Its mean is the shape. */
static double
draw_gamma(inf_rng *rng, double shape)
{
  if (shape < 1)
    return draw_gamma(rng, shape + 1) * pow(draw_open(rng), 1 / shape);
  double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
  for (;;) {
    double x = draw_normal(rng), v = pow(1 + c * x, 3);
    if (v > 0 && log(draw_open(rng)) < x * x / 2 + d - d * v + d * log(v))
      return d * v;
  }
}

/* With a mean of 1. */
static double
draw_gap(inf_rng *rng, const window *w)
{
  if (!w->weibull)
    return draw_gamma(rng, w->shape) / w->shape;
  return pow(-log(draw_open(rng)), 1 / w->shape) / tgamma(1 + 1 / w->shape);
}

static double
draw_length(inf_rng *rng, const lengths *of, double median, double sigma)
{
  if (of->count == 0)
    return ceil(fmin(median * exp(sigma * draw_normal(rng)), 20 * median));
  double draw = inf_rng_double(rng) * of->until[of->count - 1];
  size_t low = 0, high = of->count - 1;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (of->until[middle] > draw)
      high = middle;
    else
      low = middle + 1;
  }
  return of->value[low];
}

/* ---- Lengths ------------------------------------------------------------- */

static void
drop_lengths(lengths *of)
{
  free(of->value);
  free(of->until);
  *of = (lengths){0};
}

/* "{224: 0.0003, 225: 0.0007}", in a string. False if it is not of that form;
 * it may be empty. */
static bool
parse_lengths(json_object *object, const char *name, lengths *of)
{
  json_object *member = NULL;
  json_object_object_get_ex(object, name, &member);
  const char *text = member ? json_object_get_string(member) : "";
  size_t room = strlen(text) / 4 + 1; /* "1:1," */
  double sum = 0;
  *of =
      (lengths){calloc(room, sizeof(double)), calloc(room, sizeof(double)), 0};
  if (!of->value || !of->until || *text != '{')
    return false;
  for (text++; *text != '}' && of->count < room; of->count++) {
    char *end;
    of->value[of->count] = strtod(text, &end);
    if (end == text || *end != ':')
      return false;
    text = end + 1;
    sum += strtod(text, &end);
    of->until[of->count] = sum;
    if (end == text || (*end != ',' && *end != '}'))
      return false;
    text = *end == ',' ? end + 1 : end;
  }
  return *text == '}';
}

/* Those of that time, or of the last time before it that has any. */
static bool
find_lengths(servegen *s, double at)
{
  if (!s->lengths)
    return true;
  json_object_object_foreach(s->lengths, key, value)
  {
    double from = strtod(key, NULL);
    if (from > at || (from <= s->now.at && s->now.prompt.count > 0))
      continue;
    lengths prompt, output;
    bool ok = parse_lengths(value, "input_tokens", &prompt);
    ok &= parse_lengths(value, "output_tokens", &output);
    if (ok && prompt.count > 0 && output.count > 0) {
      lengths old[] = {s->now.prompt, s->now.output};
      s->now.at = from;
      s->now.prompt = prompt;
      s->now.output = output;
      prompt = old[0];
      output = old[1];
    }
    drop_lengths(&prompt);
    drop_lengths(&output);
    if (!ok)
      return false;
  }
  return true;
}

/* ".../NAME-trace.csv": of ".../NAME-dataset.json". False if it is there and
 * unreadable. */
static bool
load_lengths(servegen *s)
{
  static const char tail[] = "-trace.csv", other[] = "-dataset.json";
  const char *path = s->reading->path;
  char name[4096];
  size_t len = strlen(path), tail_len = sizeof tail - 1;
  if (len < tail_len || strcmp(path + len - tail_len, tail) != 0 ||
      len + sizeof other > sizeof name)
    return true;
  memcpy(name, path, len - tail_len);
  memcpy(name + len - tail_len, other, sizeof other);
  char *text = trace_read_file(name);
  if (!text)
    return true;
  s->lengths = json_tokener_parse(text);
  free(text);
  return json_object_is_type(s->lengths, json_type_object);
}

/* ---- Requests ------------------------------------------------------------ */

/* "1200,0.27,6.01,Weibull,0.49,3.38"; an idle one has no distribution. */
static bool
parse_window(const char *line, window *w)
{
  enum { AT, RATE, VARIATION, KIND, SHAPE, SCALE, FIELDS };
  double fields[FIELDS] = {0};
  const char *kind = "";
  for (int i = 0; i < FIELDS; i++) {
    char *end;
    fields[i] = i == KIND ? 0 : strtod(line, &end);
    if (i == KIND) {
      kind = line;
      end = strchr(line, ',');
    }
    if (!end || (end == line && i != KIND) || *end != (i < SCALE ? ',' : '\0'))
      return false;
    line = end + 1;
  }
  *w = (window){.at = fields[AT], .rate = fields[RATE], .shape = fields[SHAPE]};
  if (*kind == ',')
    return w->rate == 0;
  w->weibull = strncmp(kind, "Weibull,", 8) == 0;
  return (w->weibull || strncmp(kind, "Gamma,", 6) == 0) && w->rate >= 0 &&
         w->rate < 1e6 && w->shape > 0 && w->shape < 1e3;
}

static bool
draw_window(servegen *s, const window *w)
{
  const double window_s = 600;
  trace_reading *r = s->reading;
  double at = w->at;
  if (w->rate <= 0)
    return true;
  if (!find_lengths(s, w->at))
    return false;
  at += draw_gap(&s->rng, w) / w->rate * inf_rng_double(&s->rng);
  for (; at < w->at + window_s && r->into->count < max_drawn;
       at += draw_gap(&s->rng, w) / w->rate) {
    double prompt = draw_length(&s->rng, &s->now.prompt, 1000, 0.8);
    double output = draw_length(&s->rng, &s->now.output, 250, 0.9);
    if (!trace_add(r, at, prompt, output))
      return false;
  }
  return true;
}

/* trace_read_lines() has no context but the reading. */
static servegen *the_servegen;

static bool
add_window(trace_reading *r, const char *line)
{
  servegen *s = the_servegen;
  window w;
  (void)r;
  if (!parse_window(line, &w) || (s->begun && w.at <= s->last_at))
    return false;
  s->begun = true;
  s->last_at = w.at;
  return draw_window(s, &w);
}

bool
servegen_is_line(const char *text)
{
  char line[256];
  window w;
  size_t len = strcspn(text, "\r\n");
  if (len >= sizeof line)
    return false;
  memcpy(line, text, len);
  line[len] = '\0';
  return parse_window(line, &w);
}

bool
servegen_read(trace_reading *r, char *text)
{
  servegen s = {.reading = r};
  inf_rng_seed(&s.rng, 1);
  the_servegen = &s;
  bool ok = load_lengths(&s) && trace_read_lines(r, text, add_window);
  the_servegen = NULL;
  json_object_put(s.lengths);
  drop_lengths(&s.now.prompt);
  drop_lengths(&s.now.output);
  return ok;
}
