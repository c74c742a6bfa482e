import type { DriverContext, z } from "../../src/driver/index.ts";

/** WordPress' REST interface, as the signed-in session may use it: by its cookie and a nonce that only its own pages get. */

/** @returns "" for a stranger */
export async function nonceOf({ page, request }: DriverContext): Promise<string> {
  const path = "/wp-admin/admin-ajax.php?action=rest-nonce";
  const answer = await request.get(path);
  if (answer.ok()) return answer.text();
  if (answer.status() !== 400) return wrong(page, path, answer.status());
  return "";
}

/** @param nonce without it WordPress answers as to anybody, however well it knows us  @returns null where there is no such thing */
export async function ask<Schema extends z.ZodType>(
  { page, request }: DriverContext,
  path: string,
  schema: Schema,
  nonce?: string,
): Promise<z.output<Schema>> {
  const answer = await request.get(path, nonce === undefined ? {} : { headers: { "x-wp-nonce": nonce } });
  if (!answer.ok() && answer.status() !== 404) return wrong(page, path, answer.status());
  return schema.parse(answer.ok() ? await answer.json() : null);
}

/** @returns what is there now */
export async function change(
  site: DriverContext,
  method: "POST" | "DELETE",
  path: string,
  data?: object | Buffer,
  headers: Record<string, string> = {},
): Promise<unknown> {
  const answer = await site.request.fetch(path, {
    method,
    headers: { "x-wp-nonce": await nonceOf(site), ...headers },
    ...(data && { data }),
  });
  if (answer.ok()) return answer.json();
  throw new Error(`${method} ${path} was answered with ${answer.status()}: ${(await answer.text()).slice(0, 200)}`);
}

/** The page says in its own way what is wrong: an outage, a session that has ended. */
async function wrong(page: DriverContext["page"], path: string, status: number): Promise<never> {
  await page.goto(path, { waitUntil: "domcontentloaded" });
  throw new Error(`${path} was answered with ${status}`);
}
