import { randomUUID } from "node:crypto";
import type { Kysely } from "kysely";
import { accountFields, type AccountField } from "../contract/worker-api.ts";
import type { Vault } from "../store/vault.ts";
import { ApiError } from "./errors.ts";
import type { AccountRow, ManagerTables } from "./tables.ts";

/** What a caller may say of an account's fields. Absent: stays as it is. "": emptied. */
export type AccountChanges = { readonly [F in AccountField]?: string | undefined };

/** The fields that are sealed in the table. */
export const secretFields = [
  "cookie",
  "password",
  "pass_mail",
  "twofa",
  "app_password",
  "api_token",
] as const satisfies readonly AccountField[];
export type SecretField = (typeof secretFields)[number];
type AccountSecrets = Record<SecretField, string>;

const isSecret = (field: AccountField): field is SecretField => (secretFields as readonly string[]).includes(field);
/** Where a secret lives, for the vault. */
export const secretPlace = (id: string, field: SecretField): string => `accounts:${id}:${field}`;
/** An account that could not sign in may be able to once one of these is another. */
const signInFields: readonly string[] = ["password", "twofa", "app_password", "api_token"] satisfies SecretField[];
export const mayHelpToSignIn = (fields: readonly string[]): boolean => fields.some((field) => signInFields.includes(field));
const noSecrets: AccountSecrets = { cookie: "", password: "", pass_mail: "", twofa: "", app_password: "", api_token: "" };

/** lower(username or email): with group and site what makes two accounts the same. */
export function loginOf({ username, email }: { username: string; email: string }): string {
  return (username.trim() || email.trim()).toLowerCase();
}

export function openSecrets(vault: Vault, row: Pick<AccountRow, "id" | SecretField>): AccountSecrets {
  return Object.fromEntries(secretFields.map((field) => [field, vault.open(row[field], secretPlace(row.id, field))])) as AccountSecrets;
}

/** What is said of an account whose secrets `openSecrets` can't open. */
export const UNREADABLE =
  "The account's stored secrets can't be opened with the vault key that this manager has. Give it the key that sealed them, or enter the account's secrets again.";

/** So that what was said of the account can be redacted, also where another process handed its secrets out. */
export async function knowSecretsOf(trx: Kysely<ManagerTables>, vault: Vault, id: string): Promise<void> {
  const row = await trx.selectFrom("accounts").selectAll().where("id", "=", id).executeTakeFirst();
  if (row) knowSecrets(vault, row);
}

/** Field by field: one that can't be opened hides none of the others. */
export function knowSecrets(vault: Vault, row: Pick<AccountRow, "id" | SecretField>): void {
  for (const field of secretFields) {
    try {
      vault.open(row[field], secretPlace(row.id, field));
    } catch {
      // A secret that can't be opened here was not handed out from here, and nothing can be compared with it.
    }
  }
}

/** Where accounts go that nobody put into a group. */
const DEFAULT_GROUP_ID = "00000000-0000-4000-8000-000000000001";

export async function ensureDefaultGroup(trx: Kysely<ManagerTables>, now: Date): Promise<string> {
  await trx
    .insertInto("groups")
    .values({
      id: DEFAULT_GROUP_ID,
      user_id: null,
      name: "default",
      service_type: "podcast",
      status: "active",
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
  return DEFAULT_GROUP_ID;
}

interface AccountIdentity {
  groupId: string;
  site: string;
  username: string;
  email: string;
}

/** Finds the account by its identity or makes it, and brings the given fields up to date. Inside the caller's transaction. */
export async function upsertAccount(
  trx: Kysely<ManagerTables>,
  vault: Vault,
  identity: AccountIdentity,
  changes: AccountChanges,
  now: Date,
): Promise<string> {
  const { groupId, site, username, email } = identity;
  const login = loginOf(identity);
  await trx
    .insertInto("accounts")
    .values({
      id: randomUUID(),
      group_id: groupId,
      site,
      login,
      username,
      email,
      ...noSecrets,
      link_rss: "",
      status: "active",
      note: "",
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.constraint("accounts_identity").doNothing())
    .execute();
  const { id } = await trx
    .selectFrom("accounts")
    .select("id")
    .where("group_id", "=", groupId)
    .where("site", "=", site)
    .where("login", "=", login)
    .executeTakeFirstOrThrow();
  await changeAccount(trx, vault, id, { ...changes, ...(email && { email }) }, now);
  return id;
}

/**
 * Writes what differs. Inside the caller's transaction.
 * @returns the names of the fields that changed value
 * @throws ApiError account_exists when a new e-mail would make it the same as another account
 */
export async function changeAccount(
  trx: Kysely<ManagerTables>,
  vault: Vault,
  id: string,
  changes: AccountChanges,
  now: Date,
): Promise<AccountField[]> {
  const row = await trx.selectFrom("accounts").selectAll().where("id", "=", id).forUpdate().executeTakeFirstOrThrow();
  const before = { ...openSecrets(vault, row), email: row.email, link_rss: row.link_rss };
  const changed = accountFields.filter((field) => changes[field] !== undefined && changes[field] !== before[field]);
  if (changed.length === 0) return [];
  const values = Object.fromEntries(
    changed.map((field) => [field, isSecret(field) ? vault.seal(changes[field] ?? "", secretPlace(id, field)) : changes[field]]),
  );
  // An account without any name left keeps the one by which it was known.
  const login = loginOf({ username: row.username, email: changes.email ?? row.email }) || row.login;
  await refusingTwins(async () =>
    trx
      .updateTable("accounts")
      .set({ ...values, ...(row.status === "failed" && mayHelpToSignIn(changed) && { status: "active" }), login, updated_at: now })
      .where("id", "=", id)
      .execute(),
  );
  return changed;
}

const UNIQUE_VIOLATION = "23505";

/** Whoever is first has the identity: the database decides, not a look before. @throws ApiError account_exists */
export async function refusingTwins<T>(change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (error) {
    if ((error as { code?: unknown }).code === UNIQUE_VIOLATION) throw new ApiError("account_exists");
    throw error;
  }
}
