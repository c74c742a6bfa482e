import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { writeTinyDriver } from "../support/own-drivers.ts";
import { ownPorts, podcrew } from "../support/podcrew.ts";
import { copyEmptyDatabase } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";
import { openTinySite } from "../support/tiny-site.ts";

const password = "pass-Word-1!";

test("debug shows the locator to blame and what is like it; evidence shows it again, by its task", async (t) => {
  const site = await openTinySite();
  t.after(async () => site.close());
  site.behaviour.loginPage = "renamed";
  const data = await tempDir(t, "evidence");
  await copyEmptyDatabase(data);
  const drivers = join(data, "drivers");
  await mkdir(drivers);
  await writeTinyDriver(drivers);
  const file = join(data, "task.json");
  const episode = { id: "one", title: "A first try", about: "<p>Read aloud.</p>" };
  const task = {
    id: "task/1",
    account_id: "me",
    domain: new URL(site.origin).host,
    email: "me@example.com",
    password,
    data_content: [episode],
  };
  await writeFile(file, JSON.stringify(task));
  const env = {
    ...(await ownPorts(data)),
    DRIVERS: drivers,
    SITES: `${new URL(site.origin).host}=tiny`,
    STEP_SECONDS: "5",
  };

  const run = podcrew(t, ["debug", file], { env });
  assert.equal(await run.ended(120_000), 1, run.stderr());
  const shows = (out: string): void => {
    assert.match(out, /^\s*looked for {2}getByLabel\('Password'\)$/m);
    assert.match(out, /^ +0\.\d\d {2}getByRole\('textbox', \{ name: 'Passphrase' \}\)$/m);
    assert.match(out, new RegExp(`^  at ${site.origin}/login$`, "m"));
    assert.match(out, /^ {2}.*\/evidence\/task_1\/01-site\.changed\/screenshot\.png$/m);
    assert.ok(!out.includes(password));
  };
  shows(run.stdout());

  const all = podcrew(t, ["evidence"], { env });
  assert.equal(await all.ended(), 0, all.stderr());
  assert.match(all.stdout(), /^task_1 +20\d\d-\S+ \S+ +01-site\.changed$/m);
  const one = podcrew(t, ["evidence", "task/1"], { env });
  assert.equal(await one.ended(), 0, one.stderr());
  shows(one.stdout());

  const none = podcrew(t, ["evidence", "task-2"], { env });
  assert.equal(await none.ended(), 1);
  assert.match(none.stdout(), /^Nothing is kept of task-2 below /);
});
