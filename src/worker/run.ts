import type { MessagePort } from "node:worker_threads";
import { Failure, toFailureData } from "../contract/failures.ts";
import {
  assignment as assignmentSchema,
  type Assignment,
  type AssignmentResult,
  type CoordinatorCalls,
  type NextEpisode,
  type PreparedEpisode,
  type SiteCopy,
  type SiteEntry,
} from "../contract/task.ts";
import { createContext, readAccount, readCopy, readEntry, readLink } from "../driver/context.ts";
import type { Driver, DriverContext } from "../driver/contract.ts";
import type { Mailbox } from "../driver/mailed-code.ts";
import { createTotp } from "../driver/totp.ts";
import { crashpoint } from "../kit/crashpoint.ts";
import { withDeadline } from "../kit/deadline.ts";
import { addSecret } from "../kit/redact.ts";
import type { Browsers } from "./browsers.ts";
import { connectCoordinator } from "./coordinator-port.ts";
import { Evidence } from "./evidence.ts";
import { Canceled, SignedOut } from "./explain.ts";
import { guardRequests, type Gate } from "./gate.ts";
import { loadDriver } from "./load-driver.ts";
import { perform } from "./perform.ts";
import { publishOnce } from "./publish.ts";
import { Session, verbDeadlineMs } from "./session.ts";
import { Stage } from "./stage.ts";

type Episode = Extract<NextEpisode, { kind: "episode" }>;
type LeftOver = Extract<NextEpisode, { kind: "discard" }>;
/** What becomes of a draft that can't be taken away is a nuisance; what else is wrong is met by the next verb. */
const nuisances: ReadonlySet<string> = new Set(["site.changed", "site.slow", "site.unreachable", "content.refused"]);
/** The evidence of a look needs the feed's address: a site that is slow now is not waited for as long as for a post. */
const FEED_WITHIN_MS = 10_000;
type End = Pick<AssignmentResult, "outcome">;

/** Runs one assignment: signs in, asks for episodes until there are none, reads the feed link. Never throws. */
export async function runAssignment(given: unknown, port: MessagePort, browsers: Browsers): Promise<AssignmentResult> {
  const stop = new AbortController();
  const coordinator = connectCoordinator(port, { cancel: (reason) => stop.abort(new Canceled(reason)) });
  try {
    const assignment = assignmentSchema.parse(given);
    for (const secret of [
      assignment.credentials.password,
      assignment.credentials.passMail,
      assignment.credentials.appPassword,
      assignment.credentials.twofa,
      assignment.credentials.cookie,
    ])
      addSecret(secret);
    const driver = await loadDriver(assignment.driverModule);
    const account = readAccount(driver, assignment.credentials);
    const lease = await browsers.lease(assignment.browser);
    try {
      const stage = await Stage.open(lease.browser, driver, assignment);
      try {
        return await new Run({ assignment, driver, account, stage, calls: coordinator.calls, signal: stop.signal }).toItsEnd();
      } catch (error) {
        // Not this task's failure, and perhaps not its doing: all tasks of the thread lost their browser.
        if (!lease.browser.isConnected()) throw new Failure("farm.worker_died", "its browser ended in the middle", { cause: error });
        throw error;
      } finally {
        await stage.close();
      }
    } finally {
      await lease.release();
    }
  } catch (error) {
    return stop.signal.aborted ? { outcome: "stopped" } : { outcome: "failed", failure: toFailureData(error) };
  } finally {
    coordinator.close();
  }
}

/** What a look at the site showed. */
interface Seen {
  copies: SiteCopy[];
  entries: SiteEntry[];
  /** The driver looked at a page, which stands there still. */
  usedPage: boolean;
}

interface RunParts {
  assignment: Assignment;
  driver: Driver;
  account: unknown;
  stage: Stage;
  calls: CoordinatorCalls;
  signal: AbortSignal;
}

class Run {
  readonly #parts: RunParts;
  readonly #evidence: Evidence;
  readonly #session: Session;
  readonly #totp: (secret: string) => Promise<string>;
  /** The gate of the publish that is going on, for drivers that publish by `request`. */
  #gate: Gate | null = null;

