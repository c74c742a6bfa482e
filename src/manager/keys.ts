import { createHash, randomBytes, randomInt, randomUUID } from "node:crypto";
import type { Kysely } from "kysely";
import { createBatchLoader } from "../kit/batch-loader.ts";
import type { Clock } from "../kit/clock.ts";
import { addSecret } from "../kit/redact.ts";
import { isUuid } from "../kit/uuid.ts";
import { anyOf } from "./any-of.ts";
import { audit, onTheMachine } from "./people/audit.ts";
import type { ManagerTables } from "./tables.ts";

/** What a key may be used for. A farm needs `worker`. */
export const scopes = ["worker", "content:read", "content:write"] as const;
export type Scope = (typeof scopes)[number];

/** A key as it may be shown: never the key itself. */
export interface KeyInfo {
  id: string;
  /** Whose contents it sees; null: those of nobody. A worker's key sees the work of everybody, whosever it is. */
  tenant: string | null;
  name: string;
  /** "pck_" and six characters. */
  prefix: string;
  scopes: string[];
  createdAt: Date;
  revokedAt: Date | null;
  /** To the minute. */
  lastUsedAt: Date | null;
}

export interface Keys {
  /**
   * Makes a key. `key` is shown here once and can't be read again. Scopes default to `["worker"]`.
   * @param input.key of `newKey`, where it is kept before it opens something; absent: a new one
   */
  create(input: {
    name: string;
    scopes?: Scope[];
    tenant?: string | null;
    key?: string;
  }): Promise<{ id: string; prefix: string; key: string }>;
  list(): Promise<KeyInfo[]>;
  /** Works at once. @returns false when there is no such key or it was revoked before */
  revoke(id: string): Promise<boolean>;
  /** The owner of a presented key, or null. */
  find(key: string): Promise<KeyInfo | null>;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const SHAPE = /^pck_[A-Za-z0-9]{6}_[A-Za-z0-9_-]{43}$/;
const PREFIX_CHARACTERS = 10;
const LAST_USED_STEP_MS = 60_000;

/** 32 random bytes need no slow hash: there is nothing to guess. */
const digest = (key: string): string => createHash("sha256").update(key).digest("hex");

/** Opens nothing before it is given to `create`. */
export function newKey(): string {
  const name = Array.from({ length: 6 }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
  return `pck_${name}_${randomBytes(32).toString("base64url")}`;
}

export const isKey = (text: string): boolean => SHAPE.test(text);

export function createKeys(db: Kysely<ManagerTables>, clock: Clock): Keys {
  const find = createBatchLoader(async (hashes: readonly string[]) => {
    const rows = await db.selectFrom("api_keys").selectAll().where("hash", "=", anyOf(hashes)).where("revoked_at", "is", null).execute();
    const byHash = new Map(rows.map((row) => [row.hash, row]));
    return hashes.map((hash) => byHash.get(hash));
  });
  return {
    async create({ name, scopes = ["worker"], tenant = null, key = newKey() }) {
      addSecret(key);
      const prefix = key.slice(0, PREFIX_CHARACTERS);
      const id = randomUUID();
      const created_at = new Date(clock.now());
      const row = { id, user_id: tenant, name, prefix, hash: digest(key), created_at, revoked_at: null, last_used_at: null };
      await db.transaction().execute(async (trx) => {
        await trx
          .insertInto("api_keys")
          .values({ ...row, scopes: JSON.stringify(scopes) })
          .execute();
        await audit(trx, onTheMachine(tenant), { action: "key.create", what: `${prefix}… ${name} (${scopes.join(", ")})` }, created_at);
      });
      return { id, prefix, key };
    },

    async list() {
      const rows = await db.selectFrom("api_keys").selectAll().orderBy("created_at").execute();
      return rows.map(toInfo);
    },

    async revoke(id) {
      if (!isUuid(id)) return false;
      const now = new Date(clock.now());
      return db.transaction().execute(async (trx) => {
        const revoked = await trx
          .updateTable("api_keys")
          .set({ revoked_at: now })
          .where("id", "=", id)
          .where("revoked_at", "is", null)
          .returning(["user_id", "prefix", "name"])
          .executeTakeFirst();
        if (!revoked) return false;
        await audit(trx, onTheMachine(revoked.user_id), { action: "key.revoke", what: `${revoked.prefix}… ${revoked.name}` }, now);
        return true;
      });
    },

    async find(key) {
      const row = isKey(key) ? await find(digest(key)) : null;
      if (!row) return null;
      const now = new Date(clock.now());
      if (!row.last_used_at || now.getTime() - row.last_used_at.getTime() > LAST_USED_STEP_MS) {
        await db.updateTable("api_keys").set({ last_used_at: now }).where("id", "=", row.id).execute();
      }
      return toInfo(row);
    },
  };
}

function toInfo(row: {
  id: string;
  user_id: string | null;
  name: string;
  prefix: string;
  scopes: string[];
  created_at: Date;
  revoked_at: Date | null;
  last_used_at: Date | null;
}): KeyInfo {
  return {
    id: row.id,
    tenant: row.user_id,
    name: row.name,
    prefix: row.prefix,
    scopes: row.scopes,
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  };
}
