import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { generateSecret } from "otplib";
import type { RealSite, RunningSite } from "../real-site.ts";
import { answers, startServer } from "../server-process.ts";

const run = promisify(execFile);
/** Debian's; the wiki's own folder holds links to it, its settings, its database and its files. */
const code = "/usr/share/mediawiki";
const served = ["api.php", "index.php", "load.php", "rest.php", "opensearch_desc.php", "thumb.php", "resources", "skins", "extensions"];
const fakeTime = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
const WORKERS = 4;
const PHP_MS = 60_000;

/** Somebody with an account, as the manager has to know them. */
export interface Member {
  username: string;
  password: string;
  /** "" without a second factor. */
  twofa: string;
}

/** One page as the wiki's own record has it. */
export interface WikiPage {
  title: string;
  user: string;
  /** Revisions in its history. */
  revisions: number;
}

/** What one of the two sign-in pages was sent. */
export interface Submit {
  kind: "password" | "code";
  /** The name with the password, or the code. */
  text: string;
  /** Epoch, ms. */
  at: number;
}

export interface MediaWiki extends RunningSite {
  member(name: string, secondFactor?: "none" | "totp"): Promise<Member>;
  /** Articles that members made, oldest first. */
  newPages(): Promise<WikiPage[]>;
  /** Oldest first. */
  submits(): Promise<Submit[]>;
  /** Somebody else tries wrong passwords. */
  guess(member: Member, times: number): Promise<void>;
  /** From the next request on, after a wrong password. */
  captchaAtSignIn(on: boolean): Promise<void>;
  /** Whoever was signed in has to do it again. */
  signOutEverybody(): Promise<void>;
}

/** MediaWiki with OATHAuth, which refuses an authenticator code that was used before. */
export const site: RealSite<MediaWiki> = {
  name: "mediawiki",
  packages: ["mediawiki", "php-cli", "php-sqlite3", "php-mbstring", "php-xml", "php-intl", "libfaketime"],
  install,
  start: async (folder, port) => start(folder, port),
};

/** The same, on a machine whose clock is wrong. */
export function siteWithClock(aheadSeconds: number): RealSite<MediaWiki> {
  return { ...site, start: async (folder, port) => start(folder, port, aheadSeconds) };
}

async function install(folder: string): Promise<void> {
  for (const name of ["data", "images", "site"]) await mkdir(join(folder, name));
  for (const name of served) await symlink(join(code, name), join(folder, "site", name));
  await symlink("../images", join(folder, "site", "images"));
  const extensions = "--extensions=OATHAuth,WikiEditor";
  const where = ["--confpath", folder, "--dbtype", "sqlite", "--dbpath", join(folder, "data"), "--dbname", "wiki"];
  const what = [
    "--server",
    "http://127.0.0.1",
    "--scriptpath",
    "",
    "--pass",
    "pass-Word-1!",
    "--lang",
    "en",
    "--skins",
    "Vector",
    extensions,
  ];
  await maintain("install.php", [...where, ...what, "Test Wiki", "Keeper"], {});
  const settings = join(folder, "LocalSettings.php");
  const written = await readFile(settings, "utf8");
  const moved = written.replace(/^\$wgSQLiteDataDir = .*$/m, "$wgSQLiteDataDir = __DIR__ . '/data';");
  await writeFile(settings, `${moved}\nrequire __DIR__ . '/settings.php';\n`);
  await copyFile(fileURLToPath(new URL("settings.php", import.meta.url)), join(folder, "settings.php"));
}

