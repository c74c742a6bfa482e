import type { Page } from "playwright";
import { Failure, toFailureData } from "../contract/failures.ts";
import { browserState, type Assignment, type CoordinatorCalls, type SavedSession } from "../contract/task.ts";
import type { DriverContext } from "../driver/contract.ts";
import { crashpoint } from "../kit/crashpoint.ts";
import { withDeadline } from "../kit/deadline.ts";
import { openMailbox, type Mailbox } from "../driver/mailed-code.ts";
import type { Evidence } from "./evidence.ts";
import { challengeShown } from "./explain.ts";
import { perform, type Performance } from "./perform.ts";
import type { Stage } from "./stage.ts";

/** A site's clock may be this far from ours before it explains a refused code. */
const CLOCK_TOLERANCE_MS = 15_000;
/** Between the end of a step that was waited for and the end of the driver's verb. */
const SETTLED_MS = 1000;

export interface SessionParts {
  assignment: Assignment;
  calls: CoordinatorCalls;
  stage: Stage;
  evidence: Evidence;
  signal: AbortSignal;
  /** The driver's view of the site, with the page of this moment. */
  site(mailbox?: () => Promise<Mailbox>): DriverContext;
}

/**
 * Signed in, or a failure that says why not. The stored session first; credentials are submitted as seldom as possible and
 * only after the coordinator has counted the try on disk: a site that locks accounts counts too.
 */
