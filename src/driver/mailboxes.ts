import { createHash } from "node:crypto";
import { MailConnection, type MailLogin } from "./mail-connection.ts";

interface Shared {
  connection: Promise<MailConnection>;
  users: number;
}

/** By whom, where and with what. Accounts whose addresses differ in the tag only share one. */
const open = new Map<string, Shared>();

/**
 * The one connection of this thread to a mailbox: made for the first who needs it, closed with the last.
 * @throws Failure mailbox.refused | mailbox.unreachable
 */
export async function leaseMailbox(login: MailLogin): Promise<{ connection: MailConnection; release(): void }> {
  const key = createHash("sha256").update(JSON.stringify(login)).digest("hex");
  const shared = open.get(key) ?? { connection: MailConnection.open(login), users: 0 };
  open.set(key, shared);
  shared.users += 1;
  let released = false;
  const release = (): void => {
    if (released) return;
    released = true;
    shared.users -= 1;
    if (shared.users > 0) return;
    if (open.get(key) === shared) open.delete(key);
    void shared.connection.then(
      (connection) => connection.close(),
      () => undefined,
    );
  };
  try {
    return { connection: await shared.connection, release };
  } catch (error) {
    release();
    throw error;
  }
}
