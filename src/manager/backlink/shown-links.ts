import type { Kysely } from "kysely";
import type { z } from "zod";
import type { link, LinkStatus, ServiceType } from "../../contract/backlink-api.ts";
import type { Vault } from "../../store/vault.ts";
import { secretPlace } from "../accounts.ts";
import { audit } from "../people/audit.ts";
import type { LinkKind, ManagerTables } from "../tables.ts";
import { siteId } from "./site-id.ts";
import type { Owned } from "./tenant.ts";

export type ShownLink = z.input<typeof link>;

export interface LinksParts {
  db: Kysely<ManagerTables>;
  vault: Vault;
  now: Date;
}

/** The request whose links are asked for: one of the owner's. */
export interface LinksOf {
  id: string;
  type: ServiceType;
}

export interface ShownRow {
  id: string;
  server_id: string | null;
  server_name: string | null;
  account_id: string;
  site: string;
  email: string;
  username: string;
  /** Sealed. */
  password: string;
  about: string;
  link_profile: string;
  link_post: string;
  status: LinkStatus;
  note: string;
  error_message: string;
  retry_count: number;
  max_retries: number;
  is_indexed: boolean;
  started_at: Date | null;
  completed_at: Date | null;
  created_at: Date;
  kind: LinkKind;
  feed: string;
}

/** Passwords for whom may see them, which the audit log keeps. */
export async function showLinks(
  { db, vault, now }: LinksParts,
  who: Owned,
  { id, type }: LinksOf,
  rows: readonly ShownRow[],
): Promise<ShownLink[]> {
  const howMany = who.reveals ? rows.filter(({ password }) => password !== "").length : 0;
  if (howMany > 0) await audit(db, who, { action: "secrets.read", what: `links of request ${id}`, howMany }, now);
  return rows.map((row) => showLink(row, type, who, vault));
}

export function showLink(row: ShownRow, type: ServiceType, { reveals }: Owned, vault: Vault): ShownLink {
  return { ...toLink(row, type), password: reveals ? openPassword(vault, row) : null };
}

/** null: it was sealed with a key that is not given. */
function openPassword(vault: Vault, { account_id, password }: ShownRow): string | null {
  try {
    return vault.bulk.open(password, secretPlace(account_id, "password"));
  } catch {
    return null;
  }
}

function toLink(row: ShownRow, type: ServiceType): Omit<ShownLink, "password"> {
  return {
    id: row.id,
    service_type: type,
    server_id: row.server_id,
    server_name: row.server_name,
    site_id: siteId(row.site),
    site_name: row.site,
    email: row.email,
    username: row.username,
    about: row.about,
    link_profile: row.link_profile,
    link_post: row.link_post,
    status: row.status,
    note: row.note,
    error_message: row.error_message,
    retry_count: row.retry_count,
    max_retries: row.max_retries,
    is_indexed: row.is_indexed,
    started_at: row.started_at?.toISOString() ?? null,
    completed_at: row.completed_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
    has_password: row.password !== "",
    account_id: row.account_id,
    kind: row.kind,
    link_rss: row.feed,
  };
}
