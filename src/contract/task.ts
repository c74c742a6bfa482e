import { z } from "zod";
import { failures, type FailureCode } from "./failures.ts";

/**
 * What crosses the border between the farm's main thread and a worker thread: plain data only, checked by zod on arrival.
 * An Error loses its class and code on the way, so failures travel as rows.
 */

/** What the coordinator must know of a driver; the driver itself is only ever loaded inside a worker thread. */
export const driverCard = z.object({
  site: z.string(),
  /** Module address of the driver file. */
  module: z.string(),
  hosts: z.array(z.string()),
  /** T1 drafts, T2 list, T3 blind: how an unknown outcome can be cleared up. */
  tier: z.enum(["drafts", "list", "blind"]),
  /** How long after an unknown click the site is left alone before the look, ms. */
  settleMs: z.number(),
  /** Sessions that may be open on the site at a time. */
  concurrency: z.number().int().positive(),
  /** It can take a draft away again. */
  discards: z.boolean(),
  /** It can take over a show by its feed. */
  imports: z.boolean(),
  post: z.enum(["browser", "request"]),
  /** What it exports beside its driver: names that the Task API takes for `script_name`. */
  scripts: z.array(z.string()).optional(),
  /** The field by which the site knows an account; where it is blank, the other one. */
  login: z.enum(["email", "username"]),
  /** The language that its browsers ask for; absent: the farm's. */
  locale: z.string().optional(),
  limits: z.object({
    /** `tooLong`: may a longer one be cut, or is its episode refused? */
    title: z.object({ maxCharacters: z.number(), tooLong: z.enum(["cut", "refuse"]).optional() }),
    about: z.object({ tags: z.array(z.string()), maxCharacters: z.number() }),
    /** Square, in px; JPEG at most `maxBytes`. */
    cover: z.object({ minPixels: z.number(), maxPixels: z.number(), maxBytes: z.number() }),
    /** File name endings that the site takes, e.g. ["mp3"]. */
    audio: z.object({ formats: z.array(z.string()), maxBytes: z.number() }),
  }),
});
export type DriverCard = z.infer<typeof driverCard>;

export const failureData = z.object({
  code: z.enum(Object.keys(failures) as [FailureCode, ...FailureCode[]]),
  detail: z.string(),
  evidence: z.array(z.string()).readonly().optional(),
});

/** An episode with its files fixed to the site's limits. Paths are absolute, on this machine. */
export const preparedEpisode = z.object({
  id: z.string(),
  title: z.string(),
  /** Sanitised to the driver's subset. */
  aboutHtml: z.string(),
  aboutText: z.string(),
  coverPath: z.string().nullable(),
  audioPath: z.string(),
  audioSeconds: z.number(),
  language: z.string(),
  narrated: z.boolean(),
  /** `ep-<16 Base32 characters>`, unique for (account, episode id); also the beginning of the audio file's name. */
  marker: z.string(),
  /** An import: the id is this feed's address, and there are no files. `ownerEmail` is the feed's own word, "" where it names nobody. */
  feed: z.object({ ownerEmail: z.string() }).optional(),
});
export type PreparedEpisode = z.infer<typeof preparedEpisode>;

/** Sign-in data as the manager hands it out: "" where absent, never logged. */
export const credentials = z.object({
  email: z.string(),
  username: z.string(),
  password: z.string(),
  passMail: z.string(),
  twofa: z.string(),
  appPassword: z.string(),
  /** For the site's own API, where it has one; nothing else is ever put here. */
  apiToken: z.string().optional(),
  /** `k=v; k2=v2` for the site's host; used only when there is no stored session. */
  cookie: z.string(),
});
export type Credentials = z.infer<typeof credentials>;

/** What opens a mailbox besides the account's own. */
export const mailboxCredentials = credentials.pick({ email: true, passMail: true, appPassword: true });
export type MailboxCredentials = z.infer<typeof mailboxCredentials>;
/** The account's own mailbox, or that of the owner of the feed to import. Absent: the account's. */
export type MailboxOf = "account" | "owner";

/** Playwright's storageState, with IndexedDB. Opaque to everybody but worker/. */
export const browserState = z.looseObject({ cookies: z.array(z.looseObject({ name: z.string() })), origins: z.array(z.unknown()) });
export type BrowserState = z.infer<typeof browserState>;

