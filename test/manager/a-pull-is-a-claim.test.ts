import assert from "node:assert/strict";
import { withManager } from "./support.ts";

withManager("[W1] a pull hands out tasks, five by default, oldest first", async ({ farm, task, clock }) => {
  const ids: string[] = [];
  for (let made = 0; made < 7; made += 1) {
    ids.push(await task());
    clock.forwardMinutes(0.1);
  }
  const first = await farm("farm-1").pull();
  assert.deepEqual(
    first.map(({ id }) => id),
    ids.slice(0, 5),
  );
  assert.deepEqual(
    (await farm("farm-2").pull("?type=primary&limit=1000")).map(({ id }) => id),
    ids.slice(5),
  );
});

withManager(
  "[W1 type] blank is both kinds, secondary is none where nobody imports, another word is refused",
  async ({ call, farm, task }) => {
    const id = await task();
    assert.deepEqual(await farm("farm-1").pull("?type=secondary"), []);
    assert.deepEqual(
      (await farm("farm-1").pull("?type=")).map((one) => one.id),
      [id],
    );
    const answer = await call("/links?type=tertiary");
    assert.equal(answer.status, 400);
    assert.equal(answer.body.success, false);
  },
);

withManager("[limit] 0 and less are 1, more than 1000 is 1000, what is no number is refused", async ({ call, farm, task }) => {
  for (let made = 0; made < 3; made += 1) await task();
  assert.equal((await farm("a").pull("?limit=0")).length, 1);
  assert.equal((await farm("b").pull("?limit=-5")).length, 1);
  assert.equal((await farm("c").pull("?limit=5000")).length, 1);
  for (const bad of ["x", "5x", "1&limit=2", "NaN", "Infinity", "%00"]) assert.equal((await call(`/links?limit=${bad}`)).status, 400, bad);
  assert.equal((await call("/links?limit=")).status, 200);
});

withManager("[lease] a pulled task is nobody else's for 15 minutes", async ({ farm, task, clock }) => {
  const id = await task();
  const [mine] = await farm("farm-1").pull();
  assert.equal(mine?.status, "queued", "claimed, not started");
  assert.deepEqual(await farm("farm-2").pull(), []);
  clock.forwardMinutes(14.9);
  assert.deepEqual(await farm("farm-2").pull(), []);
  clock.forwardMinutes(0.2);
  assert.deepEqual(
    (await farm("farm-2").pull()).map((one) => one.id),
    [id],
  );
});

withManager("[lease] a running task whose lease ran out is queued again", async ({ farm, task, clock, manager }) => {
  const id = await task();
  const [one, two] = [farm("farm-1"), farm("farm-2")];
  await one.pull();
  await one.start(id);
  clock.forwardMinutes(15);
  assert.equal((await manager.task(id))?.status, "queued");
  assert.match((await manager.task(id))?.waitsFor ?? "", /farm-1 was not heard of/);
  assert.equal((await two.pull())[0]?.status, "queued");
  assert.equal((await one.start(id)).body.code, "task_claimed");
});

withManager("[lease] every call of the holder renews it, nobody else's does", async ({ farm, task, clock }) => {
  const id = await task();
  const [one, two] = [farm("farm-1"), farm("farm-2")];
  await one.pull();
  for (const renew of [
    async () => one.read(id),
    async () => one.start(id),
    async () => one.account(id, { cookie: "a=b" }),
    async () => one.pull(),
  ]) {
    clock.forwardMinutes(14);
    await renew();
    clock.forwardMinutes(14);
    assert.deepEqual(await two.pull(), []);
    await one.read(id);
  }
  clock.forwardMinutes(14);
  await two.read(id);
  await two.account(id, { cookie: "c=d" });
  clock.forwardMinutes(2);
  assert.equal((await two.pull()).length, 1);
});

withManager("[holder] is the API key together with X-Worker-Id; without the header the key alone", async ({ farm, task, manager }) => {
  const id = await task();
  const other = (await manager.keys.create({ name: "another farm" })).key;
  assert.equal((await farm(null).pull()).length, 1);
  assert.equal((await farm("farm-1").pull()).length, 0, "same key, but named");
  assert.equal((await farm(null, other).pull()).length, 0, "another key");
  assert.deepEqual(
    (await farm(null).pull()).map((one) => one.id),
    [id],
    "its own again",
  );
});

