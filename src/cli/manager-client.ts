import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ApiRefusal, ApiUnanswered, createClient, type ApiClient } from "../kit/api-client.ts";
import { UsageError, type Config } from "../kit/config.ts";
import { baseOf } from "../kit/api-exchange.ts";
import { addSecret } from "../kit/redact.ts";
import { urlHere } from "../kit/url-here.ts";
import { apiErrors } from "../manager/errors.ts";

const written = z.looseObject({ url: z.string().optional(), email: z.string().optional(), password: z.string().optional() });

interface Whom {
  url: string;
  email: string;
}

/**
 * Calls of the running manager, as whoever MANAGER_EMAIL and MANAGER_PASSWORD say; else as the first owner, whom the manager wrote
 * to its data folder. One for a whole command. What goes wrong is one sentence: each call @throws UsageError.
 * @throws UsageError when nobody is named
 */
export async function managerClient(config: Config, scope?: "secrets:read"): Promise<ApiClient> {
  const path = join(config.data, "manager.json");
  const first = await readFirst(path);
  const url = config.managerUrl ?? first.url ?? urlHere(config.host, config.managerPort);
  if (Boolean(config.managerEmail) !== Boolean(config.managerPassword)) {
    const [set, missing] = config.managerEmail ? ["MANAGER_EMAIL", "MANAGER_PASSWORD"] : ["MANAGER_PASSWORD", "MANAGER_EMAIL"];
    throw new UsageError(`${set} is set and ${missing} is not: set both, or neither.`);
  }
  // A password goes to the manager that wrote it, and to no other that MANAGER_URL may name.
  const isItsOwn = first.url !== undefined && baseOf(first.url) === baseOf(url);
  const { email, password } = config.managerEmail
    ? { email: config.managerEmail, password: config.managerPassword }
    : isItsOwn
      ? first
      : { email: undefined, password: undefined };
  if (!email || !password)
    throw new UsageError(
      `Nobody is named who could sign in to ${url}: set MANAGER_EMAIL and MANAGER_PASSWORD, or PODCREW_DATA to the manager's data folder.`,
    );
  addSecret(password);
  const onWait = (ms: number): void => void process.stderr.write(`The manager asks to wait ${seconds(ms)}.\n`);
  return explained(createClient({ url, email, password, ...(scope && { scope }), onWait }), { url, email });
}

async function readFirst(path: string): Promise<z.output<typeof written>> {
  try {
    return written.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return {};
  }
}

function explained(client: ApiClient, whom: Whom): ApiClient {
  const groups = Object.entries(client as unknown as Record<string, Record<string, (sent: unknown) => Promise<unknown>>>).map(
    ([group, calls]) => {
      const explaining = Object.entries(calls).map(([name, call]) => [
        name,
        async (sent: unknown) =>
          call(sent).catch(async (cause: unknown) => {
            throw (await sentenceFor(cause, whom, client)) ?? cause;
          }),
      ]);
      return [group, Object.fromEntries(explaining)];
    },
  );
  return Object.fromEntries(groups) as ApiClient;
}

/** @returns null for what is no answer and no lack of one */
async function sentenceFor(cause: unknown, whom: Whom, client: ApiClient): Promise<UsageError | null> {
  const text =
    cause instanceof ApiRefusal && cause.code === "payment_required"
      ? await tooPoor(cause, whom, client)
      : cause instanceof ApiRefusal
        ? refused(cause, whom)
        : cause instanceof ApiUnanswered
          ? unanswered(cause, whom)
          : null;
  return text === null ? null : new UsageError(text, { cause });
}

/** Credits are an owner's, and so is the address to which they are added. */
async function tooPoor({ message }: ApiRefusal, { email }: Whom, { auth }: ApiClient): Promise<string> {
  const said = message.replace(/\.?$/, ".");
  const role = await auth.me().then(
    ({ user }) => user.role,
    () => null,
  );
  return role === "owner"
    ? `${said} They are added where the manager runs: podcrew credits add ${email} AMOUNT`
    : `${said} Ask the owner for whom ${email} works; they are added where the manager runs: podcrew credits add OWNER AMOUNT`;
}

function refused({ status, code, message, retryAfterMs }: ApiRefusal, { url, email }: Whom): string {
  const said = message.replace(/\.?$/, ".");
  // A manager says in a word of its own why it refuses; what has none is another server, such as the studio.
  if (status < 500 && !Object.hasOwn(apiErrors, code)) return notAManager(url, `HTTP ${status}`);
  if (code === "wrong_login") return `${url} does not let ${email} in: ${said} Check MANAGER_EMAIL and MANAGER_PASSWORD.`;
  if (status === 401) return `${url} ended the sign-in of ${email}: ${said} Run the command again.`;
  if (status === 403) return `${said} You are signed in as ${email}; MANAGER_EMAIL and MANAGER_PASSWORD name somebody else.`;
  if (status === 404) return "There is nothing of yours under this id, or it was deleted.";
  if (status === 429 || status === 503)
    return `${said} The manager at ${url} is busy${retryAfterMs === null ? "" : ` for ${seconds(retryAfterMs)}`}; try again then.`;
  if (status >= 500) return `${said} (HTTP ${status} of the manager at ${url}.)`;
  return said;
}

function unanswered({ kind, message }: ApiUnanswered, { url }: Whom): string {
  if (kind === "unreachable")
    return `No manager answers at ${url} (${message}). Start one (\`podcrew up\` or \`podcrew manager\`), or say where it is: MANAGER_URL.`;
  if (kind === "moved") return `The manager at ${url} was not asked: ${message}. Set MANAGER_URL to the manager's own address.`;
  if (kind === "unreadable") return notAManager(url, message);
  return `The manager at ${url} gave no whole answer (${message}). What was asked may have been done: look before you repeat it.`;
}

function notAManager(url: string, why: string): string {
  return `What answers at ${url} is no Podcrew manager, one of another version, or a server before it (${why}). Check MANAGER_URL.`;
}

function seconds(ms: number): string {
  return `${Math.max(1, Math.ceil(ms / 1000))} s`;
}
