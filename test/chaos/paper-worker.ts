import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import type { MessagePort } from "node:worker_threads";
import type { APIResponse } from "playwright";
import { Failure, toFailureData } from "../../src/contract/failures.ts";
import type {
  Assignment,
  AssignmentResult,
  CoordinatorCalls,
  DriverCard,
  NextEpisode,
  SiteCopy,
  SiteEntry,
} from "../../src/contract/task.ts";
import { crashpoint } from "../../src/kit/crashpoint.ts";
import { connectCoordinator } from "../../src/worker/coordinator-port.ts";
import { Gate } from "../../src/worker/gate.ts";
import { judge } from "../../src/worker/verdict.ts";
import { cardOf, manners, tiers } from "./support/paper-protocol.ts";

/**
 * A worker thread without a browser: the conversation of src/worker/run.ts and publish.ts with the coordinator, the real gate
 * and the real verdict, against the paper site over plain HTTP.
 */
type Episode = Extract<NextEpisode, { kind: "episode" }>;
interface Task {
  assignment: Assignment;
  calls: CoordinatorCalls;
  signal: AbortSignal;
}
interface Answer {
  status: number;
  body: Record<string, unknown>;
}

const PATIENCE_MS = 30_000;
const SIGN_IN_PAGE = /\/sign-in$/;

export async function describe(): Promise<{ cards: DriverCard[]; problems: [] }> {
  return { cards: tiers.map(cardOf), problems: [] };
}

export async function run({ assignment, port }: { assignment: Assignment; port: MessagePort }): Promise<AssignmentResult> {
  const stop = new AbortController();
  const coordinator = connectCoordinator(port, { cancel: (reason) => stop.abort(new Error(reason)) });
  try {
    return await toItsEnd({ assignment, calls: coordinator.calls, signal: stop.signal });
  } catch (error) {
    return stop.signal.aborted ? { outcome: "stopped" } : { outcome: "failed", failure: toFailureData(error) };
  } finally {
    coordinator.close();
    if (++runs % COLLECT_EVERY === 0) globalThis.gc?.();
  }
}

/** Where memory is measured, a thread's own heap must not hide what is kept. */
const COLLECT_EVERY = 10;
let runs = 0;

export async function closeBrowser(): Promise<void> {}

async function toItsEnd(task: Task): Promise<AssignmentResult> {
  const { assignment, calls, signal } = task;
  await signIn(task);
  if (assignment.credentials.username.startsWith(manners.poison)) {
    setImmediate(() => process.exit(7));
    await new Promise(() => undefined);
  }
  for (;;) {
    if (signal.aborted) return { outcome: "stopped" };
    const next = await calls.next();
    switch (next.kind) {
      case "stop":
        return { outcome: "stopped" };
      case "finish": {
        const { body } = await ask(task, "GET", "feed");
        crashpoint("feed-read");
        await calls.feed(String(body["link"]));
        return { outcome: "done" };
      }
      case "discard":
        await ask(task, "POST", `discard?draft=${next.draftId}`, next.episode.marker);
        await calls.discarded(next.episode.id, next.draftId);
        break;
      case "episode":
        await lookAndPost(task, next);
    }
  }
}

/** The stored session, else the account's cookie, else a submit that was counted first. */
async function signIn(task: Task): Promise<void> {
  const { assignment, calls } = task;
  await ask(task, "GET", "me");
  if (assignment.session || assignment.credentials.cookie) return;
  calls.step("sign in");
  const may = await calls.maySubmitCredentials();
  if (!may.allowed) throw new Failure("account.budget", may.why);
  crashpoint("signing-in");
  const seconds = Math.floor(Date.now() / 1000);
  await calls.takeTotpStep(assignment.accountKey, seconds);
  await calls.takeMailedCode(randomBytes(8).toString("hex"));
  const { body } = await ask(task, "POST", "sign-in");
  await calls.credentialsJudged("accepted");
  await calls.saveSession({ cookies: [{ name: "session", value: String(body["session"]) }], origins: [] }, "session=demo", {
    kind: "begun",
  });
}

