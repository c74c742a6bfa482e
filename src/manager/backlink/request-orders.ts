import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Transaction } from "kysely";
import type { z } from "zod";
import type { requestBody, requestChanges, RequestStatus, ServiceType } from "../../contract/backlink-api.ts";
import { isUuid } from "../../kit/uuid.ts";
import { ApiError } from "../errors.ts";
import { settle } from "../people/credits.ts";
import type { ManagerTables, RequestRow } from "../tables.ts";
import { openPhases } from "./link-status.ts";
import { lockOwned, type RequestKey } from "./request-life.ts";
import { settleRequest } from "./settle-request.ts";
import { requireStorable } from "./storable.ts";

type Trx = Transaction<ManagerTables>;
type Changes = z.output<typeof requestChanges>;

/** Credits a unit, where a service has limits. */
const priceLimits: Partial<Record<ServiceType, readonly [least: number, most: number]>> = { blog20: [50, 100], podcast: [50, 100] };

/** Reserves its price and makes it, or neither. @throws ApiError payment_required, unprocessable, not_found */
export async function createRequest(
  trx: Trx,
  { tenant, type }: Pick<RequestKey, "tenant"> & { type: ServiceType },
  body: z.output<typeof requestBody>,
  now: Date,
): Promise<string> {
  checkRules(type, body);
  if (typeof body.group_id === "string") await requireGroup(trx, tenant, body.group_id);
  const id = randomUUID();
  const { auction_price, target, name, website, priority } = body;
  // Before the row: its foreign key holds the owner's row, and two that hold it would wait for each other here.
  await settle(trx, { tenant, requestId: id, due: auction_price * target, note: name, mustBeThere: true }, now);
  await trx
    .insertInto("requests")
    .values({
      id,
      user_id: tenant,
      group_id: body.group_id ?? null,
      service_type: type,
      type_request: body.type_request || type,
      name,
      website,
      auction_price,
      target,
      priority,
      config: JSON.stringify(body.config),
      data: JSON.stringify(body.data),
      folder_urls: JSON.stringify(body.folder_urls),
      status: "pending",
      created_at: now,
      updated_at: now,
      started_at: null,
      completed_at: null,
    })
    .execute();
  return id;
}

/** Work is under way, or all of it is there. */
const fixedStates: readonly RequestStatus[] = ["running", "completed"];

/**
 * What equals what is there is no change; null for the group takes it away. Links that are there stay as they were made: of a
 * request that was started, a restart brings its new target and price, and a group counts for whoever takes over.
 * @throws ApiError conflict for more than name and priority of what runs or is completed; payment_required, unprocessable, not_found
 */
export async function changeRequest(trx: Trx, key: RequestKey, body: Changes, now: Date): Promise<void> {
  // Before the request: whoever deletes the group goes on to its requests.
  if (typeof body.group_id === "string") await requireGroup(trx, key.tenant, body.group_id);
  const request = await lockOwned(trx, key);
  const changes = differences(request, body);
  const changed = Object.keys(changes);
  if (changed.length === 0) return;
  const { done_units: done } = request;
  if (changes.target !== undefined && changes.target < done)
    throw new ApiError("unprocessable", `target: ${done} are on their sites already`);
  const fixed = changed.filter((field) => field !== "name" && field !== "priority");
  if (fixedStates.includes(request.status) && fixed.length > 0)
    throw new ApiError("conflict", `the request is ${request.status}: ${fixed.join(", ")} can't be changed any more`);
  checkRules(request.service_type as ServiceType, changes);
  const { config, data, folder_urls, type_request, ...plain } = changes;
  await trx
    .updateTable("requests")
    .set({
      ...plain,
      ...(type_request !== undefined && { type_request: type_request || request.service_type }),
      ...(config && { config: JSON.stringify(config) }),
      ...(data && { data: JSON.stringify(data) }),
      ...(folder_urls && { folder_urls: JSON.stringify(folder_urls) }),
      updated_at: now,
    })
    .where("id", "=", request.id)
    .execute();
  if (changes.priority !== undefined) await prioritize(trx, request.id, changes.priority, now);
  await settleRequest(trx, request.id, now, { mustBeThere: true });
}

function differences(request: RequestRow, body: Changes): Changes {
  const before = request as unknown as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(body).filter(([field, value]) => value !== undefined && !isDeepStrictEqual(value, before[field])),
  ) as Changes;
}

function checkRules(type: ServiceType, { auction_price, config, data, folder_urls }: Changes): void {
  const limits = priceLimits[type];
  if (limits && auction_price !== undefined && (auction_price < limits[0] || auction_price > limits[1]))
    throw new ApiError("unprocessable", `auction_price: ${type} takes ${limits[0]} to ${limits[1]} credits`);
  const ids = (data?.episodes ?? []).flatMap(({ id }) => id ?? []);
  if (new Set(ids).size < ids.length) throw new ApiError("unprocessable", "data.episodes: two episodes have the same id");
  // A podcast's episode is heard: one that no farm can read out or play would hold its credits and fail on each site.
  const silent = (data?.episodes ?? []).findIndex(({ about = "", audio_url = "" }) => !about.trim() && !audio_url.trim());
  if (type === "podcast" && silent !== -1)
    throw new ApiError(
      "unprocessable",
      `data.episodes.${silent}: the episode has neither a text to read out (about) nor audio (audio_url)`,
    );
  requireStorable({ config, data, folder_urls });
}

/** Locked: nobody deletes it before the request refers to it. */
async function requireGroup(trx: Trx, tenant: string, id: string): Promise<void> {
  const ofTenant = trx.selectFrom("groups").select("id").where("id", "=", id).where("user_id", "=", tenant);
  if (!isUuid(id) || !(await ofTenant.forKeyShare().executeTakeFirst()))
    throw new ApiError("not_found", "group_id: there is no such group");
}

async function prioritize(trx: Trx, requestId: string, priority: number, now: Date): Promise<void> {
  await trx
    .updateTable("links")
    .set({ priority, updated_at: now })
    .where("request_id", "=", requestId)
    .where("phase", "in", openPhases)
    .execute();
}