export const browserSettings = z.object({
  /** null: Playwright's own. */
  executablePath: z.string().nullable(),
  /** Full Chromium for headed runs; null: as executablePath. */
  headedExecutablePath: z.string().nullable(),
  headed: z.boolean(),
  sandbox: z.boolean(),
  wsEndpoint: z.string().nullable(),
  slowMoMs: z.number(),
  /** Extra variables for the browser process (a library path for the npm-shipped one). */
  env: z.record(z.string(), z.string()),
  args: z.array(z.string()),
});
export type BrowserSettings = z.infer<typeof browserSettings>;

export const imapSettings = z.object({
  host: z.string(),
  port: z.number(),
  /** "starttls": the connection begins in the clear and is not used until it is not. */
  tls: z.union([z.boolean(), z.literal("starttls")]),
  caFile: z.string().nullable(),
  /** Whom to sign in as; absent: the account's address without its plus-tag. */
  user: z.string().optional(),
});

/** One task for one account on one site, handed to a worker thread together with a MessagePort (`port`, transferred). */
export const assignment = z.object({
  taskId: z.string(),
  /** `site:account id`: the unit of "one session at a time". */
  accountKey: z.string(),
  site: z.string(),
  driverModule: z.string(),
  /** e.g. "http://127.0.0.1:8710" */
  origin: z.string(),
  credentials,
  /** "import": its one piece of work is a feed that the site is to take over. "check": to be signed in; nothing is changed there. */
  kind: z.enum(["post", "import", "check"]),
  /** Whose feed it is, where that may be somebody else than the account. */
  feedMailbox: mailboxCredentials.nullable(),
  /** Where that one is read; null: at the usual server of its address' provider. */
  feedImap: imapSettings.nullable(),
  session: browserState.nullable(),
  locale: z.string(),
  timeZone: z.string(),
  browser: browserSettings,
  /** Where the account's mailbox is read; null: at the usual server of its address' provider. */
  imap: imapSettings.nullable(),
  /** Folder for evidence of this task, made on first use. */
  evidenceDir: z.string(),
  /** post: the whole. rehearse: stop before the irreversible step and keep nothing (debug). walk: the same, and note all that is looked for. */
  mode: z.enum(["post", "rehearse", "walk"]),
  /** Upper bound of one step of the driver, ms. */
  stepTimeoutMs: z.number(),
});
export type Assignment = z.infer<typeof assignment>;

export const assignmentResult = z.object({
  outcome: z.enum(["done", "stopped", "failed"]),
  failure: failureData.optional(),
});
export type AssignmentResult = z.infer<typeof assignmentResult>;

/** What a worker is told when it asks for its next piece of work. */
export const nextEpisode = z.discriminatedUnion("kind", [
  /**
   * `post`: look, draft, publish. `look`: an outcome is unknown, only look, and keep evidence if it is not there. `count`: it is
   * posted; how many copies are there? All start with `looked`.
   */
  z.object({
    kind: z.literal("episode"),
    purpose: z.enum(["post", "look", "count"]),
    fence: z.number(),
    draftId: z.string().nullable(),
    episode: preparedEpisode,
    position: z.number(),
    total: z.number(),
  }),
  /** A draft that nobody will publish any more: take it away, then say `discarded`. Only for drivers that can. */
  z.object({ kind: z.literal("discard"), draftId: z.string(), episode: preparedEpisode }),
  /** All that was to do is on the site: read the feed link (not after an import) and end. */
  z.object({ kind: z.literal("finish") }),
  z.object({ kind: z.literal("stop"), reason: z.string() }),
]);
export type NextEpisode = z.infer<typeof nextEpisode>;

/** A copy of an episode as the site shows it. `link` may be "" where the site has none; then `id` is set. */
export const siteCopy = z.object({ link: z.string(), id: z.string() });
export type SiteCopy = z.infer<typeof siteCopy>;

/** A row of the site's own list of episodes. `link` may be "". */
export const siteEntry = z.object({ id: z.string(), title: z.string(), link: z.string() });
export type SiteEntry = z.infer<typeof siteEntry>;

/**
 * What a look at the site showed. `copies`: what carries the episode's marker, null where the site keeps none. `entries`: the
 * rows of the site's list, where it has one. `evidence`: files that show it, of a look at a doubt that found nothing.
 */
