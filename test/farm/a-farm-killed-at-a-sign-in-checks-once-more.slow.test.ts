import assert from "node:assert/strict";
import { test } from "node:test";
import { openFaultyProxy } from "../support/faulty-proxy.ts";
import { ownedAccounts } from "../support/owned-accounts.ts";
import { freePorts, podcrew, type RunningPodcrew } from "../support/podcrew.ts";
import { copyEmptyDatabase } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";
import { wholePodcrew } from "../support/whole.ts";

test("killed when the password was counted, and when the answer was written down: one check, no try too many", async (t) => {
  const asked: string[] = [];
  const whole = await wholePodcrew(t, { settings: { concurrency: 0 } });
  const { manager, studio } = whole;
  const door = await openFaultyProxy(t, studio.url, (line) => {
    if (line.startsWith("POST ")) asked.push(line.slice("POST ".length));
    return "none";
  });
  const account = await whole.account();
  const accounts = await ownedAccounts(manager, studio.url, [account]);
  const { key } = await manager.keys.create({ name: "killed farm" });
  const data = await tempDir(t, "killed");
  await copyEmptyDatabase(data);
  const [port] = await freePorts(1);
  const settings = {
    PODCREW_DATA: data,
    MANAGER_URL: manager.url,
    API_KEY: key,
    TASK_PORT: String(port),
    SITES: `${new URL(studio.url).host}=podcrew-studio@${door}`,
    POLL_SECONDS: "1",
  };
  const farm = (env: Record<string, string> = {}): RunningPodcrew => podcrew(t, ["farm"], { env: { ...settings, ...env } });

  const job = await accounts.order();
  for (const point of ["submit-counted", "outbox-written"])
    assert.equal(await farm({ PODCREW_CRASHPOINT: point }).ended(90_000), "SIGKILL", point);
  const last = farm();
  assert.deepEqual(await accounts.ended(job), { passed: 1, failed: 0 });
  assert.equal((await accounts.shown())[account.email]?.status, "active");
  assert.deepEqual(asked, ["/login", "/login/code"], "the first try never left, and the session was kept");
  assert.deepEqual(await studio.history(), []);
  last.child.kill("SIGTERM");
  assert.equal(await last.ended(), 0, last.stderr());
});
