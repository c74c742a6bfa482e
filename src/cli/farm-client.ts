import { z } from "zod";
import { readAccessToken } from "../kit/access-token.ts";
import { UsageError, type Config } from "../kit/config.ts";
import { requestJson } from "../kit/http.ts";

const DEADLINE_MS = 10_000;

export interface FarmAnswer {
  status: number;
  message: string;
  data: unknown;
}

export function farmUrl(config: Config): string {
  return `http://${config.host === "0.0.0.0" ? "127.0.0.1" : config.host}:${config.taskPort}`;
}

/** Asks the running farm. @param secret with the word that only those have who can read its data folder @throws UsageError when none answers */
export async function askFarm(config: Config, path: string, json?: unknown, { secret = false } = {}): Promise<FarmAnswer> {
  const url = farmUrl(config);
  const token = secret ? await readAccessToken(config.data) : null;
  if (secret && token === null)
    throw new UsageError(`${config.data} holds no farm-token that you can read. Say where the farm's data folder is: PODCREW_DATA.`);
  try {
    const { status, body } = await requestJson(`${url}${path}`, {
      method: json === undefined ? "GET" : "POST",
      json,
      deadlineMs: DEADLINE_MS,
      ...(token && { headers: { authorization: `Bearer ${token}` } }),
    });
    const envelope = z.looseObject({ message: z.string().default(""), data: z.unknown() }).safeParse(body);
    return { status, message: envelope.data?.message ?? "", data: envelope.data?.data };
  } catch (cause) {
    throw new UsageError(
      `No farm answers at ${url}. Start one (\`podcrew up\` or \`podcrew farm\`), or say where it is: TASK_PORT, HOST.`,
      { cause },
    );
  }
}
