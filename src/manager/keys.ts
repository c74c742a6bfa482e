import { createHash, randomBytes, randomInt, randomUUID } from "node:crypto";
import type { Kysely } from "kysely";
import type { Clock } from "../kit/clock.ts";
import { addSecret } from "../kit/redact.ts";
import type { ManagerTables } from "./tables.ts";
import { isUuid } from "./uuid.ts";

/** What a key may be used for. A farm needs `worker`. */
export type Scope = "worker" | "content:read" | "content:write";

/** A key as it may be shown: never the key itself. */
export interface KeyInfo {
  id: string;
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
  /** Makes a key. `key` is shown here once and can't be read again. Scopes default to `["worker"]`. */
  create(input: { name: string; scopes?: Scope[] }): Promise<{ id: string; prefix: string; key: string }>;
  list(): Promise<KeyInfo[]>;
  /** Works at once. @returns false when there is no such key or it was revoked before */
  revoke(id: string): Promise<boolean>;
  /** The owner of a presented key, or null. */
  find(key: string): Promise<KeyInfo | null>;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const SHAPE = /^pck_[A-Za-z0-9]{6}_[A-Za-z0-9_-]{43}$/;
const LAST_USED_STEP_MS = 60_000;

/** 32 random bytes need no slow hash: there is nothing to guess. */
const digest = (key: string): string => createHash("sha256").update(key).digest("hex");

export function createKeys(db: Kysely<ManagerTables>, clock: Clock): Keys {
  return {
    async create({ name, scopes = ["worker"] }) {
      const prefix = `pck_${Array.from({ length: 6 }, () => ALPHABET[randomInt(ALPHABET.length)]).join("")}`;
      const key = `${prefix}_${randomBytes(32).toString("base64url")}`;
      addSecret(key);
      const id = randomUUID();
      await db
        .insertInto("api_keys")
        .values({
          id,
          user_id: null,
          name,
          prefix,
          hash: digest(key),
          scopes: JSON.stringify(scopes),
          created_at: new Date(clock.now()),
          revoked_at: null,
          last_used_at: null,
        })
        .execute();
      return { id, prefix, key };
    },

    async list() {
      const rows = await db.selectFrom("api_keys").selectAll().orderBy("created_at").execute();
      return rows.map(toInfo);
    },

    async revoke(id) {
      if (!isUuid(id)) return false;
      const done = await db
        .updateTable("api_keys")
        .set({ revoked_at: new Date(clock.now()) })
        .where("id", "=", id)
        .where("revoked_at", "is", null)
        .executeTakeFirst();
      return done.numUpdatedRows === 1n;
    },

    async find(key) {
      if (!SHAPE.test(key)) return null;
      const row = await db
        .selectFrom("api_keys")
        .selectAll()
        .where("hash", "=", digest(key))
        .where("revoked_at", "is", null)
        .executeTakeFirst();
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
  name: string;
  prefix: string;
  scopes: string[];
  created_at: Date;
  revoked_at: Date | null;
  last_used_at: Date | null;
}): KeyInfo {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    scopes: row.scopes,
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  };
}
