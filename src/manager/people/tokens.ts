import { createHash, randomBytes, randomUUID } from "node:crypto";
import { errors, jwtVerify, SignJWT } from "jose";
import { sql, type Kysely } from "kysely";
import { roles, type Role } from "../../contract/auth-api.ts";
import type { Clock } from "../../kit/clock.ts";
import { addSecret, pinSecrets } from "../../kit/redact.ts";
import type { Vault } from "../../store/vault.ts";
import { ApiError } from "../errors.ts";
import type { ManagerTables } from "../tables.ts";
import type { CheckedUser } from "./users.ts";

/** Who is signed in. Everything that a person owns belongs to `tenant`: themselves, or the owner whom they work for. */
export interface Person {
  id: string;
  email: string;
  role: Role;
  tenant: string;
  /** "" or "secrets:read". */
  scope: string;
}

export interface TokenPair {
  token: string;
  expiresAt: Date;
  refreshToken: string;
  refreshExpiresAt: Date;
}

export interface Tokens {
  /** @throws ApiError wrong_login when the password that was checked has been changed since */
  issue(user: Pick<CheckedUser, "id" | "passwordHash">, scope: string): Promise<TokenPair>;
  /** @throws ApiError invalid_token; a second use of one token ends its whole family */
  refresh(refreshToken: string): Promise<TokenPair>;
  revoke(refreshToken: string): Promise<void>;
  /** @throws ApiError NO_TOKEN, token_expired, invalid_token */
  verify(header: string | undefined): Promise<Person>;
}

const ALGORITHM = "HS256";
/** RFC 9068: an access token, and nothing else that this key may ever sign. */
const TYPE = "at+jwt";
const ISSUER = "podcrew-manager";
const AUDIENCE = "podcrew-api";
const TOKEN_MS = 60 * 60_000;
const REFRESH_MS = 30 * 24 * 60 * 60_000;
const KEY_BYTES = 32;

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The signing key stands in the database, sealed: all managers of a fleet share it. */
export async function createTokens({ db, vault, clock }: { db: Kysely<ManagerTables>; vault: Vault; clock: Clock }): Promise<Tokens> {
  const { kid, key } = await signingKey(db, vault, new Date(clock.now()));

  async function issueInFamily(trx: Kysely<ManagerTables>, userId: string, scope: string, family: string): Promise<TokenPair> {
    const user = await personOf(trx, userId);
    if (!user) throw new ApiError("invalid_token");
    const now = clock.now();
    const [expiresAt, refreshExpiresAt] = [new Date(now + TOKEN_MS), new Date(now + REFRESH_MS)];
    const token = await new SignJWT({ scope })
      .setProtectedHeader({ alg: ALGORITHM, kid, typ: TYPE })
      .setSubject(user.id)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setJti(family)
      .setIssuedAt(new Date(now))
      .setExpirationTime(expiresAt)
      .sign(key);
    const refreshToken = randomBytes(32).toString("base64url");
    for (const secret of [token, refreshToken]) addSecret(secret);
    await trx
      .insertInto("refresh_tokens")
      .values({
        hash: digest(refreshToken),
        family,
        user_id: user.id,
        scope,
        created_at: new Date(now),
        expires_at: refreshExpiresAt,
        used_at: null,
      })
      .execute();
    return { token, expiresAt, refreshToken, refreshExpiresAt };
  }

  return {
    issue: async ({ id, passwordHash }, scope) =>
      db.transaction().execute(async (trx) => {
        // A change of the password ends all sign-ins, this one as well, which began with the old one.
        if ((await holdUser(trx, id)) !== passwordHash) throw new ApiError("wrong_login");
        return issueInFamily(trx, id, scope, randomUUID());
      }),

    async refresh(refreshToken) {
      const now = new Date(clock.now());
      const pair = await inFamily(db, refreshToken, async (trx, family) => {
        const find = async () => trx.selectFrom("refresh_tokens").selectAll().where("hash", "=", digest(refreshToken)).executeTakeFirst();
        const known = await find();
        // The user before the token, as whoever changes the user does; and then what is left of the token.
        if (known) await holdUser(trx, known.user_id);
        const row = known && (await find());
        if (!row || row.expires_at <= now) return null;
        if (row.used_at) {
          // Two hold it: one of them stole it, and nobody can say which.
          await trx.deleteFrom("refresh_tokens").where("family", "=", family).execute();
          return null;
        }
        await trx.updateTable("refresh_tokens").set({ used_at: now }).where("hash", "=", row.hash).execute();
        return issueInFamily(trx, row.user_id, row.scope, family);
      });
      if (!pair) throw new ApiError("invalid_token");
      return pair;
    },

    async revoke(refreshToken) {
      await inFamily(db, refreshToken, async (trx, family) => {
        await trx.deleteFrom("refresh_tokens").where("family", "=", family).execute();
        return null;
      });
    },

    async verify(header) {
      const given = /^Bearer (\S+)$/i.exec(header?.trim() ?? "")?.[1];
      if (!given) throw new ApiError("NO_TOKEN");
      const { payload } = await jwtVerify(given, key, {
        algorithms: [ALGORITHM],
        typ: TYPE,
        issuer: ISSUER,
        audience: AUDIENCE,
        currentDate: new Date(clock.now()),
        requiredClaims: ["sub", "exp", "jti"],
      }).catch((error: unknown) => {
        throw new ApiError(error instanceof errors.JWTExpired ? "token_expired" : "invalid_token");
      });
      const family = await db
        .selectFrom("refresh_tokens")
        .select("hash")
        .where("family", "=", payload.jti ?? "")
        .limit(1)
        .executeTakeFirst();
      const person = family && (await personOf(db, payload.sub ?? ""));
      if (!person) throw new ApiError("invalid_token");
      // Only owners ever get it, and one may have become something else since.
      const scope = person.role === "owner" && payload["scope"] === "secrets:read" ? "secrets:read" : "";
      return { ...person, scope };
    },
  };
}

