import assert from "node:assert/strict";
import { test } from "node:test";
import { createBatchLoader } from "../../src/kit/batch-loader.ts";

/** A loader whose loads end when the test says so. */
function heldLoader() {
  const loads: { asked: readonly number[]; end: PromiseWithResolvers<readonly string[]> }[] = [];
  const begun: PromiseWithResolvers<void>[] = [];
  const find = createBatchLoader(async (asked: readonly number[]) => {
    const end = Promise.withResolvers<readonly string[]>();
    loads.push({ asked, end });
    (begun[loads.length - 1] ??= Promise.withResolvers()).resolve();
    return end.promise;
  });
  const load = async (index: number) => {
    await (begun[index] ??= Promise.withResolvers<void>()).promise;
    const { asked, end } = loads[index] as (typeof loads)[number];
    return { asked, answer: () => end.resolve(asked.map((number) => `found ${number}`)), fail: (error: Error) => end.reject(error) };
  };
  return { find, load, count: () => loads.length };
}

const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, index) => from + index);

test("lookups that come at the same time are one, and each gets its own answer", async () => {
  const { find, load, count } = heldLoader();
  const answers = numbers(5).map(async (number) => find(number));
  const first = await load(0);
  assert.deepEqual(first.asked, numbers(5));
  first.answer();
  assert.deepEqual(
    await Promise.all(answers),
    numbers(5).map((number) => `found ${number}`),
  );
  assert.equal(count(), 1);
});

test("whoever asks while a lookup runs gets what is found after it asked", async () => {
  const { find, load } = heldLoader();
  const before = find(1);
  const first = await load(0);
  const after = [find(1), find(2)];
  first.answer();
  await before;
  const second = await load(1);
  assert.deepEqual(second.asked, [1, 2]);
  second.answer();
  assert.deepEqual(await Promise.all(after), ["found 1", "found 2"]);
});

test("a lookup that takes for ever holds up no more than a batch", async () => {
  const { find, load } = heldLoader();
  const stuck = find(0);
  await load(0);
  const others = numbers(60, 1).map(async (number) => find(number));
  for (const index of [1, 2]) (await load(index)).answer();
  assert.equal((await Promise.all(others)).length, 60);
  (await load(0)).answer();
  assert.equal(await stuck, "found 0");
});

test("a lookup that fails fails for those who asked, and for nobody after them", async () => {
  const { find, load } = heldLoader();
  const failing = Promise.allSettled([find(1), find(2)]);
  (await load(0)).fail(new Error("the database is away"));
  for (const { status } of await failing) assert.equal(status, "rejected");
  const next = find(3);
  (await load(1)).answer();
  assert.equal(await next, "found 3");
});
