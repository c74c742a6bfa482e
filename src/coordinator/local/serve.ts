import type { FastifyInstance, FastifyRequest } from "fastify";
import { taskRoutes, type TaskNeeds } from "../../contract/task-api.ts";
import { opens } from "../../kit/access-token.ts";
import { serveRoutes, type ServeOptions } from "../../kit/api/serve.ts";
import type { Config } from "../../kit/config.ts";
import type { Log } from "../../kit/log.ts";
import { createSlidingWindow } from "../../kit/sliding-window.ts";
import { refusalOf, TaskApiError } from "./errors.ts";
import { taskHandlers, type TaskHandlersOptions } from "./handlers.ts";

export interface TaskApiOptions extends TaskHandlersOptions {
  log: Log;
  identify: ServeOptions<null, TaskNeeds>["identify"];
}

const WRONG_WORDS = { most: 10, windowMs: 60_000, maxKeys: 10_000 } as const;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/** The Task API under its prefix. Hosts and origins were looked at before. */
export function serveTaskApi(app: FastifyInstance, options: TaskApiOptions): void {
  const { log, identify } = options;
  serveRoutes<typeof taskRoutes, null, TaskNeeds>(app, taskRoutes, taskHandlers(options), {
    identify,
    strayNeeds: "caller",
    isParameter: () => true,
    refusalOf,
    onBroken: (thrown, request) =>
      log.error(
        `${request.method} ${request.url.split("?")[0]}: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`,
      ),
  });
  // A form of another site's page may send any text but JSON without being asked for permission.
  app.addHook("onRequest", async ({ headers }) => {
    const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
    if (hasBody && !JSON_TYPE.test(headers["content-type"] ?? "")) throw new TaskApiError(41501);
  });
}

/** By which word somebody came in; without TASK_TOKEN whoever reaches the port is a caller. */
export type Door = (request: FastifyRequest, needs: TaskNeeds) => TaskNeeds;

/** @returns throws TaskApiError 40100, 42901 unless the caller brings the word that is needed */
export function createDoor({
  taskToken,
  folderToken,
  now,
}: {
  /** Opens what is for callers; undefined: nothing is needed for it. */
  taskToken: Config["taskToken"];
  /** The word in the data folder, which opens all; null: nothing does. */
  folderToken: string | null;
  /** Epoch, ms. */
  now(): number;
}): Door {
  const wrong = createSlidingWindow({ ...WRONG_WORDS, now });
  return ({ headers: { authorization }, ip }, needs) => {
    const isFolder = folderToken !== null && opens(folderToken, authorization);
    if (needs === "caller" && taskToken === undefined) return isFolder ? "folder" : "caller";
    const isCaller = needs === "caller" && taskToken !== undefined && opens(taskToken, authorization);
    const waitMs = wrong.waitMs(ip);
    // Also the right word has to wait then: else it could be told from a wrong one.
    if (waitMs > 0) throw new TaskApiError(42901, "", waitMs);
    if (isFolder) return "folder";
    if (isCaller) return "caller";
    if (authorization !== undefined) wrong.count(ip);
    throw new TaskApiError(40100, needs === "folder" ? "the one in farm-token, in the farm's data folder" : "TASK_TOKEN");
  };
}

/** The plan binds callers only: whoever can read the data folder has set it. */
export function createIdentify(door: Door, plan: Config["taskPlan"]): ServeOptions<null, TaskNeeds>["identify"] {
  return async (request, needs) => {
    if (door(request, needs) === "caller" && plan === "Starter") throw new TaskApiError(40301, plan);
    return null;
  };
}
