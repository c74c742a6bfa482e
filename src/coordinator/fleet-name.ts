import type { Store } from "../store/store.ts";
import { migrations } from "./migrations.ts";
import type { FarmTables } from "./tables.ts";

/**
 * The name under which all farms on one database speak to a manager. They share their tasks, so they have to share its leases:
 * a report by another one would be a stranger's.
 * @param proposed taken when this database has no name yet
 */
export async function fleetName(store: Store, proposed: string): Promise<string> {
  await store.migrate("farm", migrations);
  const db = store.part<FarmTables>("farm");
  await db
    .insertInto("fleet")
    .values({ one: true, name: proposed })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return (await db.selectFrom("fleet").select("name").executeTakeFirstOrThrow()).name;
}
