import { randomBytes, randomUUID } from "node:crypto";
import { errors, jwtVerify, SignJWT } from "jose";
import { podopsScopes, type PodopsScope } from "../../contract/podops-api.ts";
import { addSecret, pinSecrets } from "../../kit/redact.ts";
import type { StudioContext } from "../context.ts";
import { hashToken } from "../ids.ts";
import { Rejected } from "../resources/problems.ts";

/** Whose token it is, and what it may do. */
export interface TokenFacts {
  subject: string;
  scopes: readonly PodopsScope[];
  expiresAt: Date;
}

export interface Tokens {
  issue(subject: string, scopes: readonly PodopsScope[], lifeSeconds: number): Promise<{ token: string; expiresAt: Date }>;
  /** @throws Rejected 401 */
  verify(header: string | undefined): Promise<TokenFacts>;
  /** @throws Rejected 401; 403 for a token, which is no admin key */
  verifyAdmin(header: string | undefined): Promise<void>;
}

const ALGORITHM = "HS256";
/** RFC 9068: an access token, and nothing else that this key may ever sign. */
const TYPE = "at+jwt";
const ISSUER = "podcrew-studio";
const AUDIENCE = "podops";
const KEY_BYTES = 32;
export const DAY_SECONDS = 86_400;

/** The signing key stands in the database, sealed: all studios on it share it. */
export async function createTokens(context: StudioContext): Promise<Tokens> {
  const { db, clock } = context;
  const { kid, key } = await signingKey(context);

  async function verify(header: string | undefined): Promise<TokenFacts> {
    const { payload } = await jwtVerify(bearer(header), key, {
      algorithms: [ALGORITHM],
      typ: TYPE,
      issuer: ISSUER,
      audience: AUDIENCE,
      currentDate: new Date(clock.now()),
      requiredClaims: ["sub", "exp"],
    }).catch((error: unknown) => {
      throw new Rejected(401, error instanceof errors.JWTExpired ? "The token has expired." : "The token is none of this studio's.");
    });
    const { scope } = payload;
    const said = typeof scope === "string" ? scope.split(" ") : [];
    return {
      subject: payload.sub ?? "",
      scopes: podopsScopes.filter((scope) => said.includes(scope)),
      expiresAt: new Date((payload.exp ?? 0) * 1000),
    };
  }

  return {
    verify,
    async issue(subject, scopes, lifeSeconds) {
      const now = Math.floor(clock.now() / 1000);
      const token = await new SignJWT({ scope: scopes.join(" ") })
        .setProtectedHeader({ alg: ALGORITHM, kid, typ: TYPE })
        .setSubject(subject)
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setJti(randomUUID())
        .setIssuedAt(now)
        .setExpirationTime(now + lifeSeconds)
        .sign(key);
      addSecret(token);
      return { token, expiresAt: new Date((now + lifeSeconds) * 1000) };
    },
    async verifyAdmin(header) {
      const row = await db
        .selectFrom("admin_keys")
        .select("id")
        .where("key_hash", "=", hashToken(bearer(header)))
        .executeTakeFirst();
      if (row) return;
      await verify(header).catch(() => {
        throw new Rejected(401, "The admin key is unknown.");
      });
      throw new Rejected(403, "This takes the admin key, and no token.");
    },
  };
}

/** @throws Rejected 401 */
function bearer(header: string | undefined): string {
  const given = /^Bearer (\S+)$/i.exec(header?.trim() ?? "")?.[1];
  if (!given) throw new Rejected(401, "The header Authorization: Bearer … is missing.");
  return given;
}

async function signingKey({ db, vault, clock }: StudioContext): Promise<{ kid: string; key: Uint8Array }> {
  const kid = "1";
  const place = `signing_keys:${kid}:sealed_key`;
  const sealed_key = vault.seal(randomBytes(KEY_BYTES).toString("base64url"), place);
  await db
    .insertInto("signing_keys")
    .values({ id: kid, sealed_key, created_at: new Date(clock.now()) })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
  // Another studio may have been first.
  const row = await db.selectFrom("signing_keys").selectAll().where("id", "=", kid).executeTakeFirstOrThrow();
  const opened = vault.open(row.sealed_key, place);
  pinSecrets(opened);
  return { kid, key: Buffer.from(opened, "base64url") };
}
