import { openStore } from "../../src/store/store.ts";
import { silentLog } from "./store.ts";

/** What the studio of a data folder handled, oldest first; read from its database, with nobody else in it. */
export async function publishes(dataDir: string): Promise<{ title: string; outcome: string }[]> {
  const store = await openStore({ dataDir, log: silentLog });
  try {
    return await store
      .part<{ history: { id: number; title: string; outcome: string } }>("studio")
      .selectFrom("history")
      .select(["title", "outcome"])
      .orderBy("id")
      .execute();
  } finally {
    await store.close();
  }
}
