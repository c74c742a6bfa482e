import { join } from "node:path";
import { MessageChannel } from "node:worker_threads";
import { createBirpc } from "birpc";
import type {
  Assignment,
  AssignmentResult,
  BrowserState,
  CoordinatorCalls,
  NextEpisode,
  PreparedEpisode,
  SendOutcome,
  SiteCopy,
  SiteEntry,
  WorkerCalls,
} from "../../src/contract/task.ts";
import type { FailureData } from "../../src/contract/failures.ts";
import { findBrowser } from "../../src/kit/find-browser.ts";
import { run } from "../../src/worker/entry.ts";

/**
 * The other end of a worker's port, for tests of the worker alone: it hands out episodes in order and writes down what it
 * is told. The real one, with its ledger, is proved elsewhere.
 */
export interface Heard {
  steps: string[];
  looked: { episodeId: string; copies: SiteCopy[] }[];
  /** Files that came with a look. */
  evidence: string[];
  /** Rows of the site's list that came with the looks. */
  listed: SiteEntry[];
  drafted: string[];
  discarded: string[];
  sent: SendOutcome[];
  failed: { episodeId: string; failure: FailureData }[];
  judged: string[];
  submits: number;
  gates: number;
  feed: string;
  session: BrowserState | null;
  cookie: string;
}

export interface TestCoordinatorOptions {
  episodes: PreparedEpisode[];
  purpose?: "post" | "look" | "count";
  /** Handed out first, to be taken away. */
  leftOver?: { draftId: string; episode: PreparedEpisode }[];
  /** Overrides single answers. */
  answers?: Partial<CoordinatorCalls>;
  /** How often an episode that was not proved posted is handed out. */
  maxTries?: number;
}

export interface TestRun {
  heard: Heard;
  result: Promise<AssignmentResult>;
  cancel(reason: string): void;
}

export function startRun(assignment: Assignment, options: TestCoordinatorOptions): TestRun {
  const heard: Heard = {
    steps: [],
    looked: [],
    evidence: [],
    listed: [],
    drafted: [],
    discarded: [],
    sent: [],
    failed: [],
    judged: [],
    submits: 0,
    gates: 0,
    feed: "",
    session: null,
    cookie: "",
  };
  const { port1, port2 } = new MessageChannel();
  const tries = options.episodes.map(() => 0);
  const drafts = new Map<string, string>();
  const over = new Set<string>();
  const leftOver = [...(options.leftOver ?? [])];
  const calls: CoordinatorCalls = {
    async next(): Promise<NextEpisode> {
      const draft = leftOver.shift();
      if (draft) return { kind: "discard", ...draft };
      const position = options.episodes.findIndex(
        (episode, index) => !over.has(episode.id) && (tries[index] ?? 0) < (options.maxTries ?? 2),
      );
      const episode = options.episodes[position];
      if (!episode)
        return options.episodes.every(({ id }) => over.has(id)) ? { kind: "finish" } : { kind: "stop", reason: "no tries left" };
      tries[position] = (tries[position] ?? 0) + 1;
      return {
        kind: "episode",
        purpose: options.purpose ?? "post",
        fence: tries[position] ?? 1,
        draftId: drafts.get(episode.id) ?? null,
        episode,
        position,
        total: options.episodes.length,
      };
    },
    async looked({ episodeId }, { copies: marked, entries = [], evidence = [] }) {
      const copies = marked ?? [];
      heard.looked.push({ episodeId, copies });
      heard.evidence.push(...evidence);
      heard.listed.push(...entries);
      const only = (options.purpose ?? "post") !== "post";
      if (copies.length > 0 || only) over.add(episodeId);
      return { go: copies.length === 0 && !only, why: "" };
    },
    async drafted({ episodeId }, draftId) {
      drafts.set(episodeId, draftId);
      heard.drafted.push(draftId);
    },
    async discarded(_episodeId, draftId) {
      heard.discarded.push(draftId);
    },
    arm: async () => ({ armed: true, why: "" }),
    gate: async () => ({ pass: true, why: "" }),
    async sent({ episodeId }, outcome) {
      heard.sent.push(outcome);
      if (outcome.kind === "proof") over.add(episodeId);
    },
    async episodeFailed({ episodeId }, failure) {
      heard.failed.push({ episodeId, failure });
      over.add(episodeId);
    },
    maySubmitCredentials: async () => ({ allowed: true, why: "" }),
    credentialsJudged: async (verdict) => void heard.judged.push(verdict),
    mayOpenMailbox: async () => ({ allowed: true, why: "" }),
    mailboxRefused: async () => undefined,
    sessionChecked: async () => undefined,
    takeTotpStep: async () => true,
    takeMailedCode: async () => true,
    async saveSession(state, cookie) {
      heard.session = state;
      heard.cookie = cookie;
    },
    feed: async (linkRss) => void (heard.feed = linkRss),
    step: (name, detail) => void heard.steps.push(detail ? `${name}: ${detail}` : name),
    ...options.answers,
  };
  const counted: CoordinatorCalls = {
    ...calls,
    maySubmitCredentials: async () => {
      heard.submits += 1;
      return calls.maySubmitCredentials();
    },
    gate: async (ref) => {
      heard.gates += 1;
      return calls.gate(ref);
    },
  };
  const rpc = createBirpc<WorkerCalls, CoordinatorCalls>(counted, {
    post: (data: unknown) => port1.postMessage(data),
    on: (listener) => void port1.on("message", listener),
  });
  const result = run({ assignment, port: port2 }).finally(() => {
    rpc.$close();
    port1.close();
  });
  return { heard, result, cancel: (reason) => void rpc.cancel.asEvent(reason) };
}

export async function runToEnd(
  assignment: Assignment,
  options: TestCoordinatorOptions,
): Promise<{ heard: Heard; result: AssignmentResult }> {
  const { heard, result } = startRun(assignment, options);
  return { result: await result, heard };
}

export function makeAssignment(given: Pick<Assignment, "origin" | "driverModule"> & { folder: string } & Partial<Assignment>): Assignment {
  const { folder, ...rest } = given;
  const browser = findBrowser({ setting: process.env["PODCREW_BROWSER"] || undefined });
  if (!browser) throw new Error("no browser on this machine: `npm start` brings one");
  return {
    taskId: "task-1",
    accountKey: "tiny:1",
    site: "tiny",
    credentials: {
      email: "demo@example.com",
      username: "",
      password: "demo-password",
      passMail: "",
      twofa: "",
      appPassword: "",
      cookie: "",
    },
    kind: "post",
    feedMailbox: null,
    feedImap: null,
    session: null,
    locale: "en-US",
    timeZone: "Asia/Ho_Chi_Minh",
    browser: {
      executablePath: browser.executable,
      headedExecutablePath: null,
      headed: false,
      sandbox: process.getuid?.() !== 0,
      wsEndpoint: null,
      slowMoMs: 0,
      env: browser.env,
      args: [],
    },
    imap: null,
    evidenceDir: join(folder, "evidence"),
    mode: "post",
    stepTimeoutMs: 4000,
    ...rest,
  };
}

export function makeEpisode(number: number, over: Partial<PreparedEpisode> = {}): PreparedEpisode {
  return {
    id: `episode-${number}`,
    title: `Tập ${number}: Phố cổ Hội An`,
    aboutHtml: "<p>Xin chào</p>",
    aboutText: "Xin chào",
    coverPath: null,
    audioPath: "/dev/null",
    audioSeconds: 1,
    language: "vi",
    narrated: false,
    marker: `ep-aaaaaaaaaaaaaaa${number}`,
    ...over,
  };
}
