import { createManagerSource } from "../../src/coordinator/manager-source.ts";
import { markerOf } from "../../src/coordinator/marker.ts";
import type { WorkerTask } from "../../src/contract/worker-api.ts";
import type { FarmOrder, FromFarm, ToFarm } from "./support/farm-messages.ts";
import { siteOf, tiers } from "./support/paper-protocol.ts";

/**
 * A farm as one would write it in an afternoon: pull, post, try again when the answer is not known, report. It keeps no
 * record. It is here to be found out: the same kills and the same checker have to fail it.
 */
const TRIES = 3;
const AT_A_TIME = 4;
const POLL_MS = 200;
const STEP_MS = 1000;

const tell = (message: FromFarm): void => void process.send?.(message);
const pause = async (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function work(order: FarmOrder): Promise<void> {
  const source = createManagerSource({ url: order.managerUrl, apiKey: order.apiKey, workerId: order.workerId });
  const running = new Set<string>();
  tell({ kind: "started" });
  for (;;) {
    const answer = await source.pull(AT_A_TIME, Object.keys(order.sites));
    for (const task of answer.kind === "tasks" ? answer.tasks : []) {
      if (running.has(task.id) || running.size >= AT_A_TIME) continue;
      running.add(task.id);
      void post(task).finally(() => running.delete(task.id));
    }
    await pause(POLL_MS);
  }

  async function post(task: WorkerTask): Promise<void> {
    await source.deliver(task.id, { kind: "start" });
    const links: Record<string, string> = {};
    const tier = tiers.find((one) => task.domain.startsWith(one)) ?? "list";
    for (const { id } of task.data_content) {
      const account = `${siteOf(tier)}:${task.account_id}`;
      const headers = { "x-account": account, "x-task": task.id, "x-pid": String(process.pid), "x-marker": markerOf(account, id) };
      const origin = order.sites[task.domain]?.origin ?? "";
      const draft = (await (await fetch(`${origin}/draft`, { method: "POST", headers, body: "sound" })).json()) as { id: string | null };
      links[id] = await insist(async () => {
        const signal = AbortSignal.timeout(STEP_MS);
        const response = await fetch(`${origin}/publish?draft=${draft.id ?? ""}`, { method: "POST", headers, signal });
        return ((await response.json()) as { link: string }).link;
      });
    }
    await source.deliver(task.id, { kind: "complete", link_post: Object.values(links)[0] ?? "", note: JSON.stringify(links) });
  }
}

/** The mistake of its kind: what may have been done is done again. */
async function insist<T>(once: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once();
    } catch (error) {
      if (attempt >= TRIES) throw error;
    }
  }
}

process.on("message", (message: ToFarm) => {
  if (message.kind === "go") void work(message.order).catch((error: unknown) => tell({ kind: "failed", why: String(error) }));
  if (message.kind === "stop") process.exit(0);
  if (message.kind === "status")
    tell({
      kind: "status",
      status: {
        instance: "naive",
        source: null,
        sources: [],
        draining: false,
        running: [],
        tasks: {},
        checks: { running: 0, waiting: 0 },
        waits: [],
        outbox: { pending: 0, refused: 0, oldest: null },
        needsPerson: [],
      },
    });
});
process.on("unhandledRejection", () => undefined);
process.once("disconnect", () => process.exit());
tell({ kind: "warm" });