export class Session {
  readonly #parts: SessionParts;
  #saved = "";
  #renewed = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  async ensure(): Promise<void> {
    const { assignment, calls, evidence } = this.#parts;
    if (assignment.session || assignment.credentials.cookie) {
      await evidence.record();
      calls.step("check the session");
      const known = await this.#isSignedIn();
      await calls.sessionChecked(known);
      if (known) return;
      await this.#unlessChallenged();
    }
    await this.#signIn();
  }

  /** After a verb found itself signed out. Once a task: a session that ends twice is a site that does not let us in. */
  async renew(): Promise<void> {
    if (this.#renewed) throw new Failure("site.changed", `${this.#parts.stage.driver.site}: the session ended twice within one task`);
    this.#renewed = true;
    await this.#parts.evidence.record();
    // One stray 401 is no end of a session.
    if (await this.#isSignedIn()) return;
    await this.#unlessChallenged();
    await this.#signIn();
  }

  /** A page that asks for a person is no reason to type a password. What stands on the sign-in page itself may be passed by it. */
  async #unlessChallenged(): Promise<void> {
    const { stage } = this.#parts;
    // Some show their form at whichever address was asked for.
    const isForm = stage.driver.signInPage.test(stage.page.url()) || (await hasPasswordField(stage.page));
    const challenge = isForm ? null : await this.#challenge();
    if (challenge) throw challenge;
  }

  async #challenge(): Promise<Failure | null> {
    const { stage } = this.#parts;
    const challenge = await challengeShown(stage);
    if (challenge) stage.noteChallenge();
    return challenge;
  }

  /** A site that no longer knows us may blame the form for it: only a member's content can be refused. */
  async isTheReasonFor(error: unknown): Promise<boolean> {
    return error instanceof Failure && error.code === "content.refused" && !(await this.#isSignedIn());
  }

  async #isSignedIn(): Promise<boolean> {
    const { stage, site } = this.#parts;
    return perform(stage, this.#verb("isSignedIn"), async () => stage.driver.isSignedIn(site()));
  }

  get #isCheck(): boolean {
    return this.#parts.assignment.kind === "check";
  }

  async #signIn(): Promise<void> {
    try {
      await this.#submit({ again: true });
    } catch (error) {
      // The code may have died on its way; the next step's code is another one. Once, and counted like any other try. A check leaves
      // the other try to posting.
      if (!(error instanceof Failure) || error.code !== "totp.refused" || this.clockProblem() || this.#isCheck) throw error;
      this.#parts.calls.step("sign in again", "the code was refused");
      await this.#submit({ again: false });
    }
  }

  /** @param again another try follows where the code was refused, so this one's refusal is no last word on the credentials */
  async #submit({ again }: { again: boolean }): Promise<void> {
    const { calls, stage, evidence, signal } = this.#parts;
    calls.step("sign in");
    const may = await calls.maySubmitCredentials();
    if (!may.allowed) throw new Failure("account.budget", may.why);
    // Nothing of what is typed from here on is recorded.
    await evidence.pause();
    crashpoint("signing-in");
    const changes = stage.changes;
    // One that was stopped by what the page says is still at it, and may send yet.
    let cameToItsEnd = false;
    let signing: Promise<unknown> = Promise.resolve();
    const signIn = async (mailbox: () => Promise<Mailbox>): Promise<void> => {
      const running = stage.driver.signIn(this.#parts.site(mailbox)).finally(() => (cameToItsEnd = true));
      signing = running.catch(() => undefined);
      return running;
    };
    try {
      await this.#withMailbox(async (mailbox) => perform(stage, this.#verb("signIn"), async () => signIn(mailbox)));
      if (!(await this.#isSignedIn()))
        throw (
          (await this.#challenge()) ??
          new Failure("site.changed", `${stage.driver.site}: signIn came to its end, but the site does not know us`)
        );
    } catch (error) {
      const { code } = toFailureData(error);
      if (error instanceof Failure && !signal.aborted) await this.#untilEnded(signing);
      const unsent = cameToItsEnd && stage.changes === changes && stage.sockets === 0;
      const isLastWord = !again || code !== "totp.refused" || this.clockProblem();
      // One code that came late must not forbid these credentials to posting.
      if (!isLastWord && this.#isCheck) await calls.credentialsJudged("unclear");
      if (isLastWord)
        await calls.credentialsJudged(code === "account.refused" || code === "totp.refused" ? "refused" : unsent ? "unjudged" : "unclear");
      if (code === "mailbox.refused") await calls.mailboxRefused(true);
      throw code === "totp.refused"
        ? new Failure("totp.refused", [toFailureData(error).detail, this.clockProblem()].filter(Boolean).join("; "))
        : error;
    }
    await calls.credentialsJudged("accepted");
    await this.save({ kind: "begun" });
    await evidence.record();
  }

  /** A wall that was met before anything was typed leaves the driver waiting for a field: by then it is known that nothing was sent. */
  async #untilEnded(signing: Promise<unknown>): Promise<void> {
    const within = this.#parts.assignment.stepTimeoutMs + SETTLED_MS;
    await withDeadline(within, "the end of signIn", async () => signing).catch(() => undefined);
  }

  /** Where the account has a mailbox, its end is noted before the site can be asked for a code. */
  async #withMailbox<T>(work: (mailbox: () => Promise<Mailbox>) => Promise<T>): Promise<T> {
    const { assignment, calls, signal } = this.#parts;
    const { credentials, imap } = assignment;
    const takeCode = async (codeHash: string): Promise<boolean> => calls.takeMailedCode(codeHash);
    const open = async (): Promise<Mailbox> => {
      const may = await calls.mayOpenMailbox();
      if (!may.allowed) throw new Failure("mailbox.refused", may.why);
      return openMailbox({ account: credentials, imap, takeCode, signal }).catch(async (error: unknown) => {
        if (toFailureData(error).code === "mailbox.refused") await calls.mailboxRefused(false);
        throw error;
      });
    };
    // Not every sign-in asks for a code: a mailbox that can't be opened only matters when it does.
    const opened =
      credentials.appPassword || (credentials.passMail && imap)
        ? await open().catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
        : null;
    try {
      return await work(async () => {
        if (opened && !(opened instanceof Error)) return opened;
        throw (
          opened ?? new Failure("account.incomplete", "the site mails a code, and the account has no app_password to read its mailbox with")
        );
      });
    } finally {
      if (opened && !(opened instanceof Error)) opened.close();
    }
  }

  /** "" while the site's clock, as far as it tells, is ours: authenticator codes depend on it. */
  clockProblem(): string {
    const aheadMs = this.#parts.stage.lastDocument?.clockAheadMs ?? 0;
    if (Math.abs(aheadMs) < CLOCK_TOLERANCE_MS) return "";
    return `the site's clock is ${Math.abs(Math.round(aheadMs / 1000))} s ${aheadMs > 0 ? "ahead of" : "behind"} this machine's`;
  }

  #verb(verb: string): Performance {
    const { signal, assignment } = this.#parts;
    return { verb, signal, deadlineMs: verbDeadlineMs(assignment), needsSession: false };
  }

  /** A challenge belongs to this very session: a person goes on in it, on this page. */
  async saveForPerson(): Promise<void> {
    const { stage, assignment } = this.#parts;
    await this.save({ kind: "stopped", page: stage.challengedAt ?? assignment.origin });
  }

  /** Keeps the browser's state where it differs from what was kept last. */
  async save(how: SavedSession = { kind: "kept" }): Promise<void> {
    const { stage, calls, assignment } = this.#parts;
    const raw = await stage.context.storageState({ indexedDB: true }).catch(async () => stage.context.storageState());
    const state = browserState.parse(raw);
    const text = JSON.stringify(state);
    if (how.kind === "kept" && text === (this.#saved || JSON.stringify(assignment.session))) return;
    const cookies = await stage.context.cookies(assignment.origin);
    await calls.saveSession(state, cookies.map(({ name, value }) => `${name}=${value}`).join("; "), how);
    this.#saved = text;
  }
}

async function hasPasswordField(page: Page): Promise<boolean> {
  const fields = page.locator('input[type="password"]').filter({ visible: true });
  return fields.count().then(
    (count) => count > 0,
    () => false,
  );
}

/** A verb is several steps, and signing in may wait for a mail. */
export function verbDeadlineMs({ stepTimeoutMs }: Assignment): number {
  return stepTimeoutMs * 10;
}
