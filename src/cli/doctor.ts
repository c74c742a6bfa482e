import { accessSync, constants, existsSync, mkdirSync, statfsSync } from "node:fs";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { styleText } from "node:util";
import { chromium } from "playwright";
import type { Config } from "../kit/config.ts";
import { withDeadline } from "../kit/deadline.ts";
import { requestJson } from "../kit/http.ts";
import type { ImapServer } from "../kit/mail-server.ts";
import { redact } from "../kit/redact.ts";
import { workerHeaders } from "../contract/worker-api.ts";
import { browserSettings } from "./browser.ts";

type Verdict = "ok" | "warn" | "fail" | "skip";

export interface Finding {
  check: string;
  verdict: Verdict;
  /** What was seen, and what to do where it is not ok. */
  say: string;
}

const OLDEST_NODE = [24, 12] as const;
const SKEW_LIMIT_SECONDS = 10;
const DISK_LIMIT_BYTES = 500 * 1024 * 1024;

type Check = (config: Config) => Promise<[Verdict, string]>;

const checks: Record<string, Check> = {
  async node() {
    const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
    const fine = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
    return fine
      ? ["ok", `Node ${process.versions.node}`]
      : ["fail", `Node ${process.versions.node} is too old; run it by \`npm start\`, or install Node ${OLDEST_NODE.join(".")}`];
  },

  async "data folder"(config) {
    mkdirSync(config.data, { recursive: true, mode: 0o700 });
    accessSync(config.data, constants.W_OK);
    const { bavail, bsize } = statfsSync(config.data);
    const free = bavail * bsize;
    const megabytes = Math.round(free / 1024 / 1024);
    return free > DISK_LIMIT_BYTES
      ? ["ok", `${config.data}, ${megabytes} MB free`]
      : ["warn", `${config.data} has ${megabytes} MB left; free some, or move it by PODCREW_DATA`];
  },

  async browser(config) {
    const settings = await browserSettings(config);
    if (settings.wsEndpoint) {
      const browser = await chromium.connect(settings.wsEndpoint, { timeout: 10_000 });
      const version = browser.version();
      await browser.close();
      return ["ok", `${version} at BROWSER_WS`];
    }
    if (!settings.executablePath)
      return ["fail", "no Chromium found; run `npm start` (sets it up) or `node scripts/setup.mjs`, or name one by PODCREW_BROWSER"];
    const browser = await chromium.launch({
      executablePath: settings.executablePath,
      args: settings.args,
      env: { ...(process.env as Record<string, string>), ...settings.env },
      chromiumSandbox: settings.sandbox,
      timeout: 30_000,
    });
    const version = browser.version();
    await browser.close();
    return ["ok", `Chromium ${version}, ${settings.executablePath}`];
  },

  async sandbox(config) {
    if (config.browserWs) return ["skip", "the browser runs elsewhere"];
    const { sandbox } = await browserSettings(config);
    return sandbox ? ["ok", "on"] : ["warn", "off, because this runs as root; run podcrew as an ordinary user where you can"];
  },

  async database(config) {
    if (!config.databaseUrl)
      return ["ok", existsSync(`${config.data}/db`) ? `embedded, ${config.data}/db` : "embedded, made at the first start"];
    const { default: pg } = await import("pg");
    const client = new pg.Client({ connectionString: config.databaseUrl, connectionTimeoutMillis: 10_000 });
    await client.connect();
    try {
      const { rows } = await client.query<{ v: string }>("select current_setting('server_version') v");
      const version = rows[0]?.v ?? "?";
      return Number.parseInt(version, 10) >= 15
        ? ["ok", `PostgreSQL ${version}`]
        : ["fail", `PostgreSQL ${version} is too old; 15 or newer is needed`];
    } finally {
      await client.end();
    }
  },

  async "vault key"(config) {
    if (config.key || config.keyFile) return ["ok", config.key ? "from PODCREW_KEY" : `from ${config.keyFile}`];
    if (config.databaseUrl)
      return ["fail", "none; set PODCREW_KEY (openssl rand -base64 32) or PODCREW_KEY_FILE: all farms of one database share it"];
    return ["ok", `${config.data}/vault.key${existsSync(`${config.data}/vault.key`) ? "" : ", made at the first start"}`];
  },

  async manager(config) {
    if (!config.managerUrl) return ["skip", "MANAGER_URL is not set: the embedded one is used"];
    if (!config.apiKey) return ["fail", "API_KEY is missing; make one at the manager (`podcrew key create NAME`)"];
    const answer = await requestJson(`${config.managerUrl}/api/v1/podcast/links/00000000-0000-4000-8000-000000000000`, {
      headers: { [workerHeaders.apiKey]: config.apiKey },
      deadlineMs: 10_000,
    });
    if (answer.status === 401 || answer.status === 403)
      return ["fail", `${config.managerUrl} refuses API_KEY (${answer.status}); make a new one at the manager`];
    if (answer.status !== 404 && answer.status !== 200)
      return ["warn", `${config.managerUrl} answers ${answer.status}; is it a Podcast worker API?`];
    return ["ok", `${config.managerUrl} knows this key`];
  },

  async clock(config) {
    if (!config.managerUrl) return ["skip", "no other clock to compare with; set MANAGER_URL"];
    const answer = await requestJson(`${config.managerUrl}/healthz`, { deadlineMs: 10_000 });
    const date = Date.parse(answer.headers.get("date") ?? "");
    if (Number.isNaN(date)) return ["skip", "the manager does not tell the time"];
    const skew = Math.round((Date.now() - date) / 1000);
    return Math.abs(skew) <= SKEW_LIMIT_SECONDS
      ? ["ok", `within ${Math.abs(skew) + 1} s of the manager's`]
      : [
          "fail",
          `${Math.abs(skew)} s ${skew > 0 ? "ahead of" : "behind"} the manager's; authenticator codes will be refused. Turn on time synchronisation (timedatectl set-ntp true)`,
        ];
  },

  async mail(config) {
    const named = Object.values(config.imapServers);
    const servers: ImapServer[] = [
      ...(config.imapHost ? [{ host: config.imapHost, port: config.imapPort, tls: true, caFile: config.imapCaFile ?? null }] : []),
      ...named,
    ];
    if (servers.length === 0) return ["skip", "IMAP_HOST and IMAP_SERVERS are not set: Gmail mailboxes are read at imap.gmail.com"];
    const answers = await Promise.all(servers.map(async (server) => greet(server)));
    const worst = (["fail", "warn"] as const).find((one) => answers.some(([verdict]) => verdict === one)) ?? "ok";
    return [worst, answers.map(([, say]) => say).join("; ")];
  },

  async narration(config) {
    if (config.voiceCommand) return ["ok", "by VOICE_COMMAND"];
    try {
      import.meta.resolve("@echogarden/espeak-ng-emscripten");
      return ["ok", "espeak-ng"];
    } catch {
      return [
        "warn",
        "espeak-ng is not installed: episodes need an audio_url. `npm install @echogarden/espeak-ng-emscripten`, or set VOICE_COMMAND",
      ];
    }
  },
};

