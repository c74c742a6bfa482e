import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { FailureCode } from "../contract/failures.ts";
import type { Credentials } from "../contract/task.ts";
import { UsageError } from "../kit/config.ts";
import type { BenchFeed } from "./bench-import.ts";
import type { ImapServer } from "../kit/mail-server.ts";

/** A twin of the site (or a test account on the real one) that the bench may post to. */
export interface BenchTarget {
  origin: string;
  account: Partial<Credentials>;
  imap?: ImapServer;
  /** How many publish requests the site has handled so far, where it can tell. */
  history?(): Promise<number>;
  /** CSS selectors on an episode's public page, for the check that texts arrive intact. */
  shown?: { title: string; about: string };
  /** The feed names recordings, which the site keeps as they came: the bench fetches them as a player would. */
  enclosures?: boolean;
  /** For drivers with `importFeed`. */
  feed?: BenchFeed;
  /** Switches the driver's pop-ups on. */
  interrupt?(): Promise<void>;
  /** Accounts or edges that must end in a refusal, by its code; `account` overrides the target's. */
  refusals?: Partial<Record<FailureCode, { account?: Partial<Credentials>; prepare?(): Promise<void>; restore?(): Promise<void> }>>;
  close(): Promise<void>;
}

const text = z.string().optional();
/** Named as in the code, or as the worker API writes them. */
const accountFile = z
  .strictObject({
    email: text,
    username: text,
    password: text,
    twofa: text,
    passMail: text,
    pass_mail: text,
    appPassword: text,
    app_password: text,
    apiToken: text,
    api_token: text,
    imap: z
      .strictObject({ host: z.string(), port: z.number(), tls: z.boolean().default(true), caFile: z.string().nullable().default(null) })
      .optional(),
  })
  .transform(({ pass_mail, app_password, api_token, imap, ...plain }) => {
    const fields = {
      ...plain,
      passMail: plain.passMail ?? pass_mail,
      appPassword: plain.appPassword ?? app_password,
      apiToken: plain.apiToken ?? api_token,
    };
    const account = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<Credentials>;
    return { account, imap };
  });

/** An account for trying a driver, from a JSON file. @throws UsageError */
export async function readAccountFile(path: string): Promise<{ account: Partial<Credentials>; imap?: ImapServer | undefined }> {
  const example = '{ "email": "me@example.com", "password": "demo-password" }';
  const given = await readFile(path, "utf8")
    .then(
      (content): unknown => JSON.parse(content),
      (error: NodeJS.ErrnoException) => {
        throw new UsageError(`The account file ${path} can't be read (${error.code}). It looks like ${example}`);
      },
    )
    .catch((error: unknown) => {
      throw error instanceof UsageError ? error : new UsageError(`The account file ${path} is no JSON. It looks like ${example}`);
    });
  const parsed = accountFile.safeParse(given);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => [issue.path.join("."), issue.message].filter(Boolean).join(": "));
  throw new UsageError(`The account file ${path} has a problem: ${wrong.join("; ")}. It looks like ${example}`);
}

/**
 * The target that the environment names: `DRIVER_URL`, and `DRIVER_ACCOUNT`, a JSON file with the account. null: none is named.
 *
 * @example
 * driverBench(driver, { target: targetFromEnvironment });
 * driverBench(driver, { target: async () => targetFromEnvironment({ shown: { title: "h1", about: ".notes" } }) });
 *
 * @param more what else the bench may know of the target
 */
export async function targetFromEnvironment(more: Partial<BenchTarget> = {}): Promise<BenchTarget | null> {
  const { DRIVER_URL: url, DRIVER_ACCOUNT: path } = process.env;
  if (!url) return null;
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw new UsageError(`DRIVER_URL=${url} is no address (for example https://studio.example.com).`);
  const { account, imap } = path ? await readAccountFile(path) : { account: {}, imap: undefined };
  return { origin: new URL(url).origin, account, ...(imap && { imap }), close: async () => undefined, ...more };
}
