import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { UsageError } from "../kit/config.ts";
import type { Log } from "../kit/log.ts";
import { pinSecrets } from "../kit/redact.ts";
import type { Backend } from "./backend.ts";
import { postgresTypes } from "./row-types.ts";

const CONNECTIONS = 10;
const CONNECT_TIMEOUT_MS = 10_000;
/** A process that froze inside a transaction must not hold its row locks longer than the queue takes to notice it. */
const IDLE_IN_TRANSACTION_MS = 10_000;
const LEAST_VERSION = 15;

/** @throws UsageError when it can't be reached, refuses us, is too old or would lose what it acknowledged */
export async function openPostgres(url: string, log: Log): Promise<Backend> {
  const shown = showAddress(url);
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    application_name: "podcrew",
    types: postgresTypes,
  });
  // Without a listener a connection that drops ends the process; the query that was on it fails by itself.
  const dropped = (error: Error): void => log.warn("a connection to PostgreSQL dropped", { database: shown, error: error.message });
  pool.on("connect", (client) => client.on("error", dropped));
  pool.on("error", () => {});
  try {
    await checkServer(pool, shown);
  } catch (error) {
    await pool.end();
    throw error instanceof UsageError ? error : new UsageError(explain(error as NodeJS.ErrnoException, shown));
  }
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  return {
    name: "postgres",
    db,
    // Nothing to do: `synchronous_commit` was checked, so a commit that returned is on disk.
    flush: async () => {},
    async raw(text, values) {
      const result = (await pool.query(text, values)) as pg.QueryResult | pg.QueryResult[];
      return { rows: Array.isArray(result) ? result.flatMap((one) => one.rows as unknown[]) : result.rows };
    },
    async close() {
      await db.destroy();
      // Kysely leaves a pool open that it was never asked to use.
      if (!pool.ending) await pool.end();
    },
  };
}

async function checkServer(pool: pg.Pool, shown: string): Promise<void> {
  const { rows } = await pool.query<{ version: string; commit: string; fsync: string }>(
    "select current_setting('server_version_num') as version, current_setting('synchronous_commit') as commit, current_setting('fsync') as fsync",
  );
  const [server] = rows;
  const version = Math.floor(Number(server?.version) / 10_000);
  if (version < LEAST_VERSION)
    throw new UsageError(`The database ${shown} is PostgreSQL ${version}; ${LEAST_VERSION} or newer is needed (DATABASE_URL).`);
  if (server?.commit === "off") {
    throw new UsageError(
      `The database ${shown} has synchronous_commit=off: it could forget that an episode was posted, and it would be posted twice. Switch it on for this database: ALTER DATABASE … SET synchronous_commit = on`,
    );
  }
}

const reasons: Record<string, string> = {
  ECONNREFUSED: "nothing listens there. Start PostgreSQL, or correct DATABASE_URL",
  ENOTFOUND: "the host name is unknown. Correct DATABASE_URL",
  EAI_AGAIN: "the host name can't be looked up. Check the network, or correct DATABASE_URL",
  ETIMEDOUT: "it does not answer. Check the network and DATABASE_URL",
  EHOSTUNREACH: "the network does not reach it. Check the network and DATABASE_URL",
  ENOENT: "its socket does not exist. Start PostgreSQL, or correct DATABASE_URL",
  "28P01": "it refused the password. Correct DATABASE_URL",
  "28000": "it refused the user. Correct DATABASE_URL or its pg_hba.conf",
  "3D000": "that database does not exist. Create it (createdb), or correct DATABASE_URL",
  "53300": "it has no free connection. Raise its max_connections",
  "57P03": "it is starting up or shutting down. Try again in a moment",
};

function explain(error: NodeJS.ErrnoException & { errors?: NodeJS.ErrnoException[] }, shown: string): string {
  const code = error.code ?? error.errors?.[0]?.code ?? "";
  const reason =
    reasons[code] ?? (/timeout/i.test(error.message) ? reasons["ETIMEDOUT"] : `it says: ${error.message}. Correct DATABASE_URL`);
  return `The database ${shown} can't be used: ${reason}.`;
}

/** The address without its password; that one is masked in logs from now on. */
function showAddress(url: string): string {
  try {
    const parsed = new URL(url);
    pinSecrets(decodeURIComponent(parsed.password), parsed.searchParams.get("password"));
    return `postgres://${parsed.username ? `${parsed.username}@` : ""}${parsed.host}${parsed.pathname}`;
  } catch {
    throw new UsageError("DATABASE_URL is not an address. It looks like postgres://user:password@host:5432/database");
  }
}
