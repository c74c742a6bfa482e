import assert from "node:assert/strict";
import { test } from "node:test";
import { describeSessions } from "../../src/cli/sessions.ts";
import { stripVTControlCharacters } from "node:util";
import type { BrowserState } from "../../src/contract/task.ts";
import { createFarmServer } from "../../src/coordinator/http.ts";
import { expiryOf } from "../../src/coordinator/session-expiry.ts";
import type { SessionView } from "../../src/coordinator/session-list.ts";
import { Failure } from "../../src/contract/failures.ts";
import { aTask, givenWorld } from "../support/given-engine.ts";
import { eachBackend, silentLog } from "../support/store.ts";
import { passTime } from "../support/virtual-clock.ts";

const inDays = (now: number, days: number): number => Math.round(now / 1000) + days * 86_400;
const state = (...cookies: Record<string, unknown>[]): BrowserState => ({ cookies: cookies as never, origins: [] });

test("by the cookie that carries the sign-in, the last where there are several; else nobody knows", () => {
  const now = Date.parse("2026-11-21T08:00:00Z");
  const cookie = (name: string, days: number, httpOnly = true) => ({
    name,
    value: "x",
    expires: days < 0 ? -1 : inDays(now, days),
    httpOnly,
  });
  const ends = (...cookies: Record<string, unknown>[]): string | null =>
    expiryOf(state(...cookies))
      ?.toISOString()
      .slice(0, 10) ?? null;
  assert.equal(ends(cookie("studio_session", 30), cookie("_ga", 700, false)), "2026-12-21");
  assert.equal(ends(cookie("PHPSESSID", -1), cookie("remember_web", 14)), "2026-12-05");
  assert.equal(ends(cookie("sessionid", 14), cookie("__cf_bm", 1), cookie("csrf_session", 300)), "2026-12-05");
  assert.equal(ends(cookie("connect.sid", -1)), null, "it ends when the site says so");
  assert.equal(ends(cookie("theme", 300), cookie("token", 300, false)), null);
  assert.equal(ends({ name: "broken", expires: "soon" }), null);
  assert.equal(ends(), null);
});

eachBackend(
  "the farm tells who is signed in, until when, and who will need what; only its owner takes a session out",
  async (t, { store }) => {
    const world = await givenWorld(t, store);
    const now = (): number => world.clock.now();
    const session = (): BrowserState =>
      state({ name: "session", value: "demo", domain: "studio.example.com", expires: inDays(now(), 30), httpOnly: true });
    const { engine } = await world.farm({
      async script(point, { calls, taskId }) {
        if (point !== "sign-in") return;
        await calls.saveSession(session(), "session=demo", { kind: "begun" });
        if (taskId !== "stopped") return;
        await calls.saveSession(session(), "session=demo", { kind: "stopped", page: "https://studio.example.com/challenge" });
        throw new Failure("account.challenged", "captcha");
      },
    });
    world.manager.add(aTask("code", { twofa: "JBSWY3DPEHPK3PXP" }, 1));
    world.manager.add(aTask("mail", { app_password: "demo-app" }, 1));
    world.manager.add(aTask("stopped", {}, 1));
    await passTime(
      world.clock,
      "all have ended",
      async () =>
        ["code", "mail"].every((id) => world.manager.tasks.get(id)?.status === "completed") &&
        (await engine.freshStatus()).needsPerson.length === 1,
    );

    const app = createFarmServer({ engine, log: silentLog, allowedHosts: [], token: "demo-word" });
    t.after(async () => app.close());
    const ask = async (method: "GET" | "POST", url: string, payload?: object, authorization = "Bearer demo-word") =>
      app.inject({ method, url, headers: { host: "127.0.0.1", authorization }, ...(payload && { payload }) });
    const rows = (await ask("GET", "/api/v1/farm/sessions")).json<{ data: SessionView[] }>().data;
    assert.deepEqual(
      rows.map((row) => [row.account, row.state, row.needs, row.waits]),
      [
        ["stopped@example.com", "none", "nothing more", "captcha"],
        ["code@example.com", "in", "authenticator code", null],
        ["mail@example.com", "in", "mailed code", null],
      ],
    );
    const shown = stripVTControlCharacters(describeSessions(rows, now())).split("\n");
    assert.match(shown[2] ?? "", /^code@example\.com +scripted +.* ago +in 30 days +.* ago +password and authenticator code in 30 days$/);
    assert.match(shown[1] ?? "", /^stopped@example\.com +scripted +not signed in .*a person: captcha$/);

    const key = { accountKey: rows[1]?.accountKey };
    assert.equal((await ask("POST", "/api/v1/farm/sessions/export", key, "")).statusCode, 401);
    assert.equal((await ask("POST", "/api/v1/farm/sessions/export", key, "Bearer demo-wrong")).statusCode, 401);
    assert.equal((await ask("POST", "/api/v1/farm/hand-over", { task: "stopped" }, "")).statusCode, 401);
    const exported = (await ask("POST", "/api/v1/farm/sessions/export", key)).json<{ data: BrowserState }>().data;
    assert.deepEqual(
      exported.cookies.map(({ name }) => name),
      ["session"],
    );
    assert.equal((await ask("POST", "/api/v1/farm/sessions/export", { accountKey: "nobody" })).statusCode, 404);

    const given = (await ask("POST", "/api/v1/farm/hand-over", { task: "stopped" })).json<{ data: { page: string } }>().data;
    assert.equal(given.page, "https://studio.example.com/challenge");
    assert.equal((await ask("POST", "/api/v1/farm/hand-over", { task: "code" })).statusCode, 409);
    assert.equal((await ask("POST", "/api/v1/farm/hand-over/done", { task: "code", state: session() })).statusCode, 409);
  },
);

eachBackend("a challenge stops the account: its other tasks don't sign in, and all go on when a person was there", async (t, { store }) => {
  const world = await givenWorld(t, store);
  let [signIns, challenged] = [0, true];
  const { engine } = await world.farm({
    script(point) {
      if (point !== "sign-in") return;
      signIns += 1;
      if (challenged) throw new Failure("account.challenged", "phone check");
    },
  });
  const account = { account_id: "one", email: "one@example.com" };
  world.manager.add(aTask("t1", account, 1));
  await passTime(world.clock, "a person is needed", async () => (await engine.freshStatus()).needsPerson.length === 1);
  world.manager.add(aTask("t2", account, 1));
  await passTime(world.clock, "the second waits, too", async () => (await engine.freshStatus()).needsPerson.length === 2);
  assert.equal(signIns, 1);
  assert.ok((await engine.freshStatus()).needsPerson.every(({ handOver }) => handOver));
  challenged = false;
  assert.equal(await engine.takeBack({ task: "t2", state: state() }), null);
  await passTime(world.clock, "both are completed", () => ["t1", "t2"].every((id) => world.manager.tasks.get(id)?.status === "completed"));
});
