import { UsageError, type Config } from "../kit/config.ts";
import { createLog, type Log } from "../kit/log.ts";
import { scopes, type Scope } from "../manager/keys.ts";
import { openManager, type Manager } from "../manager/manager.ts";
import { storeStage, type Parts } from "./parts.ts";
import { table } from "./table.ts";
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

/** @param scope what it may be used for, several with commas  @param owner whose contents it sees */
export async function createKey(config: Config, name: string, { scope, owner }: { scope: string; owner?: string }): Promise<number> {
  const wanted = scope.split(",").map((one) => one.trim());
  const unknown = wanted.filter((one) => !(scopes as readonly string[]).includes(one));
  if (unknown.length > 0) throw new UsageError(`--scope ${unknown.join(",")} is none; it is one or more of ${scopes.join(", ")}.`);
  if (wanted.some((one) => one !== "worker") && !owner) throw new UsageError("Contents belong to an owner: say whose by --owner.");
  return withManager(config, async (manager) => {
    const user = owner ? await manager.users.find(owner) : null;
    if (owner && user?.role !== "owner") throw new UsageError(`${owner} is no owner here; \`podcrew user list\` shows all.`);
    const { id, key } = await manager.keys.create({ name, scopes: wanted as Scope[], tenant: user?.id ?? null });
    const use = wanted.includes("worker") ? "give it to the farm as API_KEY" : "send it as X-API-Key";
    process.stderr.write(`Key ${id} for "${name}". It is shown this once: ${use}.\n`);
    process.stdout.write(`${key}\n`);
    return 0;
  });
}

export async function listKeys(config: Config): Promise<number> {
  return withManager(config, async (manager) => {
    const keys = await manager.keys.list();
    const day = (date: Date | null): string => (date ? date.toISOString().slice(0, 16).replace("T", " ") : "never");
    process.stdout.write(
      `${table([["ID", "NAME", "PREFIX", "SCOPES", "LAST USED", "STATE"], ...keys.map((key) => [key.id, key.name, `${key.prefix}…`, key.scopes.join(","), day(key.lastUsedAt), key.revokedAt ? "revoked" : "active"])])}\n`,
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
