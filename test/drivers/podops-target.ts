import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchTarget } from "../../src/driver/index.ts";
import { createPodopsClient } from "../../src/kit/podops-client.ts";
import { openStore } from "../../src/store/store.ts";
import { openVault } from "../../src/store/vault.ts";
import { openStudio, type Studio } from "../../src/studio/studio.ts";
import { copyEmptyDatabase, silentLog } from "../support/store.ts";

export const PRODUCTION = "slow-mornings";

export interface PodopsTarget extends BenchTarget {
  studio: Studio;
  adminKey: string;
  /** For calls that the driver does not make. */
  client: ReturnType<typeof createPodopsClient>;
}

/** The studio itself on a free port, with an account and its production, as its API's users see it. */
export async function openPodopsTarget(): Promise<PodopsTarget> {
  const dataDir = await mkdtemp(join(tmpdir(), "podcrew-podops-"));
  await copyEmptyDatabase(dataDir);
  const store = await openStore({ dataDir, log: silentLog });
  const studio = await openStudio({
    store,
    vault: openVault({ dataDir, embedded: true }),
    log: silentLog,
    config: {
      host: "127.0.0.1",
      port: 0,
      allowedHosts: [],
      dataDir,
      mailFrom: "studio@podcrew.example",
      timeZone: "Asia/Ho_Chi_Minh",
    },
    edges: { processingMs: 100 },
  });
  const { adminKey } = JSON.parse(await readFile(join(dataDir, "studio.json"), "utf8")) as { adminKey: string };
  await studio.accounts.create({ email: "maya@podcrew.example", password: "demo-password", secondFactor: "none" });
  const client = createPodopsClient({ url: studio.url, key: { admin: adminKey } });
  const { guid } = await client.createProduction({ body: { name: PRODUCTION, title: "Slow Mornings" } });
  await client.createResource({
    params: { prod: guid, kind: "show", id: guid },
    body: { kind: "show", description: { title: "Slow Mornings", summary: "Unhurried conversations." } },
  });
  return {
    studio,
    adminKey,
    client,
    origin: studio.url,
    account: { password: adminKey },
    history: async () => (await studio.history()).length,
    enclosures: true,
    shown: { title: "article h1", about: "article .prose" },
    refusals: { "account.refused": { account: { password: "pcs_demo-key-of-last-year" } } },
    async close() {
      await studio.close();
      await store.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