/** One after another for all tokens of a sign-in: one that is just being exchanged must not outlive the end of its family. */
async function inFamily<T>(
  db: Kysely<ManagerTables>,
  refreshToken: string,
  work: (trx: Kysely<ManagerTables>, family: string) => Promise<T | null>,
): Promise<T | null> {
  return db.transaction().execute(async (trx) => {
    const known = await trx.selectFrom("refresh_tokens").select("family").where("hash", "=", digest(refreshToken)).executeTakeFirst();
    if (!known) return null;
    await sql`select pg_advisory_xact_lock(hashtextextended(${known.family}, 0))`.execute(trx);
    return work(trx, known.family);
  });
}

/** Nobody changes or removes the user until this transaction is over. @returns the hash of their password; null: there is no such user */
async function holdUser(trx: Kysely<ManagerTables>, id: string): Promise<string | null> {
  const user = await trx.selectFrom("users").select("password_hash").where("id", "=", id).forShare().executeTakeFirst();
  return user?.password_hash ?? null;
}

async function personOf(db: Kysely<ManagerTables>, id: string): Promise<Omit<Person, "scope"> | null> {
  const user = await db.selectFrom("users").select(["id", "email", "role", "owner_id"]).where("id", "=", id).executeTakeFirst();
  if (!user || !(roles as readonly string[]).includes(user.role)) return null;
  return { id: user.id, email: user.email, role: user.role, tenant: user.owner_id ?? user.id };
}

async function signingKey(db: Kysely<ManagerTables>, vault: Vault, now: Date): Promise<{ kid: string; key: Uint8Array }> {
  const kid = "1";
  const place = `signing_keys:${kid}:sealed_key`;
  await db
    .insertInto("signing_keys")
    .values({ id: kid, sealed_key: vault.seal(randomBytes(KEY_BYTES).toString("base64url"), place), created_at: now })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
  // Another manager may have been first.
  const row = await db.selectFrom("signing_keys").selectAll().where("id", "=", kid).executeTakeFirstOrThrow();
  const opened = vault.open(row.sealed_key, place);
  pinSecrets(opened);
  return { kid, key: Buffer.from(opened, "base64url") };
}
