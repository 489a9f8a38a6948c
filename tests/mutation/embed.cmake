# SPDX-License-Identifier: MIT
# Bugs in embeddings and in lists of models. See bugs.cmake.

infer_bug(565 engine/batch.c
  "unit/test_batch scenario/test_embed"
  "a part of a batch fails over to another model: a store is filled with vectors that cannot be compared"
  [[    else if (!inf_sv_eq(space_of(item.target), space_of(anchor)))]]
  [[    else if (!anchor)]])

infer_bug(566 engine/batch.c
  "unit/test_batch"
  "a key that is set aside gives a route's embeddings to another model, until it is back"
  [[      if (items[k].target == &route->targets[i] && !items[k].missing_label &&]]
  [[      if (items[k].target == &route->targets[i] && k < 1 && items[k].status == INFER_OK &&]])

infer_bug(567 engine/batch.c
  "unit/test_batch scenario/test_embed"
  "the vectors of a part stand at the places of another"
  [[      inf_vectors_join(whole->vectors, part->first_input, part->vectors, &why);]]
  [[      inf_vectors_join(whole->vectors, whole->vectors->filled, part->vectors, &why);]])

infer_bug(568 provider/vectors.c
  "unit/test_vectors unit/test_embed"
  "two vectors for one input: the other one's is missing, and nobody is told"
  [[  if (vectors->has[index]) {]]
  [[  if (vectors->has[index] && index >= vectors->count) {]])

infer_bug(569 provider/vectors.c
  "unit/test_embed unit/test_batch"
  "fewer vectors than inputs are a success: the missing ones are whatever the memory held"
  [[  if (vectors->filled == vectors->count)
    return INFER_OK;]]
  [[  if (vectors->filled > 0)
    return INFER_OK;]])

infer_bug(570 provider/vectors.c
  "unit/test_vectors"
  "NaN comes through in base64: every distance to that vector is NaN, and searches give anything"
  [[        (count != dimensions || !all_finite(place, count)))]]
  [[        count != dimensions)]])

infer_bug(571 provider/embed.c
  "unit/test_embed"
  "a part is larger than what the service takes in bytes: a large batch is a 400"
  [[    if (*count > 0 && limits.bytes > 0 &&]]
  [[    if (*count > 1 && limits.bytes > 0 &&]])

infer_bug(572 engine/batch.c
  "unit/test_batch"
  "a part that has failed leaves the others running: they are paid for nothing"
  [[    inf_batch_abandon(engine, call, INFER_E_CANCELLED,
                      "another part of the call failed");]]
  [[    while (batch->live_count > 0) {
      inf_list_remove(batch->live.next);
      batch->live_count--;
    }]])

infer_bug(573 wire/number.c
  "unit/test_number"
  "a number that lies just between two floats is rounded twice: one place in a vector is off, on this machine and not on others"
  [[  return (bits & below) == UINT64_C(1) << 28 ||]]
  [[  return (bits & below) == UINT64_C(1) << 29 ||]])

infer_bug(574 provider/model_list.c
  "oom/calls"
  "when memory is short a list of models ends after its first page, and is taken for whole"
  [[    page->status = text.status;]]
  [[    page->status = 0;]])
