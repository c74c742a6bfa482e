import type { APIResponse } from "playwright";
import type { z } from "zod";
import { Failure } from "../contract/failures.ts";
import type { DriverContext } from "./contract.ts";

/** An API says "not now" by these and by everything from 500. */
const notNow = new Set([408, 425, 429]);
const MAX_SAID_CHARACTERS = 300;

/**
 * What a site's API answered, as data. A refusal is put onto the page, inside an element with its status, where `refusals`
 * and the evidence look: `{ text: /\S/, within: '[data-status="422"]' }`.
 * @throws Failure site.unreachable where the API says "not now", account.refused for 401; Error for the rest
 * @example
 * const { episodes } = await readJson(site, await request.get("/api/episodes"), z.object({ episodes: z.array(row) }));
 */
export async function readJson<Schema extends z.ZodType>(
  { page }: Pick<DriverContext, "page">,
  response: APIResponse,
  schema: Schema,
): Promise<z.output<Schema>> {
  const status = response.status();
  const text = await response.text();
  const asked = new URL(response.url()).pathname;
  const said = `${asked} was answered with ${status}: ${text.replace(/\s+/g, " ").trim().slice(0, MAX_SAID_CHARACTERS)}`;
  if (response.ok()) {
    const parsed = schema.safeParse(parse(text));
    if (parsed.success) return parsed.data;
    throw new Error(`${said}; ${parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ")}`);
  }
  await page.setContent(`<pre data-status="${status}">${text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</pre>`);
  if (status >= 500 || notNow.has(status)) throw new Failure("site.unreachable", said);
  if (status === 401) throw new Failure("account.refused", said);
  throw new Error(said);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
