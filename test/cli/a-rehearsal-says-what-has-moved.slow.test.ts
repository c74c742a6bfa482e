import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { writeTinyDriver } from "../support/own-drivers.ts";
import { ownPorts, podcrew } from "../support/podcrew.ts";
import { copyEmptyDatabase } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";
import { openTinySite } from "../support/tiny-site.ts";

test("rehearse walks through the site and publishes nothing; again, it signs in by the kept session and says what has moved", async (t) => {
  const site = await openTinySite();
  t.after(async () => site.close());
  const data = await tempDir(t, "rehearsal");
  await copyEmptyDatabase(data);
  const drivers = join(data, "drivers");
  await mkdir(drivers);
  await writeTinyDriver(drivers);
  const account = join(data, "account.json");
  await writeFile(account, JSON.stringify({ email: "me@example.com", password: "demo-password" }));
  const env = { ...(await ownPorts(data)), DRIVERS: drivers, STEP_SECONDS: "6" };
  const rehearse = () => podcrew(t, ["driver", "rehearse", "tiny", "--account", account, "--url", site.origin], { env });

  const first = rehearse();
  assert.equal(await first.ended(120_000), 0, first.stdout() + first.stderr());
  assert.match(first.stdout(), /^✓ +draft +getByLabel\('Title'\) +writeText$/m);
  assert.match(first.stdout(), /^✓ +publish +getByRole\('button', \{ name: 'Publish' \}\) +click +not pressed$/m);
  assert.match(first.stdout(), /^All that the driver looks for is there\. Nothing was published\. Pictures of each verb: \S+\/rehearsal$/m);

  await writeTinyDriver(drivers, (text) => text.replace('getByLabel("Title")', 'getByLabel("Titel")'));
  const second = rehearse();
  assert.equal(await second.ended(120_000), 1, second.stderr());
  assert.match(second.stdout(), /^✗ draft: getByLabel\('Titel'\): not there\n +0\.\d\d {2}getByRole\('textbox', \{ name: 'Title' \}\)/m);
  assert.match(second.stdout(), /^1 of \d+ selectors have moved\. Nothing was published\./m);
  assert.ok(!second.stdout().includes("demo-password"));

  assert.equal(site.signIns, 1, "the session was kept");
  assert.deepEqual(
    site.wire.filter((line) => line.includes("/publish")),
    [],
  );
  const unknown = podcrew(t, ["driver", "rehearse", "nowhere", "--account", account], { env });
  assert.equal(await unknown.ended(60_000), 2);
  assert.match(unknown.stderr(), /There is no driver "nowhere"\. There are: .*podcrew-studio, .*tiny\./);
});
