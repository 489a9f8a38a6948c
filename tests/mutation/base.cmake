# SPDX-License-Identifier: MIT
# Bugs in lib/base: memory, text, timers, threads. See bugs.cmake.

infer_bug(1 base/buf.c
  "unit/test_buf"
  "a buffer grows past its maximum: one hostile answer takes all memory"
  [[  if (extra > buf->max || buf->len > buf->max - extra)]]
  [[  if (extra > buf->max)]])

infer_bug(2 base/mem.c
  "unit/test_mem"
  "keys are not wiped: they are found in a core dump"
  [[    inf_wipe(ptr, size);
  inf_free(ptr);]]
  [[    (void)size;
  inf_free(ptr);]])

infer_bug(3 base/heap.c
  "unit/test_heap"
  "a timer that is cancelled takes its siblings along: timeouts never come"
  [[    heap->root = meld(heap->root, rest);
  }]]
  [[    (void)rest;
  }]])

infer_bug(4 base/thread.c
  "unit/test_thread"
  "the loop thread takes the application's signals"
  [[  pthread_sigmask(SIG_SETMASK, &all, before);]]
  [[  pthread_sigmask(SIG_SETMASK, NULL, before);]])

infer_bug(5 base/thread.c
  "unit/test_thread"
  "waits with a timeout return at once: a core runs hot"
  [[    failure = pthread_cond_init(cond, &attributes);]]
  [[    failure = pthread_cond_init(cond, NULL);]])

infer_bug(6 base/log.c
  "unit/test_log"
  "a provider's error text forges lines of the application's log"
  [[  inf_text_clean(line, len < line_bytes ? (size_t)len : line_bytes);]]
  [[]])

infer_bug(7 base/text.c
  "unit/test_text"
  "a message cut in the middle of a character is no UTF-8: Python raises"
  [[    if (have < need && in + have == len)
      break;]]
  [[]])

infer_bug(8 base/error.c
  "unit/test_error"
  "an error that was set is replaced by a later, less telling one, and leaks"
  [[  if (!error || *error)
    return status;]]
  [[  if (!error)
    return status;]])

infer_bug(196 base/buf.c
  "unit/test_buf"
  "an event's text that outgrows its place begins with other memory's bytes"
  [[    memcpy(ptr, buf->ptr, buf->len);]]
  [[    memcpy(ptr, buf->ptr, buf->len / 2);]])
