import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { givenDovecot } from "../../support/dovecot.ts";
import { freePort, startServer, type ServerProcess } from "../real/server-process.ts";

const run = promisify(execFile);
const VERSION = "6.65.0";
/** With a compiler's work for two packages, on a small machine. */
const INSTALL_MS = 30 * 60_000;
const UP_WITHIN_MS = 120_000;
const OUTPUT_BYTES = 64 * 1024 * 1024;
const cache = fileURLToPath(new URL("../../../.podcrew-sites/", import.meta.url));

/** Why tests on Ghost don't run here; null: they do. */
export const ghostMissing: string | null = process.env["TEST_GHOST"]
  ? null
  : "SKIPPED: Ghost is 640 MB from npm and takes minutes. With MariaDB and Dovecot from Debian: TEST_GHOST=1 npm test -- test/sites/ghost --limit 3600";

export interface Ghost {
  origin: string;
  account: { email: string; password: string; appPassword: string };
  imap: { host: string; port: number; tls: true; caFile: string };
  /** Public posts with a player for an episode's audio, as the database has them, oldest first. */
  published(): Promise<{ title: string; slug: string }[]>;
  close(): Promise<void>;
}

/** Ghost itself with its own database and a mailbox for its owner, as it is right after its set-up. */
export async function openGhost(): Promise<Ghost> {
  const code = await installedOnce();
  const folder = await mkdtemp(join(tmpdir(), "podcrew-ghost-"));
  const closing: (() => Promise<void> | void)[] = [
    async () => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }),
  ];
  const close = async (): Promise<void> => {
    for (const step of closing.toReversed()) await step();
    closing.length = 0;
  };
  try {
    const database = await startDatabase(folder);
    closing.push(async () => database.end());
    await sql(folder, "CREATE DATABASE ghost CHARACTER SET utf8mb4; CREATE USER ghost@localhost; GRANT ALL ON ghost.* TO ghost@localhost;");
    const mail = await givenDovecot({ after: (step: () => Promise<void>) => void closing.push(step) });
    await cp(join(code, "content"), join(folder, "content"), { recursive: true, verbatimSymlinks: true });
    const port = await freePort();
    const origin = `http://localhost:${port}`;
    const env = settings(folder, origin, port, new URL(mail.lmtpUrl).port);
    await run(process.execPath, [join(code, "node_modules/knex-migrator/bin/knex-migrator-init"), "--mgpath", code], {
      cwd: code,
      env: { ...process.env, ...env },
      timeout: INSTALL_MS,
      maxBuffer: OUTPUT_BYTES,
    });
    const server = await startServer(process.execPath, ["index.js"], {
      cwd: code,
      env,
      up: async () => (await fetch(`${origin}/ghost/api/admin/authentication/setup/`, { signal: AbortSignal.timeout(5000) })).ok,
      upWithinMs: UP_WITHIN_MS,
    });
    closing.push(async () => server.end());
    const owner = { email: "maya@podcrew.example", password: "pass-Word-1!" };
    await setUp(origin, owner);
    return {
      origin,
      account: { ...owner, appPassword: mail.imap.password },
      imap: { host: mail.imap.host, port: mail.imap.port, tls: true, caFile: mail.imap.caFile },
      async published() {
        const rows = await sql(
          folder,
          "SELECT title, slug FROM ghost.posts WHERE status = 'published' AND html LIKE '%<audio%/ep-%' ORDER BY published_at",
        );
        return rows.map((row) => {
          const [title = "", slug = ""] = row.split("\t");
          return { title, slug };
        });
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** By npm's own package and the lockfile in it. @returns its folder */
async function installedOnce(): Promise<string> {
  const target = join(cache, `ghost-${VERSION}-node${process.versions.modules}`);
  if (existsSync(target)) return join(target, "package");
  const half = join(cache, `half-ghost-${process.pid}`);
  await mkdir(half, { recursive: true });
  const options = { cwd: half, timeout: INSTALL_MS, maxBuffer: OUTPUT_BYTES };
  try {
    await run("npm", ["pack", "--silent", `ghost@${VERSION}`], options);
    await run("tar", ["xzf", `ghost-${VERSION}.tgz`], options);
    const { packageManager } = JSON.parse(await readFile(join(half, "package/package.json"), "utf8")) as { packageManager: string };
    await run("npm", ["install", "--silent", "--no-save", "--prefix", "tools", packageManager.replace(/\+.*/, "")], options);
    await run(join(half, "tools/node_modules/.bin/pnpm"), ["install", "--prod", "--frozen-lockfile"], {
      ...options,
      cwd: join(half, "package"),
      env: { ...process.env, npm_config_nodedir: headers() },
    });
    await rename(half, target);
  } finally {
    await rm(half, { recursive: true, force: true });
  }
  return join(target, "package");
}

/** Where Node's own headers lie: what is compiled has to fit this Node. */
function headers(): string {
  const root = dirname(dirname(process.execPath));
  const all = [root, join(root, `node_modules/node-${process.platform}-${process.arch}`)];
  const found = all.find((folder) => existsSync(join(folder, "include/node/node.h")));
  assert.ok(found, `Node's headers lie in none of ${all.join(", ")}`);
  return found;
}

function settings(folder: string, origin: string, port: number, lmtpPort: string): Record<string, string> {
  return {
    NODE_ENV: "production",
    url: origin,
    server__host: "127.0.0.1",
    server__port: String(port),
    // Its own choice for small sites, better-sqlite3, ends this Node by an assertion.
    database__client: "mysql",
    database__connection__socketPath: socketOf(folder),
    database__connection__user: "ghost",
    database__connection__password: "",
    database__connection__database: "ghost",
    mail__transport: "SMTP",
    mail__options__host: "127.0.0.1",
    mail__options__port: lmtpPort,
    mail__options__lmtp: "true",
    mail__options__ignoreTLS: "true",
    paths__contentPath: join(folder, "content"),
    privacy__useTinfoil: "true",
    explore__update_url: "",
    logging__transports: '["stdout"]',
  };
}

async function setUp(origin: string, owner: { email: string; password: string }): Promise<void> {
  const answer = await fetch(`${origin}/ghost/api/admin/authentication/setup/`, {
    method: "POST",
    headers: { "content-type": "application/json", origin },
    body: JSON.stringify({ setup: [{ name: "Maya", blogTitle: "Test Show", ...owner }] }),
    signal: AbortSignal.timeout(30_000),
  });
  assert.equal(answer.status, 201, await answer.text());
  // The very first browser of a new Ghost is let in without a code.
  const first = await fetch(`${origin}/ghost/api/admin/session/`, {
    method: "POST",
    headers: { "content-type": "application/json", origin },
    body: JSON.stringify({ username: owner.email, password: owner.password }),
    signal: AbortSignal.timeout(30_000),
  });
  assert.equal(first.status, 201, await first.text());
  // It adds ?ref= to all links by default.
  const changed = await fetch(`${origin}/ghost/api/admin/settings/`, {
    method: "PUT",
    headers: {
      "content-type": "application/json",
      origin,
      cookie: first.headers
        .getSetCookie()
        .map((line) => line.split(";", 1)[0])
        .join("; "),
    },
    body: JSON.stringify({ settings: [{ key: "outbound_link_tagging", value: false }] }),
    signal: AbortSignal.timeout(30_000),
  });
  assert.equal(changed.status, 200, await changed.text());
}

const socketOf = (folder: string): string => join(folder, "db.sock");
const asRoot = process.getuid?.() === 0 ? ["--user=root"] : [];

async function startDatabase(folder: string): Promise<ServerProcess> {
  const data = `--datadir=${join(folder, "db")}`;
  const small = ["--innodb-log-file-size=8M"];
  await run("mariadb-install-db", [
    "--no-defaults",
    ...asRoot,
    data,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
    ...small,
  ]);
  const own = [`--socket=${socketOf(folder)}`, `--pid-file=${join(folder, "db.pid")}`, "--skip-networking"];
  return startServer(
    "mariadbd",
    ["--no-defaults", ...asRoot, data, ...own, ...small, "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=2"],
    { up: async () => (await sql(folder, "SELECT 1")).length === 1 },
  );
}

async function sql(folder: string, query: string): Promise<string[]> {
  const { stdout } = await run("mariadb", [
    "--no-defaults",
    "-u",
    "root",
    "-S",
    socketOf(folder),
    "--batch",
    "--skip-column-names",
    "-e",
    query,
  ]);
  return stdout.split("\n").filter(Boolean);
}