withManager("[own again] a holder whose answer was lost gets the same tasks, not further ones", async ({ farm, task }) => {
  for (let made = 0; made < 6; made += 1) await task();
  const before = await farm("farm-1").pull("?limit=3");
  const after = await farm("farm-1").pull("?limit=3");
  assert.deepEqual(
    after.map(({ id }) => id),
    before.map(({ id }) => id),
  );
});

withManager("[own again] its running tasks are shown too, and what it asks for on top is new", async ({ farm, task, clock }) => {
  const one = farm("farm-1");
  const ids: string[] = [];
  for (let made = 0; made < 6; made += 1) {
    ids.push(await task());
    clock.forwardMinutes(0.1);
  }
  for (const { id } of await one.pull("?limit=2")) await one.start(id);
  const again = await one.pull("?limit=2");
  assert.deepEqual(
    again.map(({ id, status }) => [id, status]),
    ids.slice(0, 2).map((id) => [id, "running"]),
  );
  const more = await one.pull("?limit=5");
  assert.deepEqual(
    more.map(({ id, status }) => [id, status]),
    ids.slice(0, 5).map((id, index) => [id, index < 2 ? "running" : "queued"]),
  );
  assert.deepEqual(
    (await farm("farm-2").pull()).map(({ id }) => id),
    ids.slice(5),
  );
});

withManager("[priority] higher first, then the older one", async ({ farm, task, clock }) => {
  const low = await task({ priority: 0 });
  clock.forwardMinutes(1);
  const high = await task({ priority: 5 });
  assert.deepEqual(
    (await farm("farm-1").pull()).map(({ id }) => id),
    [high, low],
  );
});

withManager("[race] twenty workers pull fifty tasks at once and each task goes to exactly one", async ({ farm, task }) => {
  const ids = await Promise.all(Array.from({ length: 50 }, async () => task()));
  const handed = await Promise.all(Array.from({ length: 20 }, async (_, worker) => farm(`worker-${worker}`).pull("?limit=5")));
  const got = handed.flat().map(({ id }) => id);
  assert.equal(new Set(got).size, got.length, "no task twice");
  const rest = await farm("the last").pull("?limit=1000");
  assert.deepEqual([...got, ...rest.map(({ id }) => id)].sort(), ids.sort(), "none lost");
});

withManager("[race] twenty workers start one task at once and one of them wins", async ({ farm, task }) => {
  const id = await task();
  const answers = await Promise.all(Array.from({ length: 20 }, async (_, worker) => farm(`worker-${worker}`).start(id)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array.from({ length: 19 }, () => 409)]);
});

withManager(
  "[sites] X-Worker-Sites: a farm gets only what it can drive, and people see what nobody can",
  async ({ farm, task, call, manager }) => {
    const here = await task({ website: "http://127.0.0.1:8710" });
    const there = await task({ website: "https://other.example.com" });
    assert.equal((await manager.task(there))?.waitsFor, "No farm has asked for it yet.");
    assert.deepEqual(await farm("farm-1").pull("", { sites: "" }), [], "a farm without drivers");
    const mine = await farm("farm-1").pull("", { sites: " Studio.Example.COM, 127.0.0.1:8710" });
    assert.deepEqual(
      mine.map(({ id }) => id),
      [here],
    );
    assert.match((await manager.task(there))?.waitsFor ?? "", /No farm drives other\.example\.com/);
    assert.deepEqual(
      (await farm("farm-2").pull("", { sites: "other.example.com" })).map(({ id }) => id),
      [there],
    );
    assert.equal((await call("/links", { sites: "not a host" })).status, 422);
  },
);

withManager("[no HEAD] looking at the list's headers claims nothing", async ({ call, farm, task }) => {
  await task();
  assert.equal((await call("/links", { method: "HEAD" })).status, 404);
  assert.equal((await farm("farm-2").pull()).length, 1);
});
