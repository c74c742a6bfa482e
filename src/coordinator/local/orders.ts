import { randomUUID } from "node:crypto";
import { MOST_TASKS, type CreateTask } from "../../contract/task-api.ts";
import type { WorkerEpisode } from "../../contract/worker-api.ts";
import type { Site } from "../sites.ts";
import type { Database } from "../tables.ts";
import type { AccountBook } from "./accounts.ts";
import { TaskApiError } from "./errors.ts";
import type { Scripts } from "./scripts.ts";
import { allSlots } from "./slots.ts";
import type { LocalAccountRow } from "./tables.ts";

export interface OrdersOptions {
  db: Database;
  accounts: AccountBook;
  scripts: Scripts;
  findSite(domain: string): Site | null;
  concurrency: number;
}

/** One task of a call. */
export interface Order {
  account: LocalAccountRow;
  /** As it was asked for. */
  username: string;
}

/** The tasks that a call asks for, MOST_TASKS at most. @throws TaskApiError 40001, 40401 */
export async function ordersOf(
  { accounts, db, concurrency }: OrdersOptions,
  { serials = [], usernames = [], enable_multi_account: each }: CreateTask,
): Promise<Order[]> {
  if (usernames.length > 0) {
    const rows = await accounts.byNames(usernames);
    return rows.map((account, index) => ({ account, username: usernames[index] ?? account.login }));
  }
  if (serials.length === 0) throw new TaskApiError(40001, "serials or usernames: one of both is needed");
  const slots = new Set(await allSlots(db, concurrency));
  const unknown = serials.filter((serial) => !slots.has(serial));
  if (unknown.length > 0) throw new TaskApiError(40401, `no slot is called ${unknown.slice(0, 20).join(", ")}; /device lists them`);
  const bySlot = await accounts.bySlots(serials);
  const empty = serials.filter((serial) => !bySlot.has(serial));
  if (empty.length > 0)
    throw new TaskApiError(40001, `serials: ${empty.slice(0, 20).join(", ")} has no account; \`podcrew accounts import FILE\` brings some`);
  const wanted = (serial: string): LocalAccountRow[] => (bySlot.get(serial) ?? []).slice(0, each ? undefined : 1);
  const count = serials.reduce((sum, serial) => sum + wanted(serial).length, 0);
  if (count > MOST_TASKS) throw new TaskApiError(40001, `serials: these are ${count} tasks, more than ${MOST_TASKS} at once`);
  return serials.flatMap((serial) => wanted(serial).map((account) => ({ account, username: account.login })));
}

/** What the script makes for each. @throws TaskApiError 40001, 40003 */
export async function episodesOf(
  { findSite, scripts }: OrdersOptions,
  orders: readonly Order[],
  { script_name: script, script_config: config }: CreateTask,
): Promise<WorkerEpisode[][]> {
  const hosts = Map.groupBy(orders.keys(), (index) => orders[index]?.account.host ?? "");
  const sites = [...hosts].map(([host, places]) => {
    const site = findSite(host);
    if (!site) throw new TaskApiError(40003, `no driver serves ${host}`);
    scripts.require(site.card, script);
    return { card: site.card, places };
  });
  const made: WorkerEpisode[][] = [];
  for (const { card, places } of sites) {
    const lists = await scripts.run(card, script, config, places.length);
    for (const [nth, place] of places.entries()) made[place] = (lists[nth] ?? []).map((episode) => ({ id: randomUUID(), ...episode }));
  }
  return made;
}