/** Does the server speak IMAP? */
async function greet({ host, port, tls, caFile }: ImapServer): Promise<[Verdict, string]> {
  const work = async (): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const socket = tls === true ? connectTls({ host, port, servername: host, rejectUnauthorized: !caFile }) : connect({ host, port });
    socket.once("data", (data: Buffer) => resolve(data.toString("utf8", 0, 80)));
    socket.once("error", reject);
    return promise.finally(() => socket.destroy());
  };
  const greeting = await withDeadline(10_000, `the greeting of ${host}`, work).catch((error: unknown) => error);
  if (typeof greeting !== "string") return ["fail", `${host}:${port}: ${greeting instanceof Error ? greeting.message : "no answer"}`];
  return greeting.startsWith("* OK") ? ["ok", `${host}:${port} answers`] : ["warn", `${host}:${port} does not speak IMAP`];
}

/** Runs every check, also after one has failed. */
export async function examine(config: Config): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [check, run] of Object.entries(checks)) {
    const [verdict, say] = await run(config).catch((error: unknown): [Verdict, string] => [
      "fail",
      redact((error as Error).message.split("\n")[0] ?? ""),
    ]);
    findings.push({ check, verdict, say });
  }
  return findings;
}

const marks = { ok: ["green", "✓"], warn: ["yellow", "!"], fail: ["red", "✗"], skip: ["dim", "-"] } as const;

export async function doctor(config: Config, json: boolean): Promise<number> {
  const findings = await examine(config);
  if (json) console.log(JSON.stringify(findings));
  else
    for (const { check, verdict, say } of findings)
      console.log(`${styleText(marks[verdict][0], marks[verdict][1])} ${check.padEnd(12)} ${say}`);
  return findings.some(({ verdict }) => verdict === "fail") ? 1 : 0;
}
