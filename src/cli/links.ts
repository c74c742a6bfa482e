import { setTimeout as delay } from "node:timers/promises";
import { styleText } from "node:util";
import { createLogUpdate } from "log-update";
import type { RequestStatus, ServiceType } from "../contract/backlink-api.ts";
import type { ApiClient } from "../kit/api-client.ts";
import type { Config } from "../kit/config.ts";
import { managerClient } from "./manager-client.ts";
import { readerIsGone } from "./output.ts";
import { whileAway } from "./patience.ts";
import { typeOf } from "./requests.ts";
import { harmless, styled, table, type Cell } from "./table.ts";
import { formatOf, writeOut } from "./write-out.ts";

const WATCH_EVERY_MS = 2000;
const ended: readonly RequestStatus[] = ["completed", "stopped", "failed"];

type Requests = ApiClient["requests"];

interface Wanted {
  type: ServiceType;
  id: string;
}

/** The links of a request, once, until it has ended, or in a file. @returns 1 when the request failed */
export async function showLinks(config: Config, id: string, { watch = false, out }: { watch?: boolean; out?: string }): Promise<number> {
  const { requests } = await managerClient(config);
  const params = { type: await typeOf(requests, id), id };
  const status = watch
    ? await watchLinks(requests, params, out !== undefined)
    : out
      ? (await requests.readRequest({ params })).status
      : await printLinks(requests, params);
  if (status === "pending") say(howToStart(id));
  if (out) {
    const readAll = async () => requests.exportLinks({ params, query: { format: formatOf(out) } });
    await writeOut(out, await (watch ? whileAway(readAll, say) : readAll()));
    say(`${out} is written.`);
  }
  return status === "failed" ? 1 : 0;
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const howToStart = (id: string): string => `It has not been started; \`podcrew request start ${id}\` does.`;

async function printLinks(requests: Requests, params: Wanted): Promise<RequestStatus> {
  const { status, text } = await picture(requests, params, 100);
  process.stdout.write(`${text}\n`);
  return status;
}

/** In a terminal one picture that is redrawn, elsewhere each that differs. What was seen stays, also while no manager answers. */
async function watchLinks(requests: Requests, params: Wanted, isForFile: boolean): Promise<RequestStatus> {
  const display = process.stdout.isTTY ? createLogUpdate(process.stdout) : null;
  // A picture that is higher than the terminal can't be redrawn.
  const limit = display ? Math.max(5, Math.min(100, process.stdout.rows - 5)) : 100;
  let before = "";
  const note = display ? (text: string) => display(`${before}\n${styleText("yellow", text)}`) : say;
  try {
    for (let isHinted = false; ; await delay(WATCH_EVERY_MS)) {
      const { status, text } = await whileAway(async () => picture(requests, params, limit), note);
      if (display) display(text);
      else if (text !== before) process.stdout.write(`${text}\n`);
      before = text;
      if (ended.includes(status) || (readerIsGone() && !isForFile)) return status;
      if (status === "pending" && (display || !isHinted)) note(howToStart(params.id));
      isHinted = true;
    }
  } finally {
    display?.done();
  }
}

/** The request and its first links, as text. */
async function picture(requests: Requests, params: Wanted, limit: number): Promise<{ status: RequestStatus; text: string }> {
  const [{ name, status, result }, { data, total }] = await Promise.all([
    requests.readRequest({ params }),
    requests.listLinks({ params, query: { limit, order: "asc" } }),
  ]);
  const rows = data.map((one) => [
    mark(one.status),
    one.site_name,
    one.username || one.email,
    one.link_post || one.error_message || one.note,
  ]);
  const more = total > data.length ? `, the first ${data.length} of ${total.toLocaleString("en")} links` : "";
  const columns = process.stdout.isTTY ? process.stdout.columns : undefined;
  const head = `${styleText("bold", harmless(name))}: ${status}, ${result}${more}`;
  return { status, text: `${head}\n${table([["STATUS", "SITE", "ACCOUNT", "LINK"], ...rows], columns)}` };
}

const colours = { completed: "green", failed: "red", running: "cyan", queued: "yellow", pending: "dim", canceled: "dim" } as const;
const mark = (status: keyof typeof colours): Cell => styled(colours[status], status);
