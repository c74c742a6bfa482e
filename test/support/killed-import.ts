import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { givenDovecot } from "./dovecot.ts";
import { freePorts, podcrew, type RunningPodcrew } from "./podcrew.ts";
import { copyEmptyDatabase } from "./store.ts";
import { tempDir } from "./temp.ts";
import { wholePodcrew, type Whole } from "./whole.ts";

/** A feed to import, and a farm in a process of its own that does it and can be killed. */
export interface KilledImport {
  whole: Whole;
  secondary: string;
  farm(env?: Record<string, string>): RunningPodcrew;
}

export async function givenKilledImport(t: TestContext): Promise<KilledImport> {
  const mail = await givenDovecot(t);
  const whole = await wholePodcrew(t, { mail, settings: { concurrency: 0 } });
  const { manager, studio } = whole;
  const [owner, importer] = [await whole.account(), await whole.account()];
  const made = await manager.makeTask({ account: owner, website: studio.url, episodes: [{ title: "Posted elsewhere" }] });
  const { taskId: secondary } = await manager.makeImport({ requestId: made.requestId, account: importer, website: studio.url });
  const { key } = await manager.keys.create({ name: "killed farm" });
  const say = async (report: string, body: object): Promise<void> => {
    const answer = await fetch(`${manager.url}/api/v1/podcast/links/${made.taskId}/${report}`, {
      method: "POST",
      headers: { "x-api-key": key, "x-worker-id": "elsewhere", "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    assert.equal(answer.status, 200, await answer.text());
  };
  await say("start", {});
  await say("complete", { link_post: `${studio.url}/e/posted-elsewhere` });
  await say("account", { link_rss: `${studio.url}/feeds/${owner.email.replace(/@.*/, "")}.xml` });

  const data = await tempDir(t, "killed");
  await copyEmptyDatabase(data);
  const host = new URL(studio.url).host;
  const [port] = await freePorts(1);
  const settings = {
    PODCREW_DATA: data,
    MANAGER_URL: manager.url,
    API_KEY: key,
    TASK_PORT: String(port),
    SITES: `${host}=podcrew-studio`,
    ALLOW_PRIVATE: host,
    IMAP_HOST: mail.imap.host,
    IMAP_PORT: String(mail.imap.port),
    IMAP_CA_FILE: mail.imap.caFile,
    SETTLE_SECONDS: "3",
    POLL_SECONDS: "1",
  };
  return { whole, secondary, farm: (env = {}) => podcrew(t, ["farm"], { env: { ...settings, ...env } }) };
}

/** The farm starts again and brings the task to its end. @returns what the studio did in all */
export async function goesOn({ whole, secondary, farm }: KilledImport): Promise<string[]> {
  const again = farm();
  const done = await whole.reaches(secondary, ["completed", "failed", "needs_person"], 90_000).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${again.stderr().slice(-4000)}`);
  });
  const imports = await whole.studio.imports();
  assert.deepEqual([done.state, done.linkPost], ["completed", imports[0]?.link]);
  again.child.kill("SIGTERM");
  assert.equal(await again.ended(), 0, again.stderr());
  return imports.map(({ outcome }) => outcome);
}
