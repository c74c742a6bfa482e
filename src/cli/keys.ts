import type { Config } from "../kit/config.ts";
import { createLog, type Log } from "../kit/log.ts";
import { openManager, type Manager } from "../manager/manager.ts";
import { storeStage, type Parts } from "./parts.ts";
import { table } from "./progress.ts";
import { startStages } from "./stages.ts";

/**
 * The manager without its address: on a port that nobody knows, for as long as the command takes. An embedded database that
 * is in use refuses this with a sentence; a PostgreSQL is shared.
 */
export async function withManager<T>(config: Config, work: (manager: Manager, log: Log) => Promise<T>): Promise<T> {
  const parts: Parts = {};
  const log = createLog({ level: config.logLevel === "debug" ? "debug" : "warn", format: config.logFormat });
  const stop = await startStages(
    [
      storeStage(config, log, parts),
      {
        title: "the manager",
        async start() {
          if (!parts.store || !parts.vault) throw new Error("the store is not open");
          const manager = await openManager({
            store: parts.store,
            vault: parts.vault,
            log,
            config: { host: "127.0.0.1", port: 0, allowedHosts: [], publicUrl: config.publicManagerUrl },
          });
          parts.manager = manager;
          return async () => manager.close();
        },
      },
    ],
    log,
  );
  try {
    if (!parts.manager) throw new Error("the manager is not open");
    return await work(parts.manager, log);
  } finally {
    await stop();
  }
}

export async function createKey(config: Config, name: string): Promise<number> {
  return withManager(config, async (manager) => {
    const { id, key } = await manager.keys.create({ name });
    process.stderr.write(`Key ${id} for "${name}". It is shown this once: give it to the farm as API_KEY.\n`);
    process.stdout.write(`${key}\n`);
    return 0;
  });
}

export async function listKeys(config: Config): Promise<number> {
  return withManager(config, async (manager) => {
    const keys = await manager.keys.list();
    const day = (date: Date | null): string => (date ? date.toISOString().slice(0, 16).replace("T", " ") : "never");
    process.stdout.write(
      `${table([["ID", "NAME", "PREFIX", "LAST USED", "STATE"], ...keys.map((key) => [key.id, key.name, `${key.prefix}…`, day(key.lastUsedAt), key.revokedAt ? "revoked" : "active"])])}\n`,
    );
    return 0;
  });
}

export async function revokeKey(config: Config, id: string): Promise<number> {
  return withManager(config, async (manager) => {
    const revoked = await manager.keys.revoke(id);
    process.stderr.write(revoked ? `Key ${id} is revoked.\n` : `There is no active key ${id}; \`podcrew key list\` shows all.\n`);
    return revoked ? 0 : 1;
  });
}
