import type { TestContext } from "node:test";
import Fastify from "fastify";
import type { WorkerTask } from "../../src/contract/worker-api.ts";

/** A request as the manager saw it. */
export interface SeenRequest {
  method: string;
  path: string;
  headers: Record<string, string | string[] | undefined>;
  body: Record<string, unknown>;
}

/** What goes wrong with the next request that fits. */
export interface Fault {
  method?: "GET" | "POST";
  /** e.g. "complete"; absent: any. */
  path?: RegExp;
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** It is done, and the answer is cut off on the way. */
  loseReply?: boolean;
  /** It is taken and never answered; nothing is done. */
  swallow?: boolean;
  /** How often; default 1. */
  times?: number;
}

export interface ScriptedManager {
  readonly url: string;
  /** By id; what the farm reports is written into them. */
  readonly tasks: Map<string, WorkerTask>;
  readonly seen: SeenRequest[];
  /** Reports that had an effect, in order: "start t1", "complete t1" … */
  readonly effects: string[];
  /** What `GET /checks` hands out until it is reported; null: this manager has no such call. */
  checks: Map<string, Record<string, unknown>> | null;
  add(task: unknown): void;
  /** What a pull answers besides the tasks: objects that are none. */
  readonly junk: unknown[];
  fail(fault: Fault): void;
  /** While true, every connection is cut. */
  down: boolean;
}

const KEY = "pck_demo-key";
export const demoKey = KEY;

/**
 * A manager as the Podcast worker API describes it, small, in memory, over real HTTP, with faults on demand: what a pull
 * hands out are queued and running tasks, since one farm asks.
 */
export async function scriptedManager(t: Pick<TestContext, "after">): Promise<ScriptedManager> {
  const tasks = new Map<string, WorkerTask>();
  const seen: SeenRequest[] = [];
  const effects: string[] = [];
  const junk: unknown[] = [];
  const faults: Fault[] = [];
  const app = Fastify({ forceCloseConnections: true });
  const manager = {
    tasks,
    seen,
    effects,
    checks: null as Map<string, Record<string, unknown>> | null,
    junk,
    down: false,
    url: "",
    add: (task: unknown) => void tasks.set((task as WorkerTask).id, task as WorkerTask),
    fail: (fault: Fault) => void faults.push({ times: 1, ...fault }),
  };

  app.addHook("preHandler", async (request, reply) => {
    const path = request.url.replace("/api/v1/podcast", "");
    if (manager.down) {
      request.raw.socket.destroy();
      // Otherwise it would be done all the same, and only the answer be lost.
      return reply.hijack();
    }
    seen.push({ method: request.method, path, headers: request.headers, body: (request.body ?? {}) as Record<string, unknown> });
    const fault = faults.find(
      (one) => (one.times ?? 0) > 0 && (!one.method || one.method === request.method) && (!one.path || one.path.test(path)),
    );
    if (fault) fault.times = (fault.times ?? 1) - 1;
    if (fault?.swallow) return reply.hijack();
    if (fault?.loseReply) (request as { loseReply?: boolean }).loseReply = true;
    else if (fault)
      return reply
        .code(fault.status ?? 500)
        .headers(fault.headers ?? {})
        .send(fault.body ?? { success: false, message: "scripted" });
    if (request.headers["x-api-key"] !== KEY)
      return reply.code(401).send({ success: false, message: "unknown key", code: "INVALID_API_KEY" });
  });
  app.addHook("onSend", async (request) => {
    if ((request as { loseReply?: boolean }).loseReply) request.raw.socket.destroy();
  });

  app.get("/api/v1/podcast/links", async (request) => {
    const limit = Number((request.query as { limit?: string }).limit ?? 5);
    return {
      success: true,
      data: [...junk, ...[...tasks.values()].filter((task) => ["queued", "running"].includes(task.status))].slice(0, limit),
    };
  });
  app.get("/api/v1/podcast/checks", async (request, reply) => {
    const { limit } = request.query as { limit: string };
    if (!manager.checks) return reply.code(404).send({ success: false, message: "not found" });
    const sites = String(request.headers["x-worker-sites"] ?? "").split(",");
    const open = [...manager.checks.values()].filter((check) => check["ok"] === undefined && sites.includes(String(check["domain"])));
    return { success: true, data: open.slice(0, Number(limit)) };
  });
  app.post<{ Params: { id: string }; Body: Record<string, unknown> }>("/api/v1/podcast/checks/:id", async (request, reply) => {
    const check = manager.checks?.get(request.params.id);
    if (!check) return reply.code(404).send({ success: false, message: "check not found" });
    effects.push(`check ${request.params.id} ${request.body["ok"] ? "works" : "fails"}`);
    Object.assign(check, request.body);
    return { success: true };
  });
  app.get<{ Params: { id: string } }>("/api/v1/podcast/links/:id", async (request, reply) => {
    const task = tasks.get(request.params.id);
    return task ? { success: true, data: task } : reply.code(404).send({ success: false, message: "task not found" });
  });
  app.post<{ Params: { id: string; report: string }; Body: Record<string, unknown> }>(
    "/api/v1/podcast/links/:id/:report",
    async (request, reply) => {
      const { id, report } = request.params;
      const task = tasks.get(id);
      if (!task) return reply.code(404).send({ success: false, message: "task not found" });
      if (report === "start" && task.status !== "queued") return { success: true };
      if (report === "complete" && task.status === "completed")
        return task["link_post"] === request.body["link_post"]
          ? { success: true }
          : reply.code(409).send({ success: false, message: "completed with another link" });
      effects.push(`${report} ${id}`);
      if (report === "start") task.status = "running";
      if (report === "complete") Object.assign(task, request.body, { status: "completed" });
      if (report === "fail") Object.assign(task, request.body, { status: "failed" });
      if (report === "account") Object.assign(task, { account: request.body });
      return { success: true };
    },
  );
  await app.listen({ host: "127.0.0.1", port: 0 });
  t.after(async () => app.close());
  const address = app.server.address() as { port: number };
  manager.url = `http://127.0.0.1:${address.port}`;
  return manager;
}
