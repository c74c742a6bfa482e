import { readSites } from "../caller.ts";
import { ApiError } from "../errors.ts";
import { readCheckBody, readPullQuery } from "../read-body.ts";
import { taskIdOf, type WorkerRoute } from "../worker-route.ts";
import type { CheckBook } from "./check-book.ts";

/** Additive routes of the worker API: sign-ins that people asked to have tried. */
export function checkRoutes(checks: CheckBook): WorkerRoute[] {
  return [
    {
      method: "GET",
      url: "/checks",
      action: "checks",
      async answer({ query, headers }, caller) {
        const { limit } = readPullQuery({ limit: query["limit"] });
        return { success: true, data: await checks.pull(caller, { sites: readSites(headers), limit }) };
      },
    },
    {
      method: "POST",
      url: "/checks/:id",
      action: "check",
      async answer(request, caller) {
        const id = taskIdOf(request);
        if (id === null) throw new ApiError("not_found");
        await checks.report(caller, id, readCheckBody(request.body));
        return { success: true };
      },
    },
  ];
}
