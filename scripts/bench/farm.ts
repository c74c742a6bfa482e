import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { browserSettings } from "../../src/cli/browser.ts";
import { driverModules } from "../../src/cli/drivers.ts";
import { createFarm } from "../../src/coordinator/farm.ts";
import { createFileSource } from "../../src/coordinator/file-source.ts";
import { systemClock } from "../../src/kit/clock.ts";
import { loadConfig } from "../../src/kit/config.ts";
import { createLog } from "../../src/kit/log.ts";
import { openStore } from "../../src/store/store.ts";
import { openVault } from "../../src/store/vault.ts";
import { compete } from "./contestant.ts";

const DEADLINE_MS = 15 * 60_000;

/** The farm with all that it has: embedded database, ledger, gate, looks, drafts, outbox. Its tasks come from a file. */
await compete(async ({ studioUrl, tasks, concurrency, dataDir, mediaDir }) => {
  const host = new URL(studioUrl).host;
  const file = join(dataDir, "tasks.json");
  const shape = tasks.map(({ id, email, password, totpSecret, episodes }) => ({
    id,
    account_id: id,
    domain: host,
    email,
    password,
    twofa: totpSecret,
    data_content: episodes.map((episode) => ({
      id: episode.id,
      title: episode.title,
      about: `<p>${episode.about}</p>`,
      audio_url: episode.audioPath,
      image_url: episode.coverPath,
    })),
  }));
  await writeFile(file, JSON.stringify(shape));
  const config = await loadConfig(
    { data: dataDir, concurrency, logLevel: "warn", mediaDirs: [mediaDir] },
    { PODCREW_BROWSER: process.env["PODCREW_BROWSER"] },
    dataDir,
  );
  const log = createLog({ level: config.logLevel, format: "pretty" });
  const store = await openStore({ dataDir, log });
  const farm = await createFarm({
    config,
    store,
    vault: openVault({ dataDir, embedded: true }),
    log,
    clock: systemClock,
    source: await createFileSource(file),
    workerModule: new URL("../../src/worker/entry.ts", import.meta.url),
    driverModules: driverModules(config),
    browser: await browserSettings(config),
    sites: { [host]: { driver: "podcrew-studio", origin: studioUrl } },
    dataDir,
    listenOn: { host: "127.0.0.1", port: 0, setting: "TASK_PORT" },
  });
  return async () => {
    await farm.start();
    await farm.idle({ deadlineMs: DEADLINE_MS });
  };
});
