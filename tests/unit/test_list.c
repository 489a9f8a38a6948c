/* SPDX-License-Identifier: MIT */
/* The intrusive list: order, leaving from anywhere, splicing. */
#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* The node does not come first, so that INF_CONTAINER_OF has work to do. */
typedef struct item {
  char name;
  inf_list node;
} item;

typedef struct fixture {
  inf_list list, other;
  item items[6]; /* 'a' to 'f' */
} fixture;

static void
set_up(fixture *f)
{
  inf_list_init(&f->list);
  inf_list_init(&f->other);
  for (int i = 0; i < 6; i++) {
    f->items[i].name = (char)('a' + i);
    inf_list_init(&f->items[i].node);
  }
}

/* Reads the list forwards and compares; then backwards. */
static void
check(const inf_list *list, const char *expected)
{
  size_t len = 0;
  for (inf_list *at = list->next; at != list; at = at->next, len++) {
    assert_int_equal(INF_CONTAINER_OF(at, item, node)->name, expected[len]);
    assert_ptr_equal(at->next->prev, at);
    assert_ptr_equal(at->prev->next, at);
  }
  assert_int_equal(expected[len], '\0');
  for (inf_list *at = list->prev; at != list; at = at->prev)
    assert_int_equal(INF_CONTAINER_OF(at, item, node)->name, expected[--len]);
  assert_int_equal(len, 0);
  size_t count = strlen(expected);
  assert_int_equal(inf_list_empty(list), count == 0);
  assert_int_equal(inf_list_single(list), count == 1);
}

static void
test_empty(void **state)
{
  (void)state;
  fixture f;
  set_up(&f);
  check(&f.list, "");
  assert_null(inf_list_pop_front(&f.list));
  check(&f.list, "");
}

static void
test_push(void **state)
{
  (void)state;
  fixture f;
  set_up(&f);
  inf_list_push_back(&f.list, &f.items[1].node);
  check(&f.list, "b");
  inf_list_push_back(&f.list, &f.items[2].node);
  check(&f.list, "bc");
  inf_list_push_front(&f.list, &f.items[0].node);
  check(&f.list, "abc");
  inf_list_push_back(&f.list, &f.items[3].node);
  check(&f.list, "abcd");
}

static void
push_all(fixture *f)
{
  for (int i = 0; i < 6; i++)
    inf_list_push_back(&f->list, &f->items[i].node);
}

static void
test_pop(void **state)
{
  (void)state;
  fixture f;
  set_up(&f);
  push_all(&f);
  for (int i = 0; i < 6; i++) {
    inf_list *node = inf_list_pop_front(&f.list);
    assert_ptr_equal(node, &f.items[i].node);
    assert_true(inf_list_empty(node));
  }
  check(&f.list, "");
}

static void
test_remove(void **state)
{
  (void)state;
  fixture f;
  set_up(&f);
  push_all(&f);
  inf_list_remove(&f.items[2].node);
  check(&f.list, "abdef");
  inf_list_remove(&f.items[0].node);
  check(&f.list, "bdef");
  inf_list_remove(&f.items[5].node);
  check(&f.list, "bde");
  /* Again: harmless, as it is in no list. */
  inf_list_remove(&f.items[5].node);
  check(&f.list, "bde");
  inf_list_push_front(&f.list, &f.items[5].node);
  check(&f.list, "fbde");
}

/* The list that an element leaves need not be known. */
static void
test_move_between_lists(void **state)
{
  (void)state;
  fixture f;
  set_up(&f);
  push_all(&f);
  for (int i = 0; i < 6; i += 2) {
    inf_list_remove(&f.items[i].node);
    inf_list_push_front(&f.other, &f.items[i].node);
  }
  check(&f.list, "bdf");
  check(&f.other, "eca");
}

static void
test_splice(void **state)
{
  (void)state;
  fixture f;
  set_up(&f);
  for (int i = 0; i < 6; i++)
    inf_list_push_back(i < 2 ? &f.list : &f.other, &f.items[i].node);
  inf_list_splice_back(&f.list, &f.other);
  check(&f.list, "abcdef");
  check(&f.other, "");
  inf_list_splice_back(&f.list, &f.other);
  check(&f.list, "abcdef");
  inf_list_splice_back(&f.other, &f.list);
  check(&f.other, "abcdef");
  check(&f.list, "");
}

static void
test_splice_one(void **state)
{
  (void)state;
  fixture f;
  set_up(&f);
  inf_list_push_back(&f.other, &f.items[0].node);
  inf_list_splice_back(&f.list, &f.other);
  check(&f.list, "a");
  check(&f.other, "");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_empty),
      cmocka_unit_test(test_push),
      cmocka_unit_test(test_pop),
      cmocka_unit_test(test_remove),
      cmocka_unit_test(test_move_between_lists),
      cmocka_unit_test(test_splice),
      cmocka_unit_test(test_splice_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
