import { execFile } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { answers, startServer, type ServerProcess } from "../server-process.ts";
import type { RealSite, RunningSite } from "../real-site.ts";
import { configFile, historyPlugin, installScript, lockPlugin, routerFile } from "./php.ts";

const run = promisify(execFile);
const asRoot = process.getuid?.() === 0 ? ["--user=root"] : [];
/** Editors save, upload and ask for things all at once; wp-cron is a request to itself. */
const PHP_WORKERS = 6;

/** One thing that happened to posts on the site, in the order in which it did. */
export interface SitePost {
  /** Epoch ms. */
  at: number;
  /** publish: a post became public. repeated: a request to publish one that was public already. */
  what: "publish" | "repeated";
  postId: number;
  title: string;
  slug: string;
}

export interface RunningWordPress extends RunningSite {
  /** An editor with rights to publish: signs in by this name. */
  account: { username: string; email: string; password: string };
  /** Somebody whom the site keeps out after too many tries. */
  locked: { username: string; email: string; password: string };
  /** Everything that was published since the installation, oldest first: WordPress itself writes it down, and nothing is ever taken out. */
  history(): Promise<SitePost[]>;
  /** From here on the editor greets its people anew. */
  greet(): Promise<void>;
  /** A question to the database. @returns its rows, fields separated by tabs */
  sql(query: string): Promise<string[]>;
}

export const wordpressAccounts = {
  account: { username: "editor", email: "editor@example.test", password: "pass-Word-1!" },
  locked: { username: "locked", email: "locked@example.test", password: "pass-Word-2!" },
} as const;

/** WordPress as Debian ships it, on a MariaDB of its own that has no port, served by PHP itself. */
export const site: RealSite<RunningWordPress> = {
  name: "wordpress",
  packages: [
    "wordpress",
    "wordpress-theme-twentytwentythree",
    "mariadb-server",
    "php-cli",
    "php-mysql",
    "php-gd",
    "php-curl",
    "php-xml",
    "php-mbstring",
    "php-intl",
  ],
  async install(folder) {
    const html = join(folder, "html");
    // Debian keeps some of it elsewhere, by links.
    await cp("/usr/share/wordpress", html, { recursive: true, dereference: true, filter: (path) => !path.endsWith("/.htaccess") });
    for (const made of ["wp-content/uploads", "wp-content/mu-plugins"]) await mkdir(join(html, made), { recursive: true });
    await writeFile(join(html, "wp-config.php"), configFile);
    await writeFile(join(html, "wp-content/mu-plugins/history.php"), historyPlugin);
    await writeFile(join(html, "wp-content/mu-plugins/lock.php"), lockPlugin);
    await writeFile(join(folder, "router.php"), routerFile);
    await writeFile(join(folder, "install.php"), installScript);
    await run("mariadb-install-db", [
      "--no-defaults",
      ...asRoot,
      `--datadir=${join(folder, "db")}`,
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
      "--innodb-log-file-size=8M",
    ]);
    const database = await startDatabase(folder);
    try {
      await sql(
        folder,
        "CREATE DATABASE wp CHARACTER SET utf8mb4; CREATE USER wp@localhost IDENTIFIED BY 'wp'; GRANT ALL ON wp.* TO wp@localhost;",
      );
      const people = JSON.stringify(Object.values(wordpressAccounts));
      await run("php", [join(folder, "install.php"), people], {
        cwd: html,
        env: { ...process.env, ...settings(folder, "http://127.0.0.1") },
      });
    } finally {
      await database.end();
    }
  },
  async start(folder, port) {
    const origin = `http://127.0.0.1:${port}`;
    const database = await startDatabase(folder);
    const php = await startServer(
      "php",
      [...phpSettings, "-S", `127.0.0.1:${port}`, "-t", join(folder, "html"), join(folder, "router.php")],
      {
        cwd: join(folder, "html"),
        env: { ...settings(folder, origin), PHP_CLI_SERVER_WORKERS: String(PHP_WORKERS) },
        up: async () => answers(`${origin}/wp-login.php`),
      },
    ).catch(async (error: unknown) => {
      await database.end();
      throw error;
    });
    return {
      origin,
      ...wordpressAccounts,
      async history() {
        const lines = await readFile(join(folder, "history.jsonl"), "utf8").catch(() => "");
        return lines
          .split("\n")
          .filter(Boolean)
          .map((line) => JSON.parse(line) as SitePost);
      },
      greet: async () =>
        void (await sql(folder, `UPDATE wp.wp_usermeta SET meta_value = '${greeted}' WHERE meta_key = 'wp_persisted_preferences'`)),
      sql: async (query) => sql(folder, query),
      async close() {
        await php.end();
        await database.end();
      },
    };
  },
};

const phpSettings = Object.entries({
  upload_max_filesize: "256M",
  post_max_size: "260M",
  memory_limit: "512M",
  max_execution_time: "300",
  "opcache.enable_cli": "1",
}).flatMap(([name, value]) => ["-d", `${name}=${value}`]);

/** What the editor remembers of a person, from a time after all that browsers remember. */
const greeted = 'a:2:{s:14:"core/edit-post";a:1:{s:12:"welcomeGuide";b:1;}s:9:"_modified";s:24:"2099-01-01T00:00:00.000Z";}';

const socketOf = (folder: string): string => join(folder, "db.sock");

function settings(folder: string, origin: string): Record<string, string> {
  return { SITE_ORIGIN: origin, SITE_SOCKET: socketOf(folder), SITE_HISTORY: join(folder, "history.jsonl") };
}

async function startDatabase(folder: string): Promise<ServerProcess> {
  const args = [
    "--no-defaults",
    ...asRoot,
    `--datadir=${join(folder, "db")}`,
    `--socket=${socketOf(folder)}`,
    `--pid-file=${join(folder, "db.pid")}`,
    "--skip-networking",
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=8M",
    "--innodb-flush-log-at-trx-commit=2",
    "--performance-schema=OFF",
  ];
  return startServer("mariadbd", args, { up: async () => (await sql(folder, "SELECT 1")).length === 1 });
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
