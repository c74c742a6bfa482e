import type { APIRequestContext, Locator, Page } from "playwright";
import type { z } from "zod";
import type { FailureCode } from "../contract/failures.ts";
import type { Credentials, DriverCard, PreparedEpisode } from "../contract/task.ts";

/**
 * What a driver author may see, on one screen. A driver says how one site looks; loops, retries, time-outs, the journal
 * and the guard around the publish request belong to the engine.
 */

/** One episode, its text and files already fixed to the driver's `limits`. `marker` is unique to it: find it again by that. */
export type Episode = Omit<PreparedEpisode, "feed">;

/** A copy of an episode on the site. `link`: the public page, absolute or relative; "" where the site has none, then `id` is set. */
export interface Copy {
  link: string;
  id?: string;
}

/** A row of the site's own list of episodes. `id`: never given to another episode. */
export interface Entry extends Copy {
  id: string;
  title: string;
}

export interface MailedCodeQuery {
  /** Allowed senders: "no-reply@site.com", or "@site.com" for every address there. */
  from: string | readonly string[];
  /** Its first group (or the whole match) is the code; looked for in the subject, then in the text. Default: six digits. */
  pattern?: RegExp;
  /** Presses "send again", at most once, when half of the time has passed. */
  resend?: () => Promise<void>;
}

/** What every verb is given. */
export interface DriverContext<Account = unknown> {
  /** Relative addresses start at the site's origin. */
  page: Page;
  /** The same session without a page; much cheaper where the site has an API of its own. */
  request: APIRequestContext;
  /** The account as the driver's `account` schema gave it out. */
  account: Account;
  /** e.g. "https://studio.example.com" */
  origin: string;
  /** An authenticator code for a Base32 seed or otpauth:// address. Waits until one is fresh; never gives the same twice. */
  totp(secret: string): Promise<string>;
  /** The code that the site has just mailed to the account's inbox. */
  mailedCode(query: MailedCodeQuery): Promise<string>;
  /**
   * Fills a field (input, textarea, plain contenteditable) in place of what was there, and types again what a pop-up took. Use it for
   * each field: Playwright's `fill()` says nothing of an empty one. How the field writes the text (cut, trimmed) is its own affair.
   */
  writeText(field: Locator, text: string): Promise<void>;
  /** Puts HTML into a rich-text editor (Quill, TipTap, any contenteditable) or textarea, in place of what was there, and reads it back. */
  writeHtml(editor: Locator, html: string): Promise<void>;
  /** Says to people watching what is done now: "upload the audio". */
  step(name: string, detail?: string): void;
}

/** The one request that makes an episode public. The engine holds it at a gate; nothing else may match. */
export interface PublishRequest {
  method: "POST" | "PUT" | "PATCH" | "GET";
  /** Matched against the whole address. */
  url: RegExp;
  /** Matched against the body, for sites that send everything to one address. */
  body?: RegExp;
  /** "continue": the browser sends it itself; only for sites that break when the engine sends it in its place (bodies with files). */
  via?: "fetch" | "continue";
}

/** Words on a page that mean an end. `within` is a CSS selector that narrows where they count, so that an episode's own text is no refusal. */
export type Refusal = RegExp | { text: RegExp; within: string };

/** A pop-up that may come at any time. */
export interface Interruption {
  shows(page: Page): Locator;
  dismiss(page: Page): Promise<void>;
}

export type Limits = DriverCard["limits"];

/** What the engine hands to the `account` schema: blanks are left out. */
export type AccountFields = Partial<Omit<Credentials, "cookie">>;

/**
 * How a site takes over a show by its feed: the steps of an episode with the feed's address in its place, and guarded like them.
 * An import can't be undone either.
 */
export interface FeedImport<Schema extends z.ZodType = z.ZodType> {
  /** The one request that takes the show over, as `publishRequest` of the driver is for an episode. */
  publishRequest: PublishRequest;
  /** All shows of the account that were imported from this feed; [] means "surely none". One that was begun and not confirmed is none. */
  find(site: DriverContext<z.output<Schema>>, feedUrl: string): Promise<Copy[]>;
  /**
   * Hands the address in, types the ownership code, up to the last button. Repeatable. `mailedCode` reads the mailbox of the
   * feed's `itunes:email`, whose end was noted before this verb began.
   */
  prepare(site: DriverContext<z.output<Schema>>, feedUrl: string): Promise<void>;
  /** The last button. Returns the show's public page. */
  confirm(site: DriverContext<z.output<Schema>>, feedUrl: string): Promise<Copy | void>;
}