async function lookAndPost(task: Task, next: Episode): Promise<void> {
  const { calls, assignment } = task;
  const { episode, fence, purpose, draftId: oldDraft } = next;
  const ref = { episodeId: episode.id, fence };
  calls.step("look", episode.title);
  const found = await ask(task, "GET", "copies", episode.marker);
  const listed = await ask(task, "GET", "list", episode.marker);
  const word = await calls.looked(ref, { copies: found.body["copies"] as SiteCopy[], entries: listed.body["entries"] as SiteEntry[] });
  if (!word.go || purpose !== "post") return;
  calls.step("draft", episode.title);
  crashpoint("upload-begun");
  const drafted = await ask(task, "POST", `draft?draft=${oldDraft ?? ""}`, episode.marker, await readFile(episode.audioPath));
  const draftId = (drafted.body["id"] as string | null) ?? null;
  crashpoint("form-filled");
  if (draftId !== null) await calls.drafted(ref, draftId);
  calls.step("publish", episode.title);
  if (assignment.credentials.username.startsWith(manners.marked)) await ask(task, "POST", "checkpoint", episode.marker);
  await publishOnce(task, next, draftId);
}

/** As src/worker/publish.ts does it: gate, arm, publish, and the verdict to the coordinator, whatever happens in between. */
async function publishOnce(task: Task, { episode, fence }: Episode, draftId: string | null): Promise<void> {
  const { assignment, calls, signal } = task;
  const ref = { episodeId: episode.id, fence };
  const publishRequest = { method: "POST" as const, url: /\/publish\b/ };
  const askGate = async (): ReturnType<CoordinatorCalls["gate"]> => {
    crashpoint("request-held");
    return calls.gate(ref);
  };
  const gate = new Gate({ publishRequest, ask: askGate, signal, timeoutMs: assignment.stepTimeoutMs });
  const armed = await calls.arm(ref);
  if (!armed.armed) return calls.step("not published", armed.why);
  if (assignment.credentials.username === `${manners.marked}-armed`) await ask(task, "POST", "checkpoint", episode.marker);
  const path = `publish?draft=${draftId ?? ""}`;
  let copy: SiteCopy | null = null;
  let thrown = "";
  try {
    const response = await gate.sendByRequest(
      async () => asResponse(await ask(task, "POST", path, episode.marker, Buffer.alloc(0), crashpoint)),
      `${assignment.origin}/${path}`,
    );
    const body = (await response.json()) as SiteCopy;
    if (response.status() === 201) copy = { id: body.id, link: body.link };
    crashpoint("reply-parsed");
  } catch (error) {
    thrown = error instanceof Error ? error.message : String(error);
  }
  const verdict = judge({ ...(await gate.close()), leaked: 0 }, copy, thrown, SIGN_IN_PAGE);
  await calls.sent(ref, verdict.outcome);
  if (verdict.refusal) await calls.episodeFailed(ref, { code: "content.refused", detail: verdict.refusal });
}

/** One request on a socket of its own: nothing is ever sent twice. @param pass told of what the request has come to */
async function ask(
  { assignment }: Task,
  method: "GET" | "POST",
  path: string,
  marker = "",
  body: Buffer = Buffer.alloc(0),
  pass: (name: "bytes-sent" | "reply-headers") => void = () => undefined,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  // Only the publish request's deadline is part of the protocol; a busy machine is no reason to give up before it.
  const deadlineMs = path.startsWith("publish") ? assignment.stepTimeoutMs : PATIENCE_MS;
  const request = httpRequest(`${assignment.origin}/${path}`, {
    method,
    agent: false,
    signal: AbortSignal.timeout(deadlineMs),
    headers: {
      "x-account": assignment.accountKey,
      "x-task": assignment.taskId,
      "x-pid": String(process.pid),
      "x-marker": marker,
      "content-length": String(body.length),
    },
  });
  request.once("error", reject);
  request.once("finish", () => pass("bytes-sent"));
  request.once("response", (response) => {
    pass("reply-headers");
    const parts: Buffer[] = [];
    response.on("data", (part: Buffer) => parts.push(part));
    response.once("error", reject);
    response.once("end", () => {
      try {
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(parts).toString() || "{}") as Record<string, unknown> });
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
  request.end(body);
  return promise;
}

/** As the gate reads an answer. */
function asResponse({ status, body }: Answer): APIResponse {
  const response: Partial<APIResponse> = {
    status: () => status,
    headers: () => ({}),
    text: async () => JSON.stringify(body),
    json: async () => body,
  };
  return response as APIResponse;
}
