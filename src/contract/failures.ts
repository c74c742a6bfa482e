/** Who has to act so that the failure does not come back. */
export type Blame = "user" | "site" | "farm" | "manager";
/** `never`: the same input fails again. `later`: time may heal it. `person`: somebody has to look first. */
export type Retry = "never" | "later" | "person";

interface FailureRow {
  readonly blame: Blame;
  readonly retry: Retry;
  /** What happened and what to do, for a person who does not know the code. */
  readonly say: string;
}

/** Every way in which a task can end other than posted. One row a code; nothing else in the project invents codes. */
export const failures = {
  "account.refused": {
    blame: "user",
    retry: "never",
    say: "The site refused the account's name or password. Correct them in the manager; the same credentials are not tried again.",
  },
  "account.locked": {
    blame: "site",
    retry: "later",
    say: "The site has locked the account for a while. Wait until it opens again; nothing more is tried before.",
  },
  "account.challenged": {
    blame: "site",
    retry: "person",
    say: "The site asks for proof that a person is there (captcha, phone, new terms). Sign in by hand once: `podcrew hand-over TASK` opens its browser; then the task goes on.",
  },
  "account.incomplete": {
    blame: "user",
    retry: "never",
    say: "The account lacks something that this site needs to sign in. Add it in the manager.",
  },
  "account.budget": {
    blame: "farm",
    retry: "later",
    say: "The account's sign-in tries of the last 24 hours are used up; more could lock it. It is tried again later.",
  },
  "totp.refused": {
    blame: "user",
    retry: "never",
    say: "The site refused the authenticator code. Check the account's 2FA secret and this machine's clock.",
  },
  "totp.malformed": {
    blame: "user",
    retry: "never",
    say: "The account's 2FA secret is not Base32 nor an otpauth:// address. Copy it again from the site.",
  },
  "mailbox.refused": {
    blame: "user",
    retry: "never",
    say: "The mailbox refused its app password. Create a new one and put it into app_password.",
  },
  "mailbox.unreachable": {
    blame: "farm",
    retry: "later",
    say: "The mailbox's IMAP server can't be reached. Check IMAP_HOST, IMAP_PORT and the network.",
  },
  "mailbox.no_code": {
    blame: "site",
    retry: "later",
    say: "The site said that it mailed a code, and none arrived in time. Look into the mailbox and its spam folder.",
  },
  "content.empty": {
    blame: "user",
    retry: "never",
    say: "The episode has no text to narrate and no audio. Give it an about text or an audio_url.",
  },
  "content.title": { blame: "user", retry: "never", say: "The episode has no title that the site takes. Give it one." },
  "content.image": { blame: "user", retry: "never", say: "The episode's image can't be used. Give it a JPEG, PNG or WebP that opens." },
  "content.audio": { blame: "user", retry: "never", say: "The episode's audio can't be used. Give it an MP3, M4A or WAV that plays." },
  "content.unreachable": {
    blame: "user",
    retry: "later",
    say: "A file of the episode can't be fetched from its address. Check that the address opens without signing in.",
  },
  "content.forbidden_address": {
    blame: "user",
    retry: "never",
    say: "A file's address points into a private network. Use a public address, or list the host in ALLOW_PRIVATE.",
  },
  "content.refused": { blame: "user", retry: "never", say: "The site refused the episode's content. What it said stands in the detail." },
  "content.feed": {
    blame: "user",
    retry: "never",
    say: "The site does not take over this feed. What it said stands in the detail; a locked feed is unlocked where it comes from.",
  },
  "site.unsupported": {
    blame: "user",
    retry: "never",
    say: "No driver of this farm knows the site. Write one (drivers/README.md) or map the host to a driver by SITES.",
  },
  "site.changed": {
    blame: "site",
    retry: "person",
    say: "A page did not look as the driver expects. A screenshot and a trace were kept; the driver needs a look.",
  },
  "site.unreachable": { blame: "site", retry: "later", say: "The site does not answer. It is tried again later." },
  "site.slow": { blame: "site", retry: "later", say: "The site did not finish processing in time. It is tried again later." },
  "episode.in_doubt": {
    blame: "site",
    retry: "person",
    say: "The publish click's outcome is unknown and the site does not show it. Look on the site and tell the farm by `podcrew resolve`.",
  },
  "episode.duplicate_on_site": {
    blame: "site",
    retry: "person",
    say: "The site shows the episode twice. Remove one copy by hand; both addresses stand in the detail.",
  },
  "farm.browser": { blame: "farm", retry: "later", say: "The browser could not be started, or broke in the middle. Run `podcrew doctor`." },
  "farm.narration": { blame: "farm", retry: "later", say: "The text could not be narrated. Run `podcrew doctor`." },
  "farm.worker_died": {
    blame: "farm",
    retry: "later",
    say: "The worker thread ended in the middle. The task is taken up again after a look at the site.",
  },
  "farm.stopping": { blame: "farm", retry: "later", say: "The farm is shutting down. The task goes on after its next start." },
  "farm.disk": {
    blame: "farm",
    retry: "later",
    say: "The data folder can't be written. Free space or repair its permissions; nothing is posted until then.",
  },
  "farm.invariant": {
    blame: "farm",
    retry: "person",
    say: "The farm found its own records in contradiction and stopped this account. Report it with the log.",
  },
  "farm.bug": { blame: "farm", retry: "person", say: "Something broke inside the farm. Report it with the log." },
  "manager.unreachable": {
    blame: "manager",
    retry: "later",
    say: "The manager does not answer. Reports are kept and delivered when it is back.",
  },
  "manager.refused": {
    blame: "manager",
    retry: "person",
    say: "The manager refused the API key. Check API_KEY; nothing is pulled until then.",
  },
  "task.canceled": { blame: "user", retry: "never", say: "The task was canceled in the manager." },
} as const satisfies Record<string, FailureRow>;

