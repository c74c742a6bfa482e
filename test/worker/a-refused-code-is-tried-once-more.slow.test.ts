import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { migrations } from "../../src/coordinator/migrations.ts";
import { judgeSubmit, takeSubmit } from "../../src/coordinator/sign-in-guard.ts";
import type { FarmTables } from "../../src/coordinator/tables.ts";
import { closeBrowser } from "../../src/worker/entry.ts";
import { makeAssignment, makeEpisode, runToEnd } from "../support/coordinator.ts";
import { givenPglite } from "../support/store.ts";
import { openTinySite } from "../support/tiny-site.ts";

/** The tiny driver with some of its verbs replaced. */
async function writeDriver(folder: string, name: string, verbs: string): Promise<string> {
  const path = join(folder, `${name}.mjs`);
  const at = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);
  const text = `import tiny from ${at("../support/tiny-driver.ts")};\nimport { Failure } from ${at("../../src/contract/failures.ts")};\nlet tries = 0;\nexport default Object.create(tiny, Object.getOwnPropertyDescriptors({ ${verbs} }));\n`;
  await writeFile(path, text);
  return pathToFileURL(path).href;
}

const refusesCodes = (times: number): string =>
  `async signIn(site) { tries += 1; if (tries <= ${times}) throw new Failure("totp.refused"); return tiny.signIn(site); }`;

test("a code that was refused is followed by one more of the next step; only a second refusal marks the credentials bad", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "podcrew-code-"));
  const site = await openTinySite();
  t.after(async () => {
    await closeBrowser();
    await site.close();
    await rm(folder, { recursive: true, force: true });
  });
  const { store } = await givenPglite(t);
  await store.migrate("farm", migrations);
  const db = store.part<FarmTables>("farm");
  const signIn = async (times: number, key: string) => {
    let submit = 0;
    const driverModule = await writeDriver(folder, key, refusesCodes(times));
    return runToEnd(makeAssignment({ origin: site.origin, driverModule, folder }), {
      episodes: [makeEpisode(1)],
      answers: {
        async maySubmitCredentials() {
          const answer = await takeSubmit(db, { key, site: "tiny", version: "v1" }, new Date());
          if (answer.allowed) submit = answer.id;
          return answer.allowed ? { allowed: true, why: "" } : { allowed: false, why: answer.why };
        },
        credentialsJudged: async (verdict) => judgeSubmit(db, submit, verdict),
      },
    });
  };
  const once = await signIn(1, "once");
  assert.equal(once.result.outcome, "done");
  assert.equal(once.heard.submits, 2);

  const twice = await signIn(2, "twice");
  assert.equal(twice.result.failure?.code, "totp.refused");
  assert.equal(twice.heard.submits, 2);
  const after = await takeSubmit(db, { key: "twice", site: "tiny", version: "v1" }, new Date());
  assert.ok(!after.allowed && after.code === "account.refused");
});

test("a failed click after which the page spoke through a socket of its own is no proof that nothing was sent", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "podcrew-socket-"));
  const site = await openTinySite();
  t.after(async () => {
    await closeBrowser();
    await site.close();
    await rm(folder, { recursive: true, force: true });
  });
  const driverModule = await writeDriver(
    folder,
    "socket",
    `async publish({ page }) { const opened = page.waitForEvent("websocket"); await page.evaluate(() => void new WebSocket("ws://" + location.host + "/live")); await opened; throw new Error("no link came"); }`,
  );
  const { heard } = await runToEnd(makeAssignment({ origin: site.origin, driverModule, folder }), {
    episodes: [makeEpisode(1)],
    maxTries: 1,
  });
  assert.equal(heard.sent[0]?.kind, "unknown");
});
