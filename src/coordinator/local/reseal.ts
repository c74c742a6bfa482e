import type { WorkerTask } from "../../contract/worker-api.ts";
import type { Vault } from "../../store/vault.ts";
import type { Site } from "../sites.ts";
import { LOCAL } from "../source.ts";
import { activeTaskStates, type Database } from "../tables.ts";
import { accountKeyOf, accountNameOf, loginKeyOfTask, sealTask } from "../tasks.ts";
import { accountIdOf } from "./ids.ts";
import type { LocalAccountRow } from "./tables.ts";

/** What a task that the ledger has already signs in with next: a password that was corrected must not be tried as it was before. */
export async function resealTasks(
  trx: Database,
  account: Pick<LocalAccountRow, "account_id" | "host" | "login" | "email" | "username">,
  secrets: Pick<WorkerTask, "password" | "pass_mail" | "twofa" | "app_password" | "api_token" | "cookie">,
  { site, vault, now }: { site: Site; vault: Vault; now: Date },
): Promise<void> {
  const accountId = accountIdOf(account);
  const rows = await trx
    .selectFrom("tasks")
    .select(["id", "data"])
    .where("source", "=", LOCAL)
    .where("account_key", "=", accountKeyOf(site, { account_id: accountId } as WorkerTask))
    .where("state", "in", activeTaskStates)
    .orderBy("id")
    .forUpdate()
    .execute();
  for (const { id, data } of rows) {
    const task: WorkerTask = { ...data, email: account.email, username: account.username, ...secrets };
    await trx
      .updateTable("tasks")
      .set({ ...sealTask(task, vault), login_key: loginKeyOfTask(site, task), account_name: accountNameOf(task), updated_at: now })
      .where("id", "=", id)
      .execute();
  }
}
