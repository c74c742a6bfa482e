import { Failure, toFailureData } from "../contract/failures.ts";
import type { Assignment, CoordinatorCalls, MailboxCredentials, MailboxOf } from "../contract/task.ts";
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
    const { account, whose } = ownersAccount(assignment, ownerEmail);
    const may = await calls.mayOpenMailbox(whose);
    if (!may.allowed) throw new Failure("mailbox.refused", may.why);
    const imap = whose === "owner" ? assignment.feedImap : assignment.imap;
    return openMailbox({ account, imap, takeCode, signal }).catch(async (error: unknown) => {
      if (toFailureData(error).code === "mailbox.refused") await calls.mailboxRefused(false, whose);
      throw error;
    });
  }
}

/** Unlike a sign-in, this is recorded: the code is taken out of the trace. */
function remembered(code: string): string {
  addSecret(code);
  return code;
}

/** @throws Failure account.incomplete when nobody gave us the owner's mailbox */
function ownersAccount({ credentials, feedMailbox }: Assignment, ownerEmail: string): { account: MailboxCredentials; whose: MailboxOf } {
  const owner = ownerEmail.trim().toLowerCase();
  const isOwners = ({ email }: MailboxCredentials): boolean => email.trim().toLowerCase() === owner;
  if (owner === "" || isOwners(credentials)) return { account: { ...credentials, email: credentials.email || owner }, whose: "account" };
  if (feedMailbox && isOwners(feedMailbox)) return { account: feedMailbox, whose: "owner" };
  throw new Failure("account.incomplete", `the feed's owner is ${ownerEmail}, and no account of the task reads that mailbox`);
}