export const sighting = z.object({
  copies: z.array(siteCopy).nullable(),
  entries: z.array(siteEntry).default([]),
  evidence: z.array(z.string()).default([]),
});
export type Sighting = z.infer<typeof sighting>;

/** An episode's key in every call: the ledger refuses a call whose fence is not the newest. */
export interface EpisodeRef {
  episodeId: string;
  fence: number;
}

export type SubmitVerdict = "accepted" | "refused" | "unclear" | "unjudged";

/** begun: just signed in. kept: as it is at a task's end. stopped: the site asks for a person, on this page. */
export type SavedSession = { kind: "begun" | "kept" } | { kind: "stopped"; page: string };

/** What happened to the one irreversible request. */
export type SendOutcome =
  | { kind: "proof"; copy: SiteCopy; httpStatus: number | null }
  /** Nothing left this machine: refused connection, closed gate. Harmless to repeat. */
  | { kind: "unsent"; why: string }
  /** Anything else. `evidence`: files that show the page before and after. */
  | { kind: "unknown"; why: string; evidence?: string[] };

/** Calls from a worker thread to the coordinator (birpc over the transferred port). Every answer is plain data; none throws for an expected case. */
export interface CoordinatorCalls {
  /** Re-reads the task at its source (cancel), waits for the prepared files, claims the episode. */
  next(): Promise<NextEpisode>;
  /** The look before arming, at a doubt, or after the proof. `go` false: don't draft. */
  looked(ref: EpisodeRef, seen: z.input<typeof sighting>): Promise<{ go: boolean; why: string }>;
  /** A draft exists under this id; kept so that a repeat finds it. */
  drafted(ref: EpisodeRef, draftId: string): Promise<void>;
  /** The draft is gone from the site. */
  discarded(episodeId: string, draftId: string): Promise<void>;
  /** Right before the click: re-reads the task (cancel), moves ready -> armed where the fence is ours, flushes to disk. */
  arm(ref: EpisodeRef): Promise<{ armed: boolean; why: string }>;
  /** The publish request is held by the gate: may it go? Only within 2 s of the arm (renewed here where the fence is still ours). */
  gate(ref: EpisodeRef): Promise<{ pass: boolean; why: string }>;
  sent(ref: EpisodeRef, outcome: SendOutcome): Promise<void>;
  /** This episode can't be posted, the next one may be (its content was refused). Ends the claim. */
  episodeFailed(ref: EpisodeRef, failure: z.infer<typeof failureData>): Promise<void>;
  /** Before credentials are submitted: counted on disk first. `waitMs` > 0: not now. */
  maySubmitCredentials(): Promise<{ allowed: boolean; why: string }>;
  /** The site accepted or refused the credentials that were submitted. "unjudged": surely nothing was sent. */
  credentialsJudged(verdict: SubmitVerdict): Promise<void>;
  /** Before the account's mailbox is signed in to: not with a password that it refused. */
  mayOpenMailbox(whose?: MailboxOf): Promise<{ allowed: boolean; why: string }>;
  /** The mailbox refused its password. `needed`: the site asked for a mailed code, so that signing in there is no use. */
  mailboxRefused(needed: boolean, whose?: MailboxOf): Promise<void>;
  /** The kept session was shown to the site, which knew it or did not. */
  sessionChecked(known: boolean): Promise<void>;
  /** Takes a TOTP time step for a seed (given as a hash); false when it was used before, anywhere in the fleet. */
  takeTotpStep(seedHash: string, step: number): Promise<boolean>;
  /** Takes a mailed code (as a hash with its message); false when it was used before. */
  takeMailedCode(codeHash: string): Promise<boolean>;
  /** Keeps the session; `cookie` is its `k=v; k2=v2` form for the site's host. */
  saveSession(state: BrowserState, cookie: string, how: SavedSession): Promise<void>;
  /** The show's RSS link. */
  feed(linkRss: string): Promise<void>;
  /** What the task is doing now, for people. Not awaited. */
  step(name: string, detail?: string): void;
}

/** Calls from the coordinator into a worker thread. */
export interface WorkerCalls {
  /** Stops at the next safe point; after 5 s the context is closed, then the thread is ended. */
  cancel(reason: string): void;
  /** "Are you alive?" A thread whose event loop is blocked can't answer. */
  ping(): void;
}
