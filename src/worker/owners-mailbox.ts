import { Failure } from "../contract/failures.ts";
import type { Assignment, CoordinatorCalls, MailboxCredentials } from "../contract/task.ts";
import { openMailbox, type Mailbox } from "../driver/mailed-code.ts";
import { addSecret } from "../kit/redact.ts";

interface Parts {
  assignment: Assignment;
  calls: CoordinatorCalls;
  signal: AbortSignal;
}

/**
 * The mailbox of whoever a feed names as its owner; its end is noted before the site can be asked for a code. One that can't
 * be opened only matters when a code is asked for: not every site wants one.
 */
export async function withOwnersMailbox<T>(
  { assignment, calls, signal }: Parts,
  ownerEmail: string,
  work: (mailbox: () => Promise<Mailbox>) => Promise<T>,
): Promise<T> {
  const takeCode = async (codeHash: string): Promise<boolean> => calls.takeMailedCode(codeHash);
  const opened = await open().catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
  try {
    return await work(async () => {
      if (opened instanceof Error) throw opened;
      return { ...opened, code: async (query) => remembered(await opened.code(query)) };
    });
  } finally {
    if (!(opened instanceof Error)) opened.close();
  }

  async function open(): Promise<Mailbox> {
    return openMailbox({ account: ownersAccount(assignment, ownerEmail), imap: assignment.imap, takeCode, signal });
  }
}

/** Unlike a sign-in, this is recorded: the code is taken out of the trace. */
function remembered(code: string): string {
  addSecret(code);
  return code;
}

/** @throws Failure account.incomplete when nobody gave us the owner's mailbox */
function ownersAccount({ credentials, feedMailbox }: Assignment, ownerEmail: string): MailboxCredentials {
  const owner = ownerEmail.trim().toLowerCase();
  const known = [credentials, feedMailbox].filter((one) => one !== null);
  const found = owner === "" ? credentials : known.find(({ email }) => email.trim().toLowerCase() === owner);
  if (found) return { ...found, email: found.email || owner };
  throw new Failure("account.incomplete", `the feed's owner is ${ownerEmail}, and no account of the task reads that mailbox`);
}
