import { join } from "node:path";
import type { MessagePort } from "node:worker_threads";
import { Failure, toFailureData } from "../contract/failures.ts";
import { assignment as assignmentSchema, type AssignmentResult, type NextEpisode } from "../contract/task.ts";
import { readAccount, readLink } from "../driver/context.ts";
import { asImporter } from "../driver/feed-import.ts";
import { crashpoint } from "../kit/crashpoint.ts";
import { isHeldRequest } from "../driver/publish-request.ts";
import { pinSecrets } from "../kit/redact.ts";
import type { Browsers } from "./browsers.ts";
import { connectCoordinator } from "./coordinator-port.ts";
import { Evidence } from "./evidence.ts";
import { Canceled, SignedOut } from "./explain.ts";
import { loadDriver } from "./load-driver.ts";
import { look, showAbsence } from "./look.ts";
import { publishOnce } from "./publish.ts";
import { Rehearsal } from "./rehearsal.ts";
import { Stage } from "./stage.ts";
import { Verbs, type VerbParts } from "./verbs.ts";

type Episode = Extract<NextEpisode, { kind: "episode" }>;
type LeftOver = Extract<NextEpisode, { kind: "discard" }>;
/** What becomes of a draft that can't be taken away is a nuisance; what else is wrong is met by the next verb. */
const nuisances: ReadonlySet<string> = new Set(["site.changed", "site.slow", "site.unreachable", "content.refused"]);
type End = Pick<AssignmentResult, "outcome">;

