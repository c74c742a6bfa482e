import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { createClient, type ApiClient } from "../../../src/kit/api-client.ts";
import { createLog } from "../../../src/kit/log.ts";
import { openManager, type Manager } from "../../../src/manager/manager.ts";
import { openStore, type Store } from "../../../src/store/store.ts";
import { openVault } from "../../../src/store/vault.ts";
import { openLoad, type Load } from "./load.ts";

const PASSWORD = "demo-password";

export interface Owner {
  id: string;
  email: string;
  /** Signed in as this owner. */
  client: ApiClient;
  /** Of a call that the load generator makes as this owner. */
  headers: Readonly<Record<string, string>>;
}

/** A manager over an empty database, in this process, and a load generator beside it. */
export interface Scene {
  backend: Store["backend"];
  store: Store;
  manager: Manager;
  load: Load;
  addOwner(name: string, credits: number): Promise<Owner>;
  say(line: string): void;
}

/** @param folder where it may keep what it needs. @param databaseUrl absent: PGlite */
export async function withScene(folder: string, databaseUrl: string | undefined, run: (scene: Scene) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(folder, "manager-"));
  const closing: (() => Promise<unknown>)[] = [];
  try {
    const log = createLog({ level: "error", format: "pretty" });
    const store = await openStore({ dataDir, databaseUrl, log });
    closing.unshift(async () => store.close());
    const config = { host: "127.0.0.1", port: 0, allowedHosts: [] };
    const manager = await openManager({ store, vault: openVault({ dataDir, embedded: true }), log, config });
    closing.unshift(async () => manager.close());
    const load = await openLoad();
    closing.unshift(async () => load.close());
    await run({
      backend: store.backend,
      store,
      manager,
      load,
      addOwner: async (name, credits) => addOwner(manager, name, credits),
      say: (line) => void process.stderr.write(`${store.backend}: ${line}\n`),
    });
  } finally {
    for (const close of closing) await close();
  }
}

async function addOwner(manager: Manager, name: string, credits: number): Promise<Owner> {
  const login = { email: `${name}@podcrew.example`, password: PASSWORD };
  const { id } = await manager.users.create({ ...login, role: "owner" });
  if (credits > 0) await manager.addCredits({ email: login.email, amount: credits });
  const client = createClient({ url: manager.url, ...login });
  const { token } = await client.auth.login({ body: login });
  return { id, email: login.email, client, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" } };
}
