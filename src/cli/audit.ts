import type { Config } from "../kit/config.ts";
import { managerClient } from "./manager-client.ts";
import { table } from "./table.ts";

/** Who did what, the newest first; for owners. */
export async function showAudit(
  config: Config,
  { action, search, page }: { action?: string; search?: string; page?: string },
): Promise<number> {
  const { auth } = await managerClient(config);
  const { data, total, page: shown, limit } = await auth.listAudit({ query: { action, search, page, limit: 100 } });
  const rows = data.map((line) => [line.at.slice(0, 19).replace("T", " "), line.email, line.action, String(line.how_many), line.what]);
  const columns = process.stdout.isTTY ? process.stdout.columns : undefined;
  process.stdout.write(`${table([["AT (UTC)", "WHO", "DID", "HOW MANY", "WHAT"], ...rows], columns)}\n`);
  if (total > shown * limit) process.stderr.write(`Page ${shown} of ${Math.ceil(total / limit)}; --page ${shown + 1} shows the next.\n`);
  return 0;
}