async function start(folder: string, port: number, aheadSeconds = 0): Promise<MediaWiki> {
  const origin = `http://127.0.0.1:${port}`;
  const env = { MW_CONFIG_FILE: join(folder, "LocalSettings.php"), WIKI_ORIGIN: origin };
  const clock: Record<string, string> =
    aheadSeconds === 0 ? {} : { LD_PRELOAD: fakeTime, FAKETIME: `${aheadSeconds > 0 ? "+" : ""}${aheadSeconds}s` };
  const options = ["opcache.enable_cli=1", "upload_max_filesize=100M", "post_max_size=110M"].flatMap((option) => ["-d", option]);
  const server = await startServer("php", [...options, "-S", `127.0.0.1:${port}`, "-t", join(folder, "site")], {
    env: { ...env, ...clock, PHP_CLI_SERVER_WORKERS: String(WORKERS) },
    up: async () => answers(`${origin}/index.php?title=Special:Version`),
  });
  const query = async (parameters: Record<string, string>): Promise<unknown> => ask(origin, parameters);
  return {
    origin,
    async member(name, secondFactor = "totp") {
      const member = { username: name, password: `demo-password-${name}`, twofa: secondFactor === "totp" ? generateSecret() : "" };
      await maintain("createAndPromote.php", [name, member.password], env);
      if (member.twofa) enrol(folder, member);
      return member;
    },
    async newPages() {
      const { query: found } = (await query({ list: "allpages", apnamespace: "0", aplimit: "max" })) as {
        query: { allpages: { title: string }[] };
      };
      const pages = await Promise.all(found.allpages.map(async ({ title }) => historyOf(query, title)));
      return pages
        .filter(({ page }) => page.user !== "MediaWiki default")
        .sort((one, other) => one.madeAt - other.madeAt)
        .map(({ page }) => page);
    },
    async submits() {
      const log = join(folder, "submits.log");
      const lines = existsSync(log) ? (await readFile(log, "utf8")).trim().split("\n") : [];
      return lines.map((line) => JSON.parse(line) as Submit);
    },
    async guess({ username }, times) {
      for (let guess = 0; guess < times; guess++) await signInByApi(origin, username, `demo-guess-${guess}`);
    },
    async captchaAtSignIn(on) {
      const flag = join(folder, "captcha-at-sign-in");
      await (on ? writeFile(flag, "") : rm(flag, { force: true }));
    },
    signOutEverybody: async () => writeFile(join(folder, "token-version"), randomUUID()),
    close: async () => server.end(),
  };
}

async function maintain(script: string, args: readonly string[], env: Record<string, string>): Promise<void> {
  await run("php", [join(code, "maintenance", script), ...args], { env: { ...process.env, ...env }, timeout: PHP_MS });
}

/** As the wiki's own page for it does, but without a code that would be used up. */
function enrol(folder: string, { username, twofa }: Member): void {
  const database = new DatabaseSync(join(folder, "data", "wiki.sqlite"), { timeout: 10_000 });
  try {
    const data = JSON.stringify({ keys: [{ secret: twofa, scratch_tokens: [] }] });
    database
      .prepare("insert into oathauth_users (id, module, data) select user_id, 'totp', ? from user where user_name = ?")
      .run(data, username);
  } finally {
    database.close();
  }
}

async function signInByApi(origin: string, username: string, password: string): Promise<void> {
  const address = new URL("/api.php", origin);
  const tokenAddress = `${address.href}?action=query&meta=tokens&type=login&format=json&formatversion=2`;
  const given = await fetch(tokenAddress, { signal: AbortSignal.timeout(10_000) });
  const { query } = (await given.json()) as { query: { tokens: { logintoken: string } } };
  const cookie = given.headers
    .getSetCookie()
    .map((line) => line.split(";", 1)[0])
    .join("; ");
  const body = new URLSearchParams({
    action: "clientlogin",
    format: "json",
    username,
    password,
    logintoken: query.tokens.logintoken,
    loginreturnurl: origin,
  });
  const answer = await fetch(address, { method: "POST", body, headers: { cookie }, signal: AbortSignal.timeout(10_000) });
  assert.match(await answer.text(), /"status":"(FAIL|UI)"/);
}

async function ask(origin: string, parameters: Record<string, string>): Promise<unknown> {
  const address = new URL("/api.php", origin);
  address.search = new URLSearchParams({ action: "query", format: "json", formatversion: "2", ...parameters }).toString();
  const answer = await fetch(address, { signal: AbortSignal.timeout(10_000) });
  return answer.json();
}

async function historyOf(
  query: (parameters: Record<string, string>) => Promise<unknown>,
  title: string,
): Promise<{ page: WikiPage; madeAt: number }> {
  const answer = (await query({ titles: title, prop: "revisions", rvprop: "user|ids", rvlimit: "max", rvdir: "newer" })) as {
    query: { pages: { revisions: { user: string; revid: number }[] }[] };
  };
  const revisions = answer.query.pages[0]?.revisions ?? [];
  return { page: { title, user: revisions[0]?.user ?? "", revisions: revisions.length }, madeAt: revisions[0]?.revid ?? 0 };
}
