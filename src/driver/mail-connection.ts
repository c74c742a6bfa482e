import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { ImapFlow } from "imapflow";
import PostalMime, { type Email } from "postal-mime";
import { Failure } from "../contract/failures.ts";
import { withDeadline } from "../kit/deadline.ts";
import type { ImapServer } from "../kit/mail-server.ts";

const CONNECT_MS = 15_000;
/** A server that takes the connection and then says nothing more. */
const OPEN_MS = 30_000;
/** The server's `exists` usually comes first; a look each second covers other folders, and servers that don't say it. */
const LOOK_EVERY_MS = 1000;
/** A connection that breaks so often in a row is given up. */
const MAX_BREAKS = 4;
/** A code stands at a mail's top; pictures and files need not be fetched. */
const MAX_MAIL_BYTES = 256 * 1024;
const MAX_MAILS_A_LOOK = 50;
const MAX_MAILS_KEPT = 500;

export interface MailLogin {
  server: ImapServer;
  user: string;
  password: string;
}

/** A mail that came while we were connected. */
export interface Arrival {
  /** Grows in the order in which we saw them. */
  seq: number;
  email: Email;
  /** Of the mail itself: the same in every folder that shows it. */
  id: string;
  /** When it was written and when it arrived, epoch ms, each by its server's clock. */
  writtenAt: number;
  arrivedAt: number;
}

interface Folder {
  path: string;
  uidValidity: bigint;
  /** What has this UID or a higher one is new to us. */
  uidNext: number;
}

/** Where mail that a filter took out of the inbox is found. */
const alsoLookedAt: ReadonlySet<string> = new Set(["\\Junk", "\\All"]);

/** One connection to one mailbox, shared by all that wait for mail there. */
export class MailConnection {
  readonly #login: MailLogin;
  #client: ImapFlow;
  /** The inbox first. */
  #folders: Folder[] = [];
  #arrivals: Arrival[] = [];
  #seq = 0;
  #breaks = 0;
  #closed = false;
  #looking: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  #resting: Promise<void> | null = null;

  private constructor(login: MailLogin, client: ImapFlow) {
    this.#login = login;
    this.#client = client;
  }

  /** @throws Failure mailbox.refused | mailbox.unreachable */
  static async open(login: MailLogin): Promise<MailConnection> {
    const connection = new MailConnection(login, await connect(login));
    try {
      await withDeadline(OPEN_MS, "noting where the mailbox ends", async () => connection.#note());
      return connection;
    } catch (error) {
      connection.close();
      throw new Failure("mailbox.unreachable", "the inbox can't be opened", { cause: error });
    }
  }

  /** Everything up to now has been seen: only what comes later is newer than the mark. */
  async mark(): Promise<number> {
    await this.look();
    return this.#seq;
  }

  since(mark: number): Arrival[] {
    return this.#arrivals.filter(({ seq }) => seq > mark);
  }

  /** A whole look through all folders that begins now or later, one for all who wait. @throws Failure mailbox.unreachable | mailbox.refused | mailbox.no_code */
  async look(): Promise<void> {
    if (!this.#looking) return this.#begin();
    // The one that is under way may have passed the inbox already.
    this.#next ??= this.#looking
      .catch(() => undefined)
      .then(async () => {
        this.#next = null;
        return this.#begin();
      });
    return this.#next;
  }

  /** Ends at the server's `exists` or after a second. */
  async rest(): Promise<void> {
    this.#resting ??= this.#rest().finally(() => (this.#resting = null));
    return this.#resting;
  }

  close(): void {
    this.#closed = true;
    this.#client.close();
  }

  async #begin(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = null));
    return this.#looking;
  }

  async #look(): Promise<void> {
    // Somebody who waits on after the last one has left must not open a connection that nobody closes.
    if (this.#closed) throw new Failure("mailbox.unreachable", "the mailbox was closed meanwhile");
    try {
      if (!this.#client.usable) await this.#reconnect();
      const [inbox, ...others] = this.#folders;
      // A search answers from what the server last told us of: only this makes it tell (Dovecot).
      await this.#client.noop();
      if (inbox) await this.#readNew(inbox);
      for (const folder of others) {
        const now = await this.#client.status(folder.path, { uidNext: true, uidValidity: true });
        if (now && now.uidValidity === folder.uidValidity && (now.uidNext ?? 0) <= folder.uidNext) continue;
        await this.#select(folder);
        await this.#readNew(folder);
      }
      if (inbox && others.length > 0) await this.#select(inbox);
      this.#breaks = 0;
    } catch (error) {
      if (error instanceof Failure && error.code !== "mailbox.unreachable") throw error;
      this.#breaks += 1;
      this.#client.close();
      if (this.#closed || this.#breaks >= MAX_BREAKS)
        throw new Failure("mailbox.unreachable", "the connection to the mailbox was lost", { cause: error });
    }
  }

  async #reconnect(): Promise<void> {
    const client = await connect(this.#login);
    if (this.#closed) {
      client.close();
      throw new Failure("mailbox.unreachable", "the mailbox was closed meanwhile");
    }
    this.#client = client;
    const [inbox] = this.#folders;
    if (inbox) await this.#select(inbox);
  }

  async #rest(): Promise<void> {
    const client = this.#client;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LOOK_EVERY_MS);
    client.once("exists", resolve);
    // What the next command breaks off; where the server has no IDLE, the look each second is all there is.
    // Not between the commands of somebody else's look: each would have to break it off again.
    if (!this.#looking && !this.#next) void client.idle().catch(() => undefined);
    await promise;
    clearTimeout(timer);
    client.off("exists", resolve);
  }

  /** Where each folder ends now. */
  async #note(): Promise<void> {
    const client = this.#client;
    const listed = await client.list();
    const others = listed.filter((box) => box.path.toUpperCase() !== "INBOX" && alsoLookedAt.has(box.specialUse ?? ""));
    const folders: Folder[] = [];
    for (const { path } of others) {
      const status = await client.status(path, { uidNext: true, uidValidity: true });
      if (status && status.uidNext !== undefined && status.uidValidity !== undefined)
        folders.push({ path, uidValidity: status.uidValidity, uidNext: status.uidNext });
    }
    const { uidValidity, uidNext } = await client.mailboxOpen("INBOX", { readOnly: true });
    this.#folders = [{ path: "INBOX", uidValidity, uidNext }, ...folders];
  }

  async #select(folder: Folder): Promise<void> {
    const selected = this.#client.mailbox && this.#client.mailbox.path;
    if (selected === folder.path) return;
    const { uidValidity, uidNext } = await this.#client.mailboxOpen(folder.path, { readOnly: true });
    if (uidValidity === folder.uidValidity) return;
    if (folder.path === "INBOX")
      throw new Failure("mailbox.no_code", "the inbox was rebuilt while we waited; its mails can't be told apart");
    // Numbered anew: what is there now may be old.
    Object.assign(folder, { uidValidity, uidNext });
  }

  async #readNew(folder: Folder): Promise<void> {
    const found = (await this.#client.search({ uid: `${folder.uidNext}:*` }, { uid: true })) || [];
    // "n:*" always includes the last mail, also when it is older than n.
    const uids = found.filter((uid) => uid >= folder.uidNext).slice(-MAX_MAILS_A_LOOK);
    if (uids.length === 0) return;
    const mails = await this.#client.fetchAll(
      uids.join(","),
      { uid: true, internalDate: true, source: { maxLength: MAX_MAIL_BYTES } },
      { uid: true },
    );
    for (const mail of mails.toSorted((a, b) => a.uid - b.uid)) {
      if (mail.source) await this.#keep(mail.source, new Date(mail.internalDate ?? Date.now()).getTime());
      folder.uidNext = Math.max(folder.uidNext, mail.uid + 1);
    }
  }