export interface DriverDeclaration<Schema extends z.ZodType = z.ZodType> {
  /** The driver's name, kebab-case. */
  site: string;
  /** Hosts that it serves, with a port that is not the default; or one `origin`. */
  hosts?: readonly string[];
  origin?: string;
  /** Which of `email, username, password, passMail, twofa, appPassword, apiToken` the site needs; blanks count as absent. */
  account: Schema;
  /** What is typed to sign in, so that accounts with one login share one budget of tries. Default "email", or the username where there is none. */
  login?: DriverCard["login"];
  /** drafts: create, then publish by id. list: episodes can be listed. blind: neither. Default "list". */
  tier?: DriverCard["tier"];
  /** Only what differs from the usual studio. */
  limits?: Partial<Limits>;
  refusals?: Partial<Record<FailureCode, Refusal>>;
  interruptions?: readonly Interruption[];
  /** Language that the browser asks the site for, so that text selectors hold, e.g. "zh-TW". Default: the farm's LOCALE. */
  locale?: string;
  /** Address of the sign-in page: coming there in any verb but `signIn` means that the session has ended. */
  signInPage?: RegExp;
  publishRequest: PublishRequest;
  /** "request": `publish` uses `request` instead of the page. Default "browser". */
  post?: DriverCard["post"];
  /** How long the site may take to show what was published, ms. Default 120,000. */
  settleMs?: number;
  /** Sessions that the site may see from this farm at a time. Default 1. */
  concurrency?: number;

  /** Opens a page that only members see and says whether it came. */
  isSignedIn(site: DriverContext<z.output<Schema>>): Promise<boolean>;
  /** Ends signed in, or with a refusal's words on the page. */
  signIn(site: DriverContext<z.output<Schema>>): Promise<void>;
  /**
   * All published (or scheduled) copies of the episode, by its marker; [] means "surely none". Drafts don't count. Left out where
   * the site keeps no marker (then there is `list`), or shows nothing at all (tier blind).
   */
  find?(site: DriverContext<z.output<Schema>>, episode: Episode): Promise<Copy[]>;
  /**
   * All published (or scheduled) episodes on the site; for sites that keep no marker. What is new since before the click, carries
   * the episode's title and belongs to no other one is taken for it.
   */
  list?(site: DriverContext<z.output<Schema>>): Promise<Entry[]>;
  /**
   * Fills everything in, up to the last button. Repeatable: continues `draftId` or the draft with our marker, and brings it to what
   * the episode is now, its recording too. Returns the draft's id where there is one.
   */
  draft(site: DriverContext<z.output<Schema>>, episode: Episode, draftId: string | null): Promise<string | void>;
  /** The one thing that can't be undone. Returns what the site shows afterwards. */
  publish(site: DriverContext<z.output<Schema>>, episode: Episode, draftId: string | null): Promise<Copy | void>;
  /** Removes a draft that nobody will publish; one that is gone already is fine. */
  discard?(site: DriverContext<z.output<Schema>>, episode: Episode, draftId: string): Promise<void>;
  /** The show's RSS link. */
  feed(site: DriverContext<z.output<Schema>>): Promise<string>;
  /** For sites that take over a show by its feed. */
  importFeed?: FeedImport<Schema>;
}

/** A checked declaration with every default in place. */
export interface Driver<Schema extends z.ZodType = z.ZodType> extends DriverDeclaration<Schema> {
  hosts: readonly string[];
  tier: DriverCard["tier"];
  limits: Limits;
  refusals: Partial<Record<FailureCode, Refusal>>;
  interruptions: readonly Interruption[];
  signInPage: RegExp;
  post: DriverCard["post"];
  settleMs: number;
  concurrency: number;
  login: DriverCard["login"];
}
