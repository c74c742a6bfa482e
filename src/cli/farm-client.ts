import { z } from "zod";
import { readAccessToken } from "../kit/access-token.ts";
import { UsageError, type Config } from "../kit/config.ts";
import { requestJson, type HttpRequest } from "../kit/http.ts";
import { urlHere } from "../kit/url-here.ts";

const DEADLINE_MS = 10_000;
/** Of a call that takes as long as there are tasks in it. */
const TASKS_DEADLINE_MS = 120_000;

export interface FarmAnswer {
  status: number;
  /** Of the envelope; null: what answers has none. */
  code: number | null;
  message: string;
  data: unknown;
}

/** Asks the running farm, as any caller. @param secret with the word that only those have who can read its data folder @throws UsageError when none answers */
export async function askFarm(config: Config, path: string, json?: unknown, { secret = false } = {}): Promise<FarmAnswer> {
  return ask(config, path, { method: json === undefined ? "GET" : "POST", json, deadlineMs: DEADLINE_MS }, secret);
}

/**
 * A call of the Task API, as TASK_TOKEN says or whoever can read the farm's data folder.
 * @param folder it is only for the latter
 * @returns its data  @throws UsageError when the farm refuses it, or none answers
 */
export async function askTasks<Data>(
  config: Config,
  answer: z.ZodType<{ data: Data }>,
  method: NonNullable<HttpRequest["method"]>,
  path: string,
  json?: unknown,
  { folder = false } = {},
): Promise<Data> {
  const { status, message, data } = await ask(config, `/api/v1${path}`, { method, json, deadlineMs: TASKS_DEADLINE_MS }, folder);
  if (status !== 200) throw new UsageError(`The farm does not take that: ${message || `it answers ${status}`}`);
  const parsed = answer.safeParse({ code: 0, message: "success", data });
  if (!parsed.success) throw new UsageError(`What answers at ${urlHere(config.host, config.taskPort)} is no farm of this version.`);
  return parsed.data.data;
}

const NEEDS_A_WORD = 40_100;
const NOT_IN_THE_PLAN = 40_301;

/**
 * The folder's word opens sessions and passwords, and who listens at the port need not be the farm: it goes where the command needs
 * it, and else only where the call is refused without.
 */
async function ask(config: Config, path: string, request: HttpRequest, needsFolder: boolean): Promise<FarmAnswer> {
  if (needsFolder) return exchange(config, path, request, await folderToken(config));
  const answer = await exchange(config, path, request, config.taskToken ?? null);
  if (answer.code !== NEEDS_A_WORD && answer.code !== NOT_IN_THE_PLAN) return answer;
  const token = await readAccessToken(config.data);
  return token === null ? answer : exchange(config, path, request, token);
}

async function folderToken(config: Config): Promise<string> {
  const token = await readAccessToken(config.data);
  if (token === null)
    throw new UsageError(`${config.data} holds no farm-token that you can read. Say where the farm's data folder is: PODCREW_DATA.`);
  return token;
}

async function exchange(config: Config, path: string, request: HttpRequest, token: string | null): Promise<FarmAnswer> {
  const url = urlHere(config.host, config.taskPort);
  try {
    const { status, body } = await requestJson(`${url}${path}`, {
      ...request,
      ...(token && { headers: { authorization: `Bearer ${token}` } }),
    });
    const envelope = z
      .looseObject({ code: z.number().nullable().default(null), message: z.string().default(""), data: z.unknown() })
      .safeParse(body);
    return { status, code: envelope.data?.code ?? null, message: envelope.data?.message ?? "", data: envelope.data?.data };
  } catch (cause) {
    throw new UsageError(sayUnanswered(url, path, request.method, cause), { cause });
  }
}

/** What a call ends with that reached nobody. */
const unreached = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

function sayUnanswered(url: string, path: string, method: HttpRequest["method"], thrown: unknown): string {
  const { code = "" } = ((thrown as Error).cause ?? thrown ?? {}) as { code?: unknown };
  if (unreached.has(String(code)))
    return `No farm answers at ${url}. Start one (\`podcrew up\` or \`podcrew farm\`), or say where it is: TASK_PORT, HOST.`;
  const cut = `The farm at ${url} was asked, and no whole answer came.`;
  if (method === "GET") return `${cut} Ask again.`;
  const look = path.startsWith("/api/v1/task")
    ? "podcrew task list"
    : path.startsWith("/api/v1/account")
      ? "podcrew accounts list"
      : "podcrew status";
  return `${cut} It may have taken that: look at \`${look}\` before you say it again.`;
}