  constructor(parts: RunParts) {
    const { stage, assignment, calls, signal } = parts;
    this.#parts = parts;
    this.#evidence = new Evidence(stage, assignment.evidenceDir);
    this.#session = new Session({ assignment, calls, stage, evidence: this.#evidence, signal, site: (mailbox) => this.#site(mailbox) });
    this.#totp = createTotp({
      takeStep: async (seedHash, step) => calls.takeTotpStep(seedHash, step),
      signal,
      onWait: (waitMs) => calls.step("sign in", `waits ${Math.ceil(waitMs / 1000)} s for the next authenticator code`),
    });
  }

  async toItsEnd(): Promise<AssignmentResult> {
    try {
      await this.#session.ensure();
      const end = await this.#episodes();
      await this.#session.save();
      return end;
    } catch (error) {
      throw await this.#witness(error);
    } finally {
      // A recording that nobody ends leaves a folder behind, each time.
      await this.#evidence.pause();
    }
  }

  async #episodes(): Promise<End> {
    const { calls, signal, assignment } = this.#parts;
    for (;;) {
      if (signal.aborted) return { outcome: "stopped" };
      const next = await calls.next();
      if (next.kind === "stop") return { outcome: "stopped" };
      if (next.kind === "finish") {
        await this.#feed();
        return { outcome: "done" };
      }
      if (next.kind === "discard") {
        await this.#discard(next);
        continue;
      }
      const went = await this.#episode(next);
      if (went === "rehearsed" && assignment.mode === "rehearse") return { outcome: "stopped" };
    }
  }

  /** One episode. What its own content makes impossible ends the episode; all else ends the task. */
  async #episode(next: Episode): Promise<"done" | "rehearsed"> {
    const { calls, stage } = this.#parts;
    const ref = { episodeId: next.episode.id, fence: next.fence };
    try {
      return await this.#signedIn(async () => this.#lookAndPost(next));
    } catch (error) {
      if (!(error instanceof Failure) || !error.code.startsWith("content.")) throw error;
      await this.#witness(error);
      await calls.episodeFailed(ref, error.toData());
      await stage.freshPage();
      await this.#evidence.record();
      return "done";
    }
  }

  /** Repeats the work once when the session ends in the middle: all of it up to the click is repeatable. */
  async #signedIn<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SignedOut)) throw error;
      this.#parts.calls.step("sign in again", "the session had ended");
      await this.#parts.stage.freshPage();
      await this.#session.renew();
      return work();
    }
  }

  async #lookAndPost(next: Episode): Promise<"done" | "rehearsed"> {
    const { calls, driver, assignment } = this.#parts;
    const { episode, fence, purpose } = next;
    const ref = { episodeId: episode.id, fence };

    calls.step(purpose === "count" ? "count" : "look", episode.title);
    const seen = await this.#look(episode);
    const word = await calls.looked(
      ref,
      seen.copies,
      seen.entries.map(({ id }) => id),
      purpose === "look" && seen.copies.length === 0 ? await this.#showAbsence(episode, seen) : [],
      seen.entries,
    );
    if (!word.go || purpose !== "post") return "done";

    calls.step("draft", episode.title);
    const draftId = (await this.#verb("draft", episode, async (site) => driver.draft(site, episode, next.draftId))) ?? null;
    if (assignment.mode === "rehearse") return this.#rehearsed(next, draftId);
    crashpoint("form-filled");
    if (draftId !== null) await calls.drafted(ref, draftId);

    calls.step("publish", episode.title);
    await this.#publish(next, draftId);
    return "done";
  }

  /** What the site shows of an episode: by its marker, and where a site keeps none, all of its list. */
  async #look(episode: PreparedEpisode): Promise<Seen> {
    const { driver, stage, assignment } = this.#parts;
    const { find, list } = driver;
    const pageBefore = stage.lastDocument;
    const copies = find ? await this.#verb("find", episode, async (site) => find(site, episode)) : [];
    const entries = list ? await this.#verb("list", episode, async (site) => list(site)) : [];
    return {
      copies: copies.map((copy) => readCopy(copy, assignment.origin)),
      entries: entries.map((entry) => readEntry(entry, assignment.origin)),
      usedPage: stage.lastDocument !== pageBefore,
    };
  }

  /** Files for the person who has to decide, should the coordinator not be able to. */
  async #showAbsence(episode: PreparedEpisode, { copies, entries, usedPage }: Seen): Promise<string[]> {
    const { driver, stage, assignment } = this.#parts;
    const { id, title, marker } = episode;
    const said = { ...(driver.find && { find: copies }), ...(driver.list && { list: entries }) };
    const asked = { site: driver.site, origin: assignment.origin, episode: { id, title, marker }, said };
    const feed = async (): Promise<string> => {
      const reading = this.#verb("feed", undefined, async (site) => driver.feed(site));
      reading.catch(() => undefined);
      const link = await withDeadline(FEED_WITHIN_MS, "reading the feed's address", async () => reading);
      return readLink(link, assignment.origin);
    };
    const kept = await this.#evidence.keepListing(asked, usedPage, feed).catch((): string[] => []);
    // Whatever the feed's reading left under way ends with its page.
    await stage.freshPage();
    return kept;
  }

  /** A draft that nobody needs is taken away. One that stays does no harm, so that it is no reason to fail. */
  async #discard({ draftId, episode }: LeftOver): Promise<void> {
    const { calls, driver, stage } = this.#parts;
    const { discard } = driver;
    if (!discard) return;
    calls.step("discard", episode.title);
    try {
      await this.#signedIn(async () => this.#verb("discard", episode, async (site) => discard(site, episode, draftId)));
      await calls.discarded(episode.id, draftId);
    } catch (error) {
      if (!(error instanceof Failure) || !nuisances.has(error.code)) throw error;
      calls.step("not discarded", error.detail);
      await stage.freshPage();
    }
  }

  async #publish({ episode, fence }: Episode, draftId: string | null): Promise<void> {
    const { calls, driver, assignment, stage, signal } = this.#parts;
    try {
      await publishOnce({
        assignment,
        calls,
        stage,
        driver,
        signal,
        ref: { episodeId: episode.id, fence },
        episode,
        work: async (gate) => {
          this.#gate = gate;
          return driver.publish(this.#site(), episode, draftId);
        },
        witness: async (error) => this.#witness(error, "after-the-click."),
        evidence: this.#evidence,
      });
    } catch (error) {
      // The coordinator has the verdict and will hand the episode out again; here only the session needs mending.
      if (!(error instanceof SignedOut) && !(await this.#session.isTheReasonFor(error))) throw error;
      await this.#session.renew();
    } finally {
      this.#gate = null;
      await this.#evidence.record();
    }
  }

  /** Everything but the click was tried; what it left is put away where the site lets us. */
  async #rehearsed({ episode }: Episode, draftId: string | null): Promise<"rehearsed"> {
    const { calls, driver } = this.#parts;
    calls.step("rehearsed", episode.title);
    if (driver.discard && draftId !== null) await this.#verb("discard", episode, async (site) => driver.discard!(site, episode, draftId));
    return "rehearsed";
  }

  async #feed(): Promise<void> {
    const { calls, driver, assignment } = this.#parts;
    calls.step("feed");
    const link = await this.#signedIn(async () => this.#verb("feed", undefined, async (site) => driver.feed(site)));
    crashpoint("feed-read");
    await calls.feed(readLink(link, assignment.origin));
  }

  async #verb<T>(verb: string, episode: PreparedEpisode | undefined, work: (site: DriverContext) => Promise<T>): Promise<T> {
    const { stage, signal, assignment } = this.#parts;
    try {
      return await perform(
        stage,
        { verb, signal, deadlineMs: verbDeadlineMs(assignment), needsSession: true, ...(episode && { episode }) },
        async () => work(this.#site()),
      );
    } catch (error) {
      // Before the page is left to ask who we are.
      if (error instanceof Failure && error.code === "content.refused") await this.#witness(error);
      throw (await this.#session.isTheReasonFor(error)) ? new SignedOut(verb) : error;
    }
  }

  /** What the driver is given, with the page of this moment. */
  #site(mailbox?: () => Promise<Mailbox>): DriverContext {
    const { stage, account, assignment, calls, driver } = this.#parts;
    return createContext({
      page: stage.page,
      request: guardRequests(stage.context.request, driver.publishRequest, assignment.origin, () => this.#gate),
      account,
      origin: assignment.origin,
      totp: this.#totp,
      mailedCode: async (query) => {
        if (!mailbox) throw new Failure("farm.bug", "mailedCode() can only be used in signIn: the inbox is noted before the site is asked");
        return (await mailbox()).code(query);
      },
      step: (name, detail) => {
        if (name === "upload") stage.page.once("request", uploadBegun);
        calls.step(name, detail);
      },
    });
  }

  /** Adds evidence to a failure, once. @param when the beginning of the files' names */
  async #witness(thrown: unknown, when = ""): Promise<Error> {
    const failed = thrown instanceof Error ? thrown : new Error(String(thrown));
    if (!(failed instanceof Failure) || failed.evidence.length > 0) return failed;
    try {
      failed.evidence = await this.#evidence.keep(`${when}${failed.code}`);
    } catch {
      // The failure itself is what matters.
    }
    return failed;
  }
}

function uploadBegun(): void {
  crashpoint("upload-begun");
}
