import { Failure } from "../contract/failures.ts";
import type { Assignment, CoordinatorCalls, PreparedEpisode } from "../contract/task.ts";
import { createContext } from "../driver/context.ts";
import { guardBy } from "../driver/requests.ts";
import type { Copy, Driver, DriverContext } from "../driver/contract.ts";
import type { Mailbox } from "../driver/mailed-code.ts";
import { createTotp } from "../driver/totp.ts";
import { crashpoint } from "../kit/crashpoint.ts";
import type { Evidence } from "./evidence.ts";
import { SignedOut } from "./explain.ts";
import type { Rehearsal } from "./rehearsal.ts";
import { guardRequests, type Gate } from "./gate.ts";
import { withOwnersMailbox } from "./owners-mailbox.ts";
import { perform } from "./perform.ts";
import { Session, verbDeadlineMs } from "./session.ts";
import type { Stage } from "./stage.ts";

export interface VerbParts {
  assignment: Assignment;
  driver: Driver;
  account: unknown;
  stage: Stage;
  calls: CoordinatorCalls;
  evidence: Evidence;
  signal: AbortSignal;
  /** Notes what the driver looks for; null: nobody asked. */
  rehearsal: Rehearsal | null;
}

/** A driver's verbs within one task: as a member, and signed in once more where the session ends in the middle. */
export class Verbs {
  readonly session: Session;
  readonly #parts: VerbParts;
  readonly #totp: (secret: string) => Promise<string>;
  /** The gate of the publish that is going on, for drivers that publish by `request`. */
  #gate: Gate | null = null;

  constructor(parts: VerbParts) {
    const { calls, signal } = parts;
    this.#parts = parts;
    this.session = new Session({ ...parts, site: (mailbox) => this.#site(mailbox ? "signIn" : "isSignedIn", mailbox) });
    this.#totp = createTotp({
      takeStep: async (seedHash, step) => calls.takeTotpStep(seedHash, step),
      signal,
      onWait: (waitMs) => calls.step("sign in", `waits ${Math.ceil(waitMs / 1000)} s for the next authenticator code`),
    });
  }

  /** Filling in. Where it is an import, a code may come to the feed's owner. */
  async draft<T>(episode: PreparedEpisode, work: (site: DriverContext) => Promise<T>): Promise<T> {
    if (!episode.feed) return this.perform("draft", episode, work);
    return withOwnersMailbox(this.#parts, episode.feed.ownerEmail, async (mailbox) => this.perform("draft", episode, work, mailbox));
  }

  /** One verb. @throws SignedOut when the session was over; Failure; Canceled */
  async perform<T>(
    verb: string,
    episode: PreparedEpisode | undefined,
    work: (site: DriverContext) => Promise<T>,
    mailbox?: () => Promise<Mailbox>,
  ): Promise<T> {
    const { stage, signal, assignment, rehearsal } = this.#parts;
    try {
      const done = await perform(
        stage,
        { verb, signal, deadlineMs: verbDeadlineMs(assignment), needsSession: true, ...(episode && { episode }) },
        async () => work(this.#site(verb, mailbox)),
      );
      await rehearsal?.ended(verb, stage.page, null);
      return done;
    } catch (error) {
      await rehearsal?.ended(verb, stage.page, error);
      // Before the page is left to ask who we are.
      if (error instanceof Failure && error.code === "content.refused") await this.witness(error);
      throw (await this.session.isTheReasonFor(error)) ? new SignedOut(verb) : error;
    }
  }

  /** Work that may be repeated, all of it, once: for a session that ends in the middle. */
  async signedIn<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SignedOut)) throw error;
      this.#parts.calls.step("sign in again", "the session had ended");
      await this.#parts.stage.freshPage();
      await this.session.renew();
      return work();
    }
  }

  /** The driver's publish; what it sends by `request` goes through this gate. */
  async publish(gate: Gate, work: (site: DriverContext) => Promise<Copy | void>): Promise<Copy | void> {
    this.#gate = gate;
    try {
      return await work(this.#site("publish"));
    } finally {
      this.#gate = null;
    }
  }

  /** Adds evidence to a failure, once. @param when the beginning of the files' names */
  async witness(thrown: unknown, when = ""): Promise<Error> {
    const failed = thrown instanceof Error ? thrown : new Error(String(thrown));
    if (!(failed instanceof Failure) || failed.evidence.length > 0) return failed;
    try {
      failed.evidence = await this.#parts.evidence.keep(`${when}${failed.code}`, failed);
    } catch {
      // The failure itself is what matters.
    }
    return failed;
  }

  /** What the driver is given, with the page of this moment. */
  #site(verb: string, mailbox?: () => Promise<Mailbox>): DriverContext {
    const { stage, account, assignment, calls, driver, rehearsal } = this.#parts;
    const request = guardRequests(
      stage.request,
      driver.publishRequest,
      assignment.origin,
      () => this.#gate,
      () => (stage.changes += 1),
    );
    guardBy(request, stage.page);
    const site = createContext({
      page: stage.page,
      request,
      account,
      origin: assignment.origin,
      totp: async (seed) => {
        const problem = this.session.clockProblem();
        if (problem) calls.step("sign in", `${problem}; the authenticator code may be refused`);
        return this.#totp(seed);
      },
      mailedCode: async (query) => {
        if (!mailbox)
          throw new Failure(
            "farm.bug",
            "mailedCode() can only be used in signIn and importFeed.prepare: the inbox is noted before the site is asked",
          );
        return (await mailbox()).code(query);
      },
      step: (name, detail) => {
        if (name === "upload") stage.page.once("request", uploadBegun);
        calls.step(name, detail);
      },
    });
    return rehearsal ? rehearsal.watch(site, verb) : site;
  }
}

function uploadBegun(): void {
  crashpoint("upload-begun");
}
