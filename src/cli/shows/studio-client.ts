import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ApiRefusal, ApiUnanswered } from "../../kit/api-client.ts";
import { baseOf } from "../../kit/api-exchange.ts";
import { UsageError, type Config } from "../../kit/config.ts";
import { createPodopsClient, problemsOf, type PodopsClient } from "../../kit/podops-client.ts";
import { addSecret } from "../../kit/redact.ts";
import { urlHere } from "../../kit/url-here.ts";
import { harmless } from "../table.ts";

const written = z.looseObject({ adminKey: z.string().min(1) });

export interface AskedStudio {
  studio: PodopsClient;
  /** As others see it, without a slash at its end. */
  url: string;
}

/**
 * Calls of the running studio, with STUDIO_KEY; else with the admin key that the studio wrote to its data folder. What goes wrong is
 * one sentence: each call @throws UsageError, with the refusal as its cause.
 * @param subject whose productions: an account's e-mail; absent: the studio's first account, or the token's own
 * @throws UsageError when there is no key
 */
export async function askStudio(config: Config, subject?: string): Promise<AskedStudio> {
  const here = urlHere(config.host, config.studioPort);
  const url = baseOf(config.studioUrl ?? here);
  // The key of this studio goes to no other one that STUDIO_URL may name.
  const isHere = [here, config.publicStudioUrl].some((own) => own !== undefined && baseOf(own) === url);
  const key = config.studioKey ?? (isHere ? await keyIn(config.data) : null);
  if (!key)
    throw new UsageError(
      `There is no key for ${url}: set STUDIO_KEY to an admin key or a token${isHere ? ", or PODCREW_DATA to the studio's data folder" : ""}.`,
    );
  addSecret(key);
  const isToken = key.split(".").length === 3;
  if (isToken && subject !== undefined) throw new UsageError("A token is its subject's; --as is for the admin key.");
  const client = createPodopsClient({ url, key: isToken ? { token: key } : { admin: key }, subject });
  return { studio: explained(client, url), url: isHere ? baseOf(config.publicStudioUrl ?? url) : url };
}

async function keyIn(data: string): Promise<string | null> {
  try {
    return written.parse(JSON.parse(await readFile(join(data, "studio.json"), "utf8"))).adminKey;
  } catch {
    return null;
  }
}

function explained(client: PodopsClient, url: string): PodopsClient {
  const calls = Object.entries(client as unknown as Record<string, (...sent: unknown[]) => Promise<unknown>>);
  const explaining = calls.map(([name, call]) => [
    name,
    async (...sent: unknown[]) =>
      call(...sent).catch((cause: unknown) => {
        throw sentenceFor(cause, url) ?? cause;
      }),
  ]);
  return Object.fromEntries(explaining) as PodopsClient;
}

function sentenceFor(cause: unknown, url: string): UsageError | null {
  if (cause instanceof ApiRefusal) return new UsageError(refused(cause, url), { cause });
  if (cause instanceof ApiUnanswered) return new UsageError(unanswered(cause, url), { cause });
  return null;
}

function refused(refusal: ApiRefusal, url: string): string {
  const { status, message } = refusal;
  const said = harmless(message).replace(/\.?$/, ".");
  const problems = problemsOf(refusal).map((problem) => `  ${[problem.path, problem.message].filter(Boolean).map(harmless).join(": ")}`);
  if (status === 401) return `${url} does not take the key: ${said} Check STUDIO_KEY, or PODCREW_DATA.`;
  if (status === 403) return `${said} The token's scope does not reach so far.`;
  if (status >= 500) return `${said} (HTTP ${status} of the studio at ${url}.)`;
  // One problem stands in the message already.
  return problems.length > 1 ? [said, ...problems].join("\n") : said;
}

function unanswered({ kind, message }: ApiUnanswered, url: string): string {
  if (kind === "unreachable")
    return `No studio answers at ${url} (${message}). Start one (\`podcrew up\` or \`podcrew studio\`), or say where it is: STUDIO_URL.`;
  if (kind === "moved") return `The studio at ${url} was not asked: ${message}. Set STUDIO_URL to the studio's own address.`;
  if (kind === "unreadable") return `What answers at ${url} is no PodOps studio (${message}). Check STUDIO_URL.`;
  return `The studio at ${url} gave no whole answer (${message}). What was asked may have been done: look before you repeat it.`;
}

/** The status that a studio refused with; null: it was something else. */
export function refusedWith(error: unknown): number | null {
  return error instanceof UsageError && error.cause instanceof ApiRefusal ? error.cause.status : null;
}
