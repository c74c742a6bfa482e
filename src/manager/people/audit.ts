import type { Kysely } from "kysely";
import type { z } from "zod";
import type { AuditedAction, authRoutes } from "../../contract/auth-api.ts";
import { holding } from "../backlink/escape-like.ts";
import type { ManagerTables } from "../tables.ts";

/** Who does something, and whose it is; null: everybody's, such as a key that sees all owners' work. */
export interface Actor {
  tenant: string | null;
  email: string;
}

/** By a command on the manager's own machine, where nobody signs in. */
export const onTheMachine = (tenant: string | null): Actor => ({ tenant, email: "podcrew" });

/** What people did that others may ask about: a line that stays. No line has a secret. */
export async function audit(
  db: Kysely<ManagerTables>,
  by: Actor,
  { action, what, howMany = 1 }: { action: AuditedAction; what: string; howMany?: number },
  now: Date,
): Promise<void> {
  await db.insertInto("audit").values({ at: now, user_id: by.tenant, email: by.email, action, what, how_many: howMany }).execute();
}

type Audited = z.input<typeof authRoutes.listAudit.answer>["data"];

/** An owner's lines and those that are everybody's, the newest first. */
export async function listAudit(
  db: Kysely<ManagerTables>,
  tenant: string,
  { page, limit, action, search }: z.output<typeof authRoutes.listAudit.query>,
): Promise<{ data: Audited; total: number }> {
  const chosen = db
    .selectFrom("audit")
    .where((eb) => eb.or([eb("user_id", "=", tenant), eb("user_id", "is", null)]))
    .$if(action !== null, (lines) => lines.where("action", "=", action ?? ""))
    .$if(search !== "", (lines) =>
      lines.where((eb) => eb.or([eb("what", "ilike", holding(search)), eb("email", "ilike", holding(search))])),
    );
  const { total } = await chosen.select(({ fn }) => fn.countAll<number>().as("total")).executeTakeFirstOrThrow();
  const rows = await chosen
    .selectAll()
    .orderBy("id", "desc")
    .limit(limit)
    .offset((page - 1) * limit)
    .execute();
  const data = rows.map(({ user_id: _owner, at, ...line }) => ({ ...line, at: at.toISOString() }));
  return { data, total };
}
