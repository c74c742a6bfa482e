import assert from "node:assert/strict";
import { test } from "node:test";
import { createFarmServer } from "../../src/coordinator/http.ts";
import type { FarmStatus } from "../../src/coordinator/status.ts";
import { Failure } from "../../src/contract/failures.ts";
import { aTask, givenWorld } from "../support/given-engine.ts";
import { givenPglite, silentLog } from "../support/store.ts";
import { passTime } from "../support/virtual-clock.ts";

test("status, metrics, a person's word; other hosts and other pages are refused", async (t) => {
  const { store } = await givenPglite(t);
  const world = await givenWorld(t, store);
  world.manager.add(aTask("t1", {}, 1));
  let challenged = true;
  const { engine } = await world.farm({
    script(point) {
      if (point === "sign-in" && challenged) throw new Failure("account.challenged", "captcha");
    },
  });
  const app = createFarmServer({ engine, log: silentLog, allowedHosts: ["farm.example.com"], token: "demo-word" });
  t.after(async () => app.close());
  await passTime(world.clock, "a person is needed", async () => (await engine.freshStatus()).needsPerson.length === 1);
  const ask = async (url: string, more: object = {}) => app.inject({ url, headers: { host: "127.0.0.1:50809" }, ...more });

  const { code, data } = (await ask("/api/v1/farm/status")).json<{ code: number; data: FarmStatus }>();
  assert.deepEqual([code, data.tasks, data.needsPerson[0]?.account], [0, { needs_person: 1 }, "t1@example.com"]);
  assert.match((await ask("/metrics")).body, /podcrew_tasks\{state="needs_person",part="farm"\} 1/);
  assert.equal((await ask("/readyz")).statusCode, 200);

  assert.equal((await ask("/api/v1/farm/status", { headers: { host: "evil.example.com" } })).json<{ code: number }>().code, 40_300);
  assert.equal((await ask("/api/v1/farm/status", { headers: { host: "farm.example.com" } })).statusCode, 200);
  const post = async (payload: unknown, headers: object = {}) =>
    ask("/api/v1/farm/resolve", {
      method: "POST",
      payload,
      headers: { host: "127.0.0.1:50809", "content-type": "application/json", authorization: "Bearer demo-word", ...headers },
    });
  assert.equal((await post({ task: "t1" }, { authorization: "Bearer another" })).statusCode, 401);
  assert.equal((await post({ task: "t1" }, { origin: "https://evil.example.com" })).statusCode, 403);
  assert.equal((await post({ task: "t1", episode: "e" })).json<{ code: number }>().code, 40_001);
  assert.equal((await post({ task: "none" })).json<{ code: number }>().code, 40_401);
  assert.equal((await post({ task: "t1", episode: "t1-ep-1", absent: true })).json<{ code: number }>().code, 40_901);
  assert.equal((await ask("/nothing")).json<{ code: number }>().code, 40_401);

  challenged = false;
  assert.deepEqual((await post({ task: "t1" }, { origin: "http://127.0.0.1:50809" })).json(), { code: 0, message: "success", data: {} });
  await passTime(world.clock, "completed", () => world.manager.tasks.get("t1")?.status === "completed");
});