/** Runs one assignment: signs in, asks for episodes until there are none, reads the feed link. Never throws. */
export async function runAssignment(given: unknown, port: MessagePort, browsers: Browsers): Promise<AssignmentResult> {
  const stop = new AbortController();
  const coordinator = connectCoordinator(port, { cancel: (reason) => stop.abort(new Canceled(reason)) });
  let unpinSecrets = (): void => {};
  try {
    const assignment = assignmentSchema.parse(given);
    const { password, passMail, appPassword, apiToken, twofa, cookie } = assignment.credentials;
    const { feedMailbox } = assignment;
    unpinSecrets = pinSecrets(password, passMail, appPassword, apiToken, twofa, cookie, feedMailbox?.passMail, feedMailbox?.appPassword);
    const loaded = await loadDriver(assignment.driverModule);
    const driver = assignment.kind === "import" ? asImporter(loaded) : loaded;
    const account = readAccount(driver, assignment.credentials);
    const lease = await browsers.lease(assignment.browser);
    try {
      const stage = await Stage.open(lease.browser, driver, assignment);
      try {
        const evidence = new Evidence(stage, assignment.evidenceDir);
        const rehearsal =
          assignment.mode === "walk" ? new Rehearsal(join(assignment.evidenceDir, "rehearsal"), driver.site, assignment.origin) : null;
        const { calls } = coordinator;
        return await new Run({ assignment, driver, account, stage, evidence, calls, signal: stop.signal, rehearsal }).toItsEnd();
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
    unpinSecrets();
    coordinator.close();
  }
}

class Run {
  readonly #parts: VerbParts;
  readonly #verbs: Verbs;

  constructor(parts: VerbParts) {
    this.#parts = parts;
    this.#verbs = new Verbs(parts);
  }

  async toItsEnd(): Promise<AssignmentResult> {
    const { session } = this.#verbs;
    const { assignment, rehearsal, stage } = this.#parts;
    let isIn = false;
    try {
      const { mode, kind } = assignment;
      if (mode !== "post" || kind === "check") await this.#shutPublish();
      await session.ensure();
      isIn = true;
      await rehearsal?.ended("signIn", stage.page, null);
      const end: End = kind === "check" ? { outcome: "done" } : await this.#episodes();
      await session.save();
      return end;
    } catch (error) {
      const failed = await this.#verbs.witness(error);
      // What can't be kept costs the person a sign-in.
      if (failed instanceof Failure && failed.code === "account.challenged") await session.saveForPerson().catch(() => undefined);
      if (rehearsal) await (isIn ? this.#walkToFeed() : rehearsal.ended("signIn", stage.page, error));
      throw failed;
    } finally {
      await rehearsal?.write();
      // A recording that nobody ends leaves a folder behind, each time.
      await this.#parts.evidence.pause();
    }
  }

  async #episodes(): Promise<End> {
    const { calls, signal, assignment } = this.#parts;
    for (;;) {
      if (signal.aborted) return { outcome: "stopped" };
      const next = await calls.next();
      if (next.kind === "stop") return { outcome: "stopped" };
      if (next.kind === "finish") {
        if (assignment.kind === "post") await this.#feed();
        return { outcome: "done" };
      }
      if (next.kind === "discard") {
        await this.#discard(next);
        continue;
      }
      const went = await this.#episode(next);
      if (went === "rehearsed" && assignment.mode !== "post") return { outcome: "stopped" };
    }
  }

  /** One episode. What its own content makes impossible ends the episode; all else ends the task. */
  async #episode(next: Episode): Promise<"done" | "rehearsed"> {
    const { calls, stage, evidence } = this.#parts;
    const ref = { episodeId: next.episode.id, fence: next.fence };
    try {
      return await this.#verbs.signedIn(async () => this.#lookAndPost(next));
    } catch (error) {
      if (!(error instanceof Failure) || !error.code.startsWith("content.")) throw error;
      await this.#verbs.witness(error);
      await calls.episodeFailed(ref, error.toData());
      await stage.freshPage();
      await evidence.record();
      return "done";
    }
  }

  async #lookAndPost(next: Episode): Promise<"done" | "rehearsed"> {
    const { calls, driver, assignment, rehearsal } = this.#parts;
    const { episode, fence, purpose } = next;
    const ref = { episodeId: episode.id, fence };

    calls.step(purpose === "count" ? "count" : "look", episode.title);
    const seen = await look(this.#verbs, this.#parts, episode);
    const { copies, entries } = seen;
    const isDoubt = purpose === "look" && (copies ?? []).length === 0;
    const evidence = isDoubt ? await showAbsence(this.#verbs, this.#parts, episode, seen) : [];
    rehearsal?.found(copies ?? []);
    const word = await calls.looked(ref, rehearsal ? { copies: [], entries: [] } : { copies, entries, evidence });
    if (!word.go || purpose !== "post") return "done";

    calls.step("draft", episode.title);
    const draftId = (await this.#verbs.draft(episode, async (site) => driver.draft(site, episode, next.draftId))) ?? null;
    if (assignment.mode !== "post") return this.#rehearsed(next, draftId);
    crashpoint("form-filled");
    if (draftId !== null) await calls.drafted(ref, draftId);

    calls.step("publish", episode.title);
    await this.#publish(next, draftId);
    return "done";
  }

  /** A draft that nobody needs is taken away. One that stays does no harm, so that it is no reason to fail. */
  async #discard({ draftId, episode }: LeftOver): Promise<void> {
    const { calls, driver, stage } = this.#parts;
    const { discard } = driver;
    if (!discard) return;
    calls.step("discard", episode.title);
    try {
      await this.#verbs.signedIn(async () => this.#verbs.perform("discard", episode, async (site) => discard(site, episode, draftId)));
      await calls.discarded(episode.id, draftId);
    } catch (error) {
      if (!(error instanceof Failure) || !nuisances.has(error.code)) throw error;
      calls.step("not discarded", error.detail);
      await stage.freshPage();
    }
  }

  async #publish({ episode, fence }: Episode, draftId: string | null): Promise<void> {
    const { driver, evidence } = this.#parts;
    const verbs = this.#verbs;
    try {
      await publishOnce({
        ...this.#parts,
        ref: { episodeId: episode.id, fence },
        episode,
        work: async (gate) => verbs.publish(gate, async (site) => driver.publish(site, episode, draftId)),
        witness: async (error) => verbs.witness(error, "after-the-click."),
      });
    } catch (error) {
      // The coordinator has the verdict and will hand the episode out again; here only the session needs mending.
      if (!(error instanceof SignedOut) && !(await verbs.session.isTheReasonFor(error))) throw error;
      await verbs.session.renew();
    } finally {
      await evidence.record();
    }
  }

  /** Everything but the click was tried; what it left is put away where the site lets us. */
  async #rehearsed({ episode }: Episode, draftId: string | null): Promise<"rehearsed"> {
    const { calls, driver, rehearsal } = this.#parts;
    // What publish looks for first is looked for as well; then its context says that this is enough.
    if (rehearsal)
      await this.#verbs.perform("publish", episode, async (site) => driver.publish(site, episode, draftId)).catch(() => undefined);
    if (!rehearsal) calls.step("rehearsed", episode.title);
    if (driver.discard && draftId !== null)
      await this.#verbs.perform("discard", episode, async (site) => driver.discard!(site, episode, draftId));
    if (rehearsal) await this.#walkToFeed();
    if (rehearsal) calls.step("rehearsed", episode.title);
    return "rehearsed";
  }

  async #walkToFeed(): Promise<void> {
    await this.#verbs.perform("feed", undefined, async (site) => this.#parts.driver.feed(site)).catch(() => undefined);
  }

  /** A driver that presses the wrong button publishes nothing in a rehearsal or a check. By `request` it can't anyway, for want of a gate. */
  async #shutPublish(): Promise<void> {
    const { stage, driver, calls, rehearsal } = this.#parts;
    await stage.context.route(driver.publishRequest.url, async (route) => {
      if (!isHeldRequest(driver.publishRequest, route.request())) return route.fallback();
      rehearsal?.stopped();
      calls.step("stopped", "the page wanted to publish before the verb publish");
      return route.abort();
    });
  }

  async #feed(): Promise<void> {
    const { calls, driver, assignment } = this.#parts;
    calls.step("feed");
    const link = await this.#verbs.signedIn(async () => this.#verbs.perform("feed", undefined, async (site) => driver.feed(site)));
    crashpoint("feed-read");
    await calls.feed(readLink(link, assignment.origin));
  }
}