  async #keep(source: Buffer, arrivedAt: number): Promise<void> {
    const email = await PostalMime.parse(source);
    const id = createHash("sha256")
      .update(email.messageId ?? source)
      .digest("hex");
    // The inbox's copy was seen already.
    if (this.#arrivals.some((one) => one.id === id)) return;
    const writtenAt = Date.parse(email.date ?? "");
    this.#seq += 1;
    this.#arrivals.push({ seq: this.#seq, email, id, arrivedAt, writtenAt: Number.isNaN(writtenAt) ? arrivedAt : writtenAt });
    this.#arrivals = this.#arrivals.slice(-MAX_MAILS_KEPT);
  }
}

async function connect({ server, user, password }: MailLogin): Promise<ImapFlow> {
  const { host, port, tls, caFile } = server;
  const ca = caFile ? await readFile(caFile, "utf8") : null;
  const client = new ImapFlow({
    host,
    port,
    secure: tls === true,
    // Never in the clear by somebody else's choice: without STARTTLS there is no sign-in.
    ...(tls !== true && { doSTARTTLS: tls === "starttls" }),
    auth: { user, pass: password },
    logger: false,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    ...(ca && { tls: { ca } }),
  });
  // A connection that drops later shows in the next command; without a listener it would end the thread.
  client.on("error", () => undefined);
  try {
    await withDeadline(OPEN_MS, "signing in to the mailbox", async () => client.connect());
    return client;
  } catch (error) {
    // After a failed login the socket stays open otherwise.
    client.close();
    throw new Failure(isRefusal(error) ? "mailbox.refused" : "mailbox.unreachable", `${host}:${port}`, { cause: error });
  }
}

/** RFC 5530: the server is in trouble or has had enough for now, which says nothing about the password. */
const passingTrouble: ReadonlySet<string> = new Set(["UNAVAILABLE", "LIMIT", "INUSE", "SERVERBUG", "CONTACTADMIN", "OVERQUOTA"]);
/** The password, in so many words. */
const refusalCodes: ReadonlySet<string> = new Set(["AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED", "PRIVACYREQUIRED"]);
const passingWords = /temporar|too many|unavailable|internal error|rate limit/i;

/** Does the error say that the password is wrong? Every "no" to a sign-in carries the flag, also one for now only. */
function isRefusal(error: unknown): boolean {
  const { authenticationFailed, serverResponseCode, response } = error as {
    authenticationFailed?: boolean;
    serverResponseCode?: string;
    response?: unknown;
  };
  if (authenticationFailed !== true) return false;
  const said = (serverResponseCode ?? "").toUpperCase();
  if (refusalCodes.has(said)) return true;
  return !passingTrouble.has(said) && !(typeof response === "string" && passingWords.test(response));
}
