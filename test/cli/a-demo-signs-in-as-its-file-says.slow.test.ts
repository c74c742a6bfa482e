import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createClient } from "../../src/kit/api-client.ts";
import { codeAt, Visitor } from "../studio/support.ts";
import { copyEmptyDatabase } from "../support/store.ts";
import { ownPorts, podcrew } from "../support/podcrew.ts";
import { tempDir } from "../support/temp.ts";

interface DemoFile {
  manager: { url: string; email: string; password: string };
  studio: { url: string; email: string; password: string; totpSecret: string };
}

const STEP_MS = 30_000;
const usedSteps = new Map<string, number>();

/** A code counts once, and two starts may fall into one step of 30 s: the second then takes the next step's, which counts already. */
function stepOfCode(secret: string): number {
  const step = Math.max(Math.floor(Date.now() / STEP_MS), (usedSteps.get(secret) ?? 0) + 1);
  usedSteps.set(secret, step);
  return step;
}

test("what demo.json says signs in at every start: a password was changed, the file is lost, or it is broken", async (t) => {
  const data = await tempDir(t, "demo");
  await copyEmptyDatabase(data);
  // Everything is up, and nothing is posted.
  const env = { ...(await ownPorts(data)), CONCURRENCY: "0" };
  const path = join(data, "demo.json");

  const startAndSignIn = async (): Promise<DemoFile> => {
    const run = podcrew(t, ["demo"], { env });
    await run.says(/The demo request (is made|of an earlier start is there)/, 150_000);
    const demo = JSON.parse(await readFile(path, "utf8")) as DemoFile;
    const { manager, studio } = demo;
    const { auth, accounts } = createClient({ ...manager, scope: "secrets:read" });
    assert.equal((await auth.me()).user.email, manager.email);
    const maya = new Visitor(studio.url);
    assert.equal((await maya.signIn(studio.password, studio.email)).location, "/login/code");
    const code = codeAt(studio.totpSecret, stepOfCode(studio.totpSecret) * STEP_MS);
    assert.equal((await maya.submit("/login/code", { code })).location, "/dashboard");
    // The farm signs in with what the manager has.
    const [group] = (await accounts.listGroups()).data;
    const [account] = (await accounts.listAccounts({ params: { id: group?.id ?? "" } })).data;
    assert.deepEqual([account?.password, account?.twofa], [studio.password, studio.totpSecret]);
    run.child.kill("SIGTERM");
    assert.equal(await run.ended(), 0);
    return demo;
  };

  const first = await startAndSignIn();
  const changed = podcrew(t, ["user", "password", first.manager.email], { env });
  assert.equal(await changed.ended(), 0, changed.stderr());
  const second = await startAndSignIn();
  assert.deepEqual(second, first, "the file stays as it was");
  await rm(path);
  const third = await startAndSignIn();
  assert.notEqual(third.studio.password, first.studio.password);
  await writeFile(path, "{}");
  await startAndSignIn();
});
