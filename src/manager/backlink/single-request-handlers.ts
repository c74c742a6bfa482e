import type { Transaction } from "kysely";
import type { requestRoutes, ServiceType } from "../../contract/backlink-api.ts";
import { isUuid } from "../../kit/uuid.ts";
import type { Handlers, Who } from "../api/serve.ts";
import { ApiError } from "../errors.ts";
import { audit } from "../people/audit.ts";
import type { ManagerTables } from "../tables.ts";
import { exportRequests } from "./exports/requests.ts";
import type { RequestTools } from "./request-tools.ts";
import { deleteRequest, restartRequest, startRequest, stopRequest, type RequestKey } from "./request-life.ts";
import { changeRequest, createRequest } from "./request-orders.ts";
import { readRequest } from "./requests.ts";
import { owned, type Owned } from "./tenant.ts";

type Trx = Transaction<ManagerTables>;
type Names =
  | "createRequest"
  | "readRequest"
  | "changeRequest"
  | "deleteRequest"
  | "startRequest"
  | "stopRequest"
  | "restartRequest"
  | "deleteRequests"
  | "exportRequests";

const keyOf = ({ type, id }: { type: ServiceType; id: string }, who: Who): RequestKey => ({ tenant: owned(who).tenant, type, id });

/** Orders: made, changed, started, stopped, deleted. */
export function singleRequestHandlers({ db, clock, change, episodesOfContent }: RequestTools): Pick<Handlers<typeof requestRoutes>, Names> {
  /** One change, and the request as it is then. */
  const changed = async (key: RequestKey, step: (trx: Trx, now: Date) => Promise<void>) => {
    await change(step);
    return readRequest(db, key);
  };
  const remove = async (key: RequestKey, who: Owned): Promise<void> =>
    change(async (trx, now) => {
      await deleteRequest(trx, key, now);
      await audit(trx, who, { action: "delete", what: `request ${key.id}` }, now);
    });

  return {
    async createRequest({ params, body }, who) {
      const [{ tenant }, { type }] = [owned(who), params];
      const id = await change(async (trx, now) => createRequest(trx, { tenant, type }, body, now));
      return readRequest(db, { tenant, type, id });
    },
    readRequest: async ({ params }, who) => readRequest(db, keyOf(params, who)),
    async changeRequest({ params, body }, who) {
      const key = keyOf(params, who);
      return changed(key, async (trx, now) => changeRequest(trx, key, body, now));
    },
    async deleteRequest({ params }, who) {
      await remove(keyOf(params, who), owned(who));
      return { success: true };
    },
    async startRequest({ params }, who) {
      const key = keyOf(params, who);
      return changed(key, async (trx, now) => startRequest(trx, key, episodesOfContent, now));
    },
    async stopRequest({ params }, who) {
      const key = keyOf(params, who);
      return changed(key, async (trx, now) => stopRequest(trx, key, now));
    },
    async restartRequest({ params }, who) {
      const key = keyOf(params, who);
      return changed(key, async (trx, now) => restartRequest(trx, key, episodesOfContent, now));
    },
    async deleteRequests({ body: { ids } }, who) {
      const owner = owned(who);
      const problems = new Map<string, string | null>();
      for (const id of new Set(ids.map((one) => one.toLowerCase())))
        problems.set(
          id,
          await problemOf(async () => {
            if (!isUuid(id)) throw new ApiError("not_found");
            await remove({ tenant: owner.tenant, type: null, id }, owner);
          }),
        );
      const results = ids.map((id) => {
        const message = problems.get(id.toLowerCase());
        return { id, ok: !message, ...(message && { message }) };
      });
      return { success: true, results };
    },
    exportRequests: async ({ query, body: { ids } }, who) => exportRequests({ db, now: clock() }, owned(who), ids, query.format),
  };
}

/** What a caller may know of why it was refused; null: it was done. What nobody foresaw is thrown on. */
async function problemOf(step: () => Promise<void>): Promise<string | null> {
  try {
    await step();
    return null;
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}
