import { execFile, spawn, type ChildProcess } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { chown, mkdtemp, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";

const run = promisify(execFile);
const START_MS = 30_000;
const DEBIAN = "/usr/lib/postgresql";
const PASSWORD = "demo-password";

/**
 * Runs the server until its standard input closes, which happens at any end of the test process, kill -9 too; then stops it
 * at once (SIGQUIT, no checkpoint) and removes the folder ($0). In a process group of its own: a signal to the tests' group
 * must not end the guard before its work.
 */
const GUARD = '"$@" </dev/null & server=$!; cat >/dev/null; kill -QUIT $server; wait $server; rm -rf "$0"';

interface Cluster {
  url(database: string): string;
}

let cluster: Promise<Cluster> | undefined;
let databases = 0;

/** null: Debian's binaries are here. Otherwise why the PostgreSQL tests can't run; said once, loudly. */
export const postgresMissing: string | null = binaries() ? null : `no PostgreSQL below ${DEBIAN} (apt-get install postgresql)`;
if (postgresMissing) process.stderr.write(`\nPostgreSQL tests skipped: ${postgresMissing}\n\n`);

/**
 * Address of a fresh database on a private server, which is started on first use and ends with the process.
 * @param template name of a database on that server that it is a copy of; nobody may be connected to that one. Absent: it is empty
 */
export async function freshDatabase(template = "template1"): Promise<string> {
  cluster ??= start();
  const { url } = await cluster;
  const name = `test_${process.pid}_${++databases}`;
  const client = new pg.Client({ connectionString: url("postgres") });
  await client.connect();
  await client.query(`create database ${name} template ${template}`);
  await client.end();
  return url(name);
}

function binaries(): string | null {
  if (!existsSync(DEBIAN)) return null;
  const versions = readdirSync(DEBIAN).filter((version) => existsSync(join(DEBIAN, version, "bin", "initdb")));
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  return newest ? join(DEBIAN, newest, "bin") : null;
}

/** PostgreSQL refuses to run as root: then as `postgres`, whom Debian's package made, else as `nobody`. */
async function serverUser(): Promise<{ uid?: number; gid?: number }> {
  if (userInfo().uid !== 0) return {};
  for (const name of ["postgres", "nobody"]) {
    try {
      const [uid, gid] = await Promise.all(["-u", "-g"].map(async (which) => Number((await run("id", [which, name])).stdout)));
      return { uid: uid as number, gid: gid as number };
    } catch {
      continue;
    }
  }
  throw new Error("PostgreSQL does not run as root, and there is neither a user postgres nor nobody");
}

async function start(): Promise<Cluster> {
  const bin = binaries();
  if (!bin) throw new Error(`PostgreSQL tests can't run: ${postgresMissing}`);
  const user = await serverUser();
  const folder = await mkdtemp(join(tmpdir(), "podcrew-pg-"));
  if (user.uid !== undefined && user.gid !== undefined) await chown(folder, user.uid, user.gid);
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, PASSWORD);
  const data = join(folder, "data");
  await run(
    join(bin, "initdb"),
    ["-D", data, "-U", "podcrew", "-E", "UTF8", "--locale=C", "--no-sync", "--auth=scram-sha-256", `--pwfile=${passwordFile}`],
    { ...user, cwd: folder },
  );
  const port = await freePort();
  const settings = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: "",
    fsync: "off",
    full_page_writes: "off",
    max_connections: "100",
    shared_buffers: "32MB",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = spawn("/bin/sh", ["-c", GUARD, folder, join(bin, "postgres"), "-D", data, ...options], {
    ...user,
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "pipe"],
  });
  let said = "";
  server.stderr?.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)));
  doNotWaitFor(server);
  const url = (database: string): string => `postgres://podcrew:${PASSWORD}@127.0.0.1:${port}/${database}`;
  await answers(url("postgres"), server, () => said);
  return { url };
}

async function answers(url: string, server: ChildProcess, said: () => string): Promise<void> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      await client.end().catch(() => undefined);
      if (server.exitCode !== null || performance.now() > deadline)
        throw new Error(`PostgreSQL did not start: ${said()}`, { cause: error });
      await delay(50);
    }
  }
}

/** The test process may end while the server runs: the guard ends it then. */
function doNotWaitFor(server: ChildProcess): void {
  server.unref();
  for (const pipe of [server.stdin, server.stderr]) (pipe as unknown as { unref(): void }).unref();
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
