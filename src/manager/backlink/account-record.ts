import type { Insertable } from "kysely";
import type { z } from "zod";
import { secretNames, type accountBody, type accountRoutes } from "../../contract/backlink-api.ts";
import type { Vault } from "../../store/vault.ts";
import { loginOf, mayHelpToSignIn, secretFields, secretPlace, type SecretField } from "../accounts.ts";
import { ApiError } from "../errors.ts";
import { siteName } from "../site-name.ts";
import type { AccountRow, ManagerTables } from "../tables.ts";
import type { SupportedSites } from "./supported-sites.ts";

export type SecretName = (typeof secretNames)[number];
export type AccountInput = z.output<typeof accountBody>;
/** null and absent change nothing, "" clears. */
export type AccountChange = z.output<typeof accountRoutes.changeAccount.body>;

/** With group, what makes two accounts the same. */
export interface AccountIdentity {
  site: string;
  login: string;
}

/** What new and changed rows are made with. */
export interface Making {
  vault: Vault["bulk"];
  supported: SupportedSites;
  now: Date;
}

/** The columns of secrets, by the names that people know. */
export const secretColumns = Object.fromEntries(secretNames.map((name) => [name, name === "cookies" ? "cookie" : name])) as Record<
  SecretName,
  SecretField
>;

export const NO_SITE = "website: is not the address of a web site";
export const NO_LOGIN = "username or email: one of them is needed";
const MAX_HOST_CHARACTERS = 253;

/** @returns null when it is no address of a web site */
export function siteOf(website: string): string | null {
  const site = siteName(website);
  return site && site.length <= MAX_HOST_CHARACTERS ? site : null;
}

export function loginOfInput({ username, email }: Pick<AccountInput, "username" | "email">): string {
  return loginOf({ username: username ?? "", email: email ?? "" });
}

/** @throws ApiError unprocessable, validation */
export function identityOf(input: AccountInput): AccountIdentity {
  const [site, login] = [siteOf(input.website), loginOfInput(input)];
  if (site === null) throw new ApiError("unprocessable", NO_SITE);
  if (login === "") throw new ApiError("validation", NO_LOGIN);
  return { site, login };
}

export function newAccount(
  { id, groupId, site, login, input }: AccountIdentity & { id: string; groupId: string; input: AccountInput },
  { vault, supported, now }: Making,
): Insertable<ManagerTables["accounts"]> {
  const secrets = Object.fromEntries(
    secretNames.map((name) => [secretColumns[name], vault.seal(input[name] ?? "", secretPlace(id, secretColumns[name]))]),
  ) as Record<SecretField, string>;
  return {
    id,
    group_id: groupId,
    website: input.website,
    site,
    login,
    username: input.username ?? "",
    email: input.email ?? "",
    ...secrets,
    link_rss: "",
    status: input.active === false ? "inactive" : statusOn(site, supported),
    note: input.note ?? "",
    created_at: now,
    updated_at: now,
  };
}

const statusOn = (site: string, supported: SupportedSites): string => (supported.supports(site) ? "active" : "unsupported");

export interface ChangedAccount {
  row: AccountRow;
  /** False: it says what was there before. */
  changed: boolean;
  /** It signs in in another way, or elsewhere: what is known of its sign-in is out of date. */
  signsInAnew: boolean;
}

/** @throws ApiError unprocessable when it would be left without a site or a login */
export function changedAccount(row: AccountRow, change: AccountChange, { vault, supported, now }: Making): ChangedAccount {
  const website = change.website ?? row.website;
  const site = change.website == null ? row.site : siteOf(change.website);
  const [username, email] = [change.username ?? row.username, change.email ?? row.email];
  const login = loginOf({ username, email });
  if (site === null) throw new ApiError("unprocessable", NO_SITE);
  if (login === "") throw new ApiError("unprocessable", NO_LOGIN);
  const secrets = changedSecrets(row, change, vault);
  const signsInAnew = site !== row.site || login !== row.login || mayHelpToSignIn(Object.keys(secrets));
  const starts = site !== row.site || (row.status === "failed" && signsInAnew);
  const status = nextStatus(row.status, { wanted: change.active, starts, on: statusOn(site, supported) });
  const note = change.note ?? row.note;
  const next = { ...row, website, site, login, username, email, ...secrets, note, status };
  const changed = changeableColumns.some((column) => next[column] !== row[column]);
  return { row: changed ? { ...next, updated_at: now } : row, changed, signsInAnew };
}

/** Sealed anew only where the value differs. */
function changedSecrets(row: AccountRow, change: AccountChange, vault: Making["vault"]): Partial<Record<SecretField, string>> {
  const changed = secretFields.flatMap((field): [SecretField, string][] => {
    const value = change[field === "cookie" ? "cookies" : field];
    if (value == null || value === openOrNull(vault, row, field)) return [];
    return [[field, vault.seal(value, secretPlace(row.id, field))]];
  });
  return Object.fromEntries(changed);
}

/** null: it was sealed with a key that is not given. Such a secret can still be replaced. */
export function openOrNull(vault: Making["vault"], row: Pick<AccountRow, "id" | SecretField>, field: SecretField): string | null {
  try {
    return vault.open(row[field], secretPlace(row.id, field));
  } catch {
    return null;
  }
}

/** @param on what it is on its site when it starts afresh */
function nextStatus(status: string, { wanted, starts, on }: { wanted: boolean | null | undefined; starts: boolean; on: string }): string {
  if (wanted === false) return "inactive";
  if (status === "inactive") return wanted ? on : status;
  return starts ? on : status;
}

const changeableColumns = ["website", "site", "login", "username", "email", ...secretFields, "note", "status", "updated_at"] as const;

/** What of a row can change, for an update. */
export function changeable(row: AccountRow): Pick<AccountRow, (typeof changeableColumns)[number]> {
  return Object.fromEntries(changeableColumns.map((column) => [column, row[column]])) as Pick<
    AccountRow,
    (typeof changeableColumns)[number]
  >;
}
