import type { z } from "zod";
import { request as exported, requestBody, serviceTypes, type ServiceType } from "../contract/backlink-api.ts";
import { ApiRefusal, type ApiClient } from "../kit/api-client.ts";
import { UsageError, type Config } from "../kit/config.ts";
import { serviceTypeOf } from "./groups.ts";
import { managerClient } from "./manager-client.ts";
import { showBatches } from "./progress.ts";
import { table } from "./table.ts";
import { readRows } from "./rows-file.ts";
import { formatOf, writeOut } from "./write-out.ts";

const IDS_A_CALL = 1000;

type Requests = ApiClient["requests"];
type Order = z.output<typeof requestBody>;
type Made = Awaited<ReturnType<Requests["createRequest"]>>;

const columns = { taken: Object.keys(requestBody.shape), ignored: Object.keys(exported.shape) } as const;

interface Flags {
  name?: string;
  group?: string;
  price?: string;
  target?: string;
}

/**
 * Orders what the flags say, or each row of a file; the flags win over it. Nothing is ordered when a row can't be.
 * @param options.file JSON as POST /:type takes it, one or a list, or CSV; as an export has them
 */
export async function createRequest(config: Config, type: string, options: Flags & { file?: string; start?: boolean }): Promise<number> {
  const service = serviceTypeOf(type);
  const needed = options.price === undefined ? "auction_price" : options.name === undefined ? "name" : null;
  const rows = options.file ? await readRows(options.file, { list: "requests", needed, columns, forSpreadsheet: true }) : [{}];
  const orders = rows.map((row, index) => orderOf(row, service, options, rows.length > 1 ? `Row ${index + 1}: ` : ""));
  const { requests } = await managerClient(config);
  const progress = orders.length > 1 ? showBatches(orders.length, "requests") : null;
  let [made, held] = [0, 0];
  try {
    for (const body of orders) {
      const request = await requests.createRequest({ params: { type: service }, body });
      process.stdout.write(`${request.id}\n`);
      made += 1;
      held += request.credits.held;
      progress?.show(made, `${held.toLocaleString("en")} credits`);
      if (options.start) await startMade(requests, request);
    }
  } catch (cause) {
    progress?.end();
    if (!(cause instanceof UsageError) || made === 0 || orders.length === 1) throw cause;
    throw new UsageError(
      `${cause.message}\nThe first ${made} of ${orders.length} are ordered; take them out of the file before the next try.`,
      { cause },
    );
  }
  progress?.end();
  process.stderr.write(`${held.toLocaleString("en")} credits are reserved.\n`);
  return 0;
}

/** @throws UsageError that says what is there though it was not started */
async function startMade(requests: Requests, { id, service_type: type, credits }: Made): Promise<void> {
  try {
    await requests.startRequest({ params: { type, id } });
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    const so = `The request ${id} is ordered and holds ${credits.held.toLocaleString("en")} credits, but it was not started`;
    throw new UsageError(`${cause.message}\n${so}: when that is put right, \`podcrew request start ${id}\`.`, { cause });
  }
}

const numbers = new Set(["auction_price", "target", "priority"]);
const objects = new Set(["config", "data", "folder_urls"]);

/** @throws UsageError */
function orderOf(row: Record<string, unknown>, service: ServiceType, { name, group, price, target }: Flags, where: string): Order {
  const { service_type: own = null } = row;
  if (own !== null && own !== service)
    throw new UsageError(`${where}This is a request of the type ${JSON.stringify(own)}, and ${service} ones are to be ordered.`);
  const given = Object.entries(row)
    .filter(([, value]) => value !== null)
    .map(([field, value]) => [field, typeof value === "string" ? ofText(field, value, where) : value]);
  const body = requestBody.safeParse({
    ...Object.fromEntries(given),
    ...(name !== undefined && { name }),
    ...(group !== undefined && { group_id: group }),
    ...(price !== undefined && { auction_price: Number(price) }),
    ...(target !== undefined && { target: Number(target) }),
  });
  if (body.success) return body.data;
  const problems = body.error.issues.map((one) => `${one.path.join(".")}: ${one.message}`).join("; ");
  throw new UsageError(`${where}The request can't be made: ${problems}.`);
}

/** A CSV has texts alone. */
function ofText(field: string, text: string, where: string): unknown {
  if (numbers.has(field)) return Number(text);
  if (!objects.has(field)) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${where}${field} is no JSON.`, { cause });
  }
}

export async function listRequests(config: Config): Promise<number> {
  const { requests } = await managerClient(config);
  const { data, total } = await requests.listProjects({ query: { limit: 100 } });
  const rows = data.map((one) => [one.id, one.type, one.name, one.status, one.result, String(one.auction_price)]);
  process.stdout.write(`${table([["ID", "TYPE", "NAME", "STATUS", "DONE", "PRICE"], ...rows])}\n`);
  if (total > data.length) process.stderr.write(`The newest ${data.length} of ${total.toLocaleString("en")}.\n`);
  return 0;
}

/** @param ids none: all  @param out a file that ends in .csv or .json; absent: JSON to stdout */
export async function exportRequests(config: Config, ids: readonly string[], out: string | undefined): Promise<number> {
  const { requests } = await managerClient(config);
  const wanted = ids.length > 0 ? ids : await allIds(requests);
  if (wanted.length === 0) throw new UsageError("There are no requests.");
  const format = formatOf(out);
  const parts: (string | { requests: unknown[] })[] = [];
  for (let from = 0; from < wanted.length; from += IDS_A_CALL)
    parts.push(await requests.exportRequests({ query: { format }, body: { ids: wanted.slice(from, from + IDS_A_CALL) } }));
  const texts = parts.filter((part) => typeof part === "string");
  const found = parts.flatMap((part) => (typeof part === "string" ? [] : part.requests));
  // Each part of a CSV begins with the line of names.
  await writeOut(
    out,
    format === "csv" ? texts.map((text, index) => (index === 0 ? text : text.slice(text.indexOf("\n") + 1))).join("") : { requests: found },
  );
  if (out) process.stderr.write(`${out} is written.\n`);
  return 0;
}

export async function moveRequest(config: Config, id: string, move: "start" | "stop" | "restart"): Promise<number> {
  const { requests } = await managerClient(config);
  const params = { type: await typeOf(requests, id), id };
  const calls = { start: requests.startRequest, stop: requests.stopRequest, restart: requests.restartRequest };
  const { status, result, credits } = await calls[move]({ params });
  process.stderr.write(`${status}, ${result}, ${credits.held.toLocaleString("en")} credits held.\n`);
  return 0;
}

async function allIds(requests: Requests): Promise<string[]> {
  const ids: string[] = [];
  for (let page = 1, all = 1; (page - 1) * 100 < all; page += 1) {
    const { data, total } = await requests.listProjects({ query: { page, limit: 100 } });
    ids.push(...data.map(({ id }) => id));
    all = total;
  }
  return ids;
}

/** People know a request by its id alone. @throws UsageError when there is none */
export async function typeOf(requests: Requests, id: string): Promise<ServiceType> {
  const found = await Promise.all(serviceTypes.map(async (type) => ((await isOf(requests, type, id)) ? type : null)));
  const type = found.find((one) => one !== null);
  if (type) return type;
  throw new UsageError(`There is no request ${id}; \`podcrew request list\` shows all.`);
}

async function isOf(requests: Requests, type: ServiceType, id: string): Promise<boolean> {
  try {
    await requests.readRequest({ params: { type, id } });
    return true;
  } catch (error) {
    if (error instanceof UsageError && error.cause instanceof ApiRefusal && error.cause.status === 404) return false;
    throw error;
  }
}
