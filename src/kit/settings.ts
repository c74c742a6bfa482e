import { z } from "zod";
import { mediaAddress } from "./media-address.ts";
import {
  decimal,
  flag,
  httpUrl,
  imapServers,
  list,
  networks,
  plan,
  port,
  sites,
  timeZone,
  vaultKey,
  wholeNumber,
} from "./setting-kinds.ts";

export interface Setting {
  env: string;
  schema: z.ZodType;
  say: string;
  example: string;
  /** Never shown; masked in logs; kept from drivers. */
  secret?: true;
  /** No secret itself, but the way to one: kept from drivers. */
  keptBack?: true;
}

/** All settings. Order of precedence: flags > environment > `podcrew.config.{ts,js,json}` > defaults. */
export const settings = {
  data: { env: "PODCREW_DATA", schema: z.string().min(1).default(".podcrew"), say: "data folder", example: "./.podcrew" },
  databaseUrl: {
    env: "DATABASE_URL",
    schema: z.url({ protocol: /^postgres(ql)?$/, error: "not a postgres:// address" }).optional(),
    say: "PostgreSQL >= 15; absent: embedded",
    example: "postgres://podcrew:…@127.0.0.1:5432/podcrew",
    secret: true,
  },
  managerUrl: {
    env: "MANAGER_URL",
    schema: httpUrl.optional(),
    say: "the manager that the farm pulls from",
    example: "https://manager.example.com",
  },
  apiKey: { env: "API_KEY", schema: z.string().min(1).optional(), say: "the farm's key at that manager", example: "pck_…", secret: true },
  concurrency: {
    env: "CONCURRENCY",
    schema: wholeNumber(0, 256).default(4),
    say: "tasks at a time; 0: everything is up, nothing is pulled",
    example: "4",
  },
  workerId: {
    env: "WORKER_ID",
    schema: z.string().min(1).max(100).optional(),
    say: "the farm's name at the manager, the same for all on one database; absent: made once and kept there",
    example: "farm-1",
  },
  pollSeconds: {
    env: "POLL_SECONDS",
    schema: decimal(0.2, 3600).default(5),
    say: "pause between two pulls that brought nothing, s",
    example: "5",
  },
  managerPort: { env: "MANAGER_PORT", schema: port.default(8700), say: "the manager's port", example: "8700" },
  studioPort: { env: "STUDIO_PORT", schema: port.default(8710), say: "the studio's port", example: "8710" },
  taskPort: { env: "TASK_PORT", schema: port.default(50_809), say: "the farm's port", example: "50809" },
  host: { env: "HOST", schema: z.string().min(1).default("127.0.0.1"), say: "bind address of all listeners", example: "0.0.0.0" },
  allowedHosts: {
    env: "ALLOWED_HOSTS",
    schema: list.default([]),
    say: "host names under which pages and the Task API may be asked",
    example: "studio.example.com,manager.example.com",
  },
  trustedProxies: {
    env: "TRUSTED_PROXIES",
    schema: networks.default([]),
    say: "proxies before the manager whose X-Forwarded-For says who calls; absent: none, the header is ignored",
    example: "127.0.0.1,10.0.0.0/8",
  },
  publicManagerUrl: {
    env: "PUBLIC_MANAGER_URL",
    schema: httpUrl.optional(),
    say: "the manager's address as others see it",
    example: "https://manager.example.com",
  },
  publicStudioUrl: {
    env: "PUBLIC_STUDIO_URL",
    schema: httpUrl.optional(),
    say: "the studio's address as others see it",
    example: "https://studio.example.com",
  },
  allowPrivate: {
    env: "ALLOW_PRIVATE",
    schema: list.default([]),
    say: "private hosts whose files may be fetched, with port",
    example: "127.0.0.1:8700,nas.local",
  },
  taskToken: {
    env: "TASK_TOKEN",
    schema: z.string().min(8, "shorter than 8 characters").optional(),
    say: "word without which the Task API answers nobody, as Authorization: Bearer …; absent: whoever reaches the port may call",
    example: "demo-task-token",
    secret: true,
  },
  taskPlan: {
    env: "TASK_PLAN",
    schema: plan.default("Self-hosted"),
    say: "plan that the Task API names; Starter has no API",
    example: "Pro",
  },
  timeZone: {
    env: "TIME_ZONE",
    schema: timeZone.default(Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC"),
    say: "time zone of schedules and browsers",
    example: "Asia/Ho_Chi_Minh",
  },
  locale: { env: "LOCALE", schema: z.string().min(2).default("en-US"), say: "language that browsers ask sites for", example: "en-US" },
  key: {
    env: "PODCREW_KEY",
    schema: vaultKey.optional(),
    say: "vault key, 32 bytes in Base64",
    example: "openssl rand -base64 32",
    secret: true,
  },
  keyFile: {
    env: "PODCREW_KEY_FILE",
    schema: z.string().optional(),
    say: "file that holds the vault key",
    example: "/run/secrets/podcrew-key",
    keptBack: true,
  },
  browser: {
    env: "PODCREW_BROWSER",
    schema: z.string().optional(),
    say: "Chromium executable",
    example: "/usr/lib/chromium/chromium-headless-shell",
  },
  browserWs: {
    env: "BROWSER_WS",
    schema: z.url({ protocol: /^wss?$/ }).optional(),
    say: "a Playwright browser server of the same version",
    example: "ws://browsers:3000/",
  },
  headed: { env: "HEADED", schema: flag.default(false), say: "show the browser", example: "1" },
  logLevel: {
    env: "LOG_LEVEL",
    schema: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
    say: "least level that is logged",
    example: "debug",
  },
  logFormat: {
    env: "LOG_FORMAT",
    schema: z.enum(["json", "pretty"]).default(process.stderr.isTTY ? "pretty" : "json"),
    say: "log format",
    example: "json",
  },
  managerEmail: {
    env: "MANAGER_EMAIL",
    schema: z.string().optional(),
    say: "who the commands are signed in as",
    example: "me@example.com",
  },
  managerPassword: {
    env: "MANAGER_PASSWORD",
    schema: z.string().optional(),
    say: "their password",
    example: "demo-password",
    secret: true,
  },
  studioUrl: {
    env: "STUDIO_URL",
    schema: httpUrl.optional(),
    say: "the studio that the show commands ask; absent: the one here",
    example: "https://studio.example.com",
  },
  studioKey: {
    env: "STUDIO_KEY",
    schema: z.string().min(1).optional(),
    say: "its admin key, or a token; absent: the key in the data folder",
    example: "pcs_…",
    secret: true,
  },
  reveal: {
    env: "PODCREW_REVEAL",
    schema: flag.default(false),
    say: "the manager shows accounts' secrets in its answers, as the texts of the APIs have them",
    example: "1",
  },
  drivers: { env: "DRIVERS", schema: z.string().optional(), say: "folder with your own drivers", example: "./drivers" },
  sites: {
    env: "SITES",
    schema: sites.default({}),
    say: "hosts that a driver serves besides its own",
    example: "pod.example.com=podcrew-studio",
  },
  mediaDirs: { env: "MEDIA_DIRS", schema: list.default([]), say: "folders from which local files may be posted", example: "/srv/episodes" },
  imapHost: {
    env: "IMAP_HOST",
    schema: z.string().optional(),
    say: "IMAP server of the accounts' mailboxes; absent: the usual one of the address, such as imap.gmail.com",
    example: "imap.gmail.com",
  },
  imapPort: { env: "IMAP_PORT", schema: port.default(993), say: "its port, TLS", example: "993" },
  imapCaFile: {
    env: "IMAP_CA_FILE",
    schema: z.string().optional(),
    say: "certificate authority of that server",
    example: "/etc/ssl/mail-ca.pem",
  },
  imapServers: {
    env: "IMAP_SERVERS",
    schema: imapServers.default({}),
    say: "IMAP servers by mail domain or whole address, before IMAP_HOST: imaps:// (TLS), imap:// (STARTTLS), login as user@ if it is another, ?ca=FILE",
    example: "example.com=imaps://mail.example.com:993?ca=/etc/ssl/mail-ca.pem,shows@example.org=imap://inbox@mail.example.org",
  },
  smtpUrl: {
    env: "SMTP_URL",
    schema: z.url({ protocol: /^(smtps?|lmtp)$/ }).optional(),
    say: "the studio mails sign-in and ownership codes through it",
    example: "smtp://user:demo-secret@mail.example.com:587",
    secret: true,
  },
  mailFrom: {
    env: "MAIL_FROM",
    schema: z.string().default("studio@podcrew.example"),
    say: "sender of the studio's mails",
    example: "no-reply@studio.example.com",
  },
  mediaStore: {
    env: "MEDIA_STORE",
    schema: mediaAddress.default({ kind: "disk" }),
    say: "where the studio keeps media: disk (in its data folder), or a bucket of any store that speaks S3, ?endpoint=URL&region=NAME&style=path|host",
    example: "s3://podcasts/media?endpoint=https://s3.example.com&region=eu-1",
  },
  mediaStoreKeyId: {
    env: "MEDIA_STORE_KEY_ID",
    schema: z.string().min(1).optional(),
    say: "access key of that store",
    example: "AKIA…",
    keptBack: true,
  },
  mediaStoreSecret: {
    env: "MEDIA_STORE_SECRET",
    schema: z.string().min(1).optional(),
    say: "its secret",
    example: "wJalr…",
    secret: true,
  },
  voiceCommand: {
    env: "VOICE_COMMAND",
    schema: z.string().optional(),
    say: "a command that narrates: text on stdin, WAV on stdout; {language} and {voice} are replaced",
    example: "piper --output_file - --model {voice}",
  },
  stepSeconds: { env: "STEP_SECONDS", schema: decimal(1, 3600).default(60), say: "upper bound of one step on a site, s", example: "60" },
  imageSeconds: {
    env: "IMAGE_SECONDS",
    schema: decimal(1, 3600).default(60),
    say: "how long an episode's picture may take to arrive, s",
    example: "60",
  },
  settleSeconds: {
    env: "SETTLE_SECONDS",
    schema: decimal(0, 86_400).optional(),
    say: "how long a site is left alone before an unknown click is looked up, s; absent: the driver's",
    example: "120",
  },
  leaseSeconds: {
    env: "LEASE_SECONDS",
    schema: decimal(2, 3600).default(60),
    say: "a claim whose holder gives no sign of life for so long is taken back, s",
    example: "60",
  },
  repost: {
    env: "REPOST",
    schema: z.enum(["after-look", "never"]).default("after-look"),
    say: "what becomes of an unknown click that the site does not show: posted again once, or left to a person",
    example: "never",
  },
} as const satisfies Record<string, Setting>;