export type FailureCode = keyof typeof failures;

/** A failure as it crosses threads and tables: plain data. `detail` is for a person and never holds a secret. */
export interface FailureData {
  readonly code: FailureCode;
  readonly detail: string;
  /** Files kept as evidence (screenshot, trace), absolute paths. */
  readonly evidence?: readonly string[];
}

/** The one error class of the project. Anything else that is thrown becomes `farm.bug`, or `farm.disk` where the disk is full. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly code: FailureCode;
  readonly detail: string;
  evidence: string[] = [];

  constructor(code: FailureCode, detail = "", options?: ErrorOptions) {
    super(detail ? `${failures[code].say} (${detail})` : failures[code].say, options);
    this.code = code;
    this.detail = detail;
  }

  toData(): FailureData {
    return { code: this.code, detail: this.detail, ...(this.evidence.length > 0 && { evidence: this.evidence }) };
  }
}

export function isFailureCode(text: string): text is FailureCode {
  return Object.hasOwn(failures, text);
}

/** What the operating system and PostgreSQL (disk_full) say when nothing more can be written. */
const fullDiskCodes: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EROFS", "53100"]);

/** Nothing more can be written, whoever says so. */
export function isFullDisk(thrown: unknown): thrown is Error {
  return thrown instanceof Error && "code" in thrown && fullDiskCodes.has(thrown.code);
}

/** Any thrown value as plain data: a full disk as `farm.disk`, unknown ones as `farm.bug` with their message. */
export function toFailureData(thrown: unknown): FailureData {
  if (thrown instanceof Failure) return thrown.toData();
  if (isFullDisk(thrown)) return { code: "farm.disk", detail: thrown.message };
  const detail = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return { code: "farm.bug", detail };
}

/** The sentence for a person: what happened, the particulars, what to do. */
export function sayFailure({ code, detail }: Pick<FailureData, "code" | "detail">): string {
  const { say } = failures[code];
  return detail ? `${detail.replace(/\.$/, "")}. ${say}` : say;
}
