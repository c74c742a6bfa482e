import { randomUUID } from "node:crypto";
import { sql, type Kysely, type Selectable, type Transaction } from "kysely";
import type { AuditedAction, Role } from "../../contract/auth-api.ts";
import type { Clock } from "../../kit/clock.ts";
import { UsageError } from "../../kit/config.ts";
import { hashPassword, nobodysHash, verifyPassword } from "../../kit/passwords.ts";
import type { ManagerTables } from "../tables.ts";
import { audit, onTheMachine } from "./audit.ts";

export interface UserInfo {
  id: string;
  email: string;
  role: Role;
  /** For whom an operator or a viewer works; null for an owner. */
  owner: string | null;
  createdAt: Date;
}

/** Somebody whose password was right a moment ago. */
export interface CheckedUser extends UserInfo {
  /** It was, for this one: the next may be another. */
  passwordHash: string;
}

export interface Users {
  /**
   * @param owner e-mail of the owner for whom an operator or viewer works
   * @throws UsageError when the e-mail is taken, is none, or the owner is unknown
   */
  create(input: { email: string; password: string; role: Role; owner?: string | undefined }): Promise<UserInfo>;
  list(): Promise<UserInfo[]>;
  find(email: string): Promise<UserInfo | null>;
  /** Works at once, also for tokens that are out. @throws UsageError for an owner, or who would be one @returns false when there is no such user */
  setRole(email: string, role: Role): Promise<boolean>;
  /** Ends all their sign-ins. @throws UsageError when it is too short @returns false when there is no such user */
  setPassword(email: string, password: string): Promise<boolean>;
  /** All that an owner has goes too. @returns false when there is no such user */
  remove(email: string): Promise<boolean>;
  /** Takes as long for an unknown e-mail as for a known one. @returns null when they don't belong together */
  check(email: string, password: string): Promise<CheckedUser | null>;
}

type Target = Pick<Selectable<ManagerTables["users"]>, "id" | "email" | "role" | "owner_id">;

const LEAST_PASSWORD_CHARACTERS = 10;

export function createUsers(db: Kysely<ManagerTables>, clock: Clock): Users {
  const rows = () =>
    db
      .selectFrom("users as u")
      .leftJoin("users as o", "o.id", "u.owner_id")
      .select(["u.id", "u.email", "u.role", "u.created_at as createdAt", "o.email as owner"]);
  const byEmail = (email: string) => rows().where(sql`lower(u.email)`, "=", email.trim().toLowerCase());
  /** What changes a user, and its line in the audit log, or neither. @returns false when there is no such user */
  const change = async (
    email: string,
    step: (trx: Transaction<ManagerTables>, user: Target) => Promise<{ action: AuditedAction; what: string }>,
    lockBefore?: (trx: Transaction<ManagerTables>, id: string) => Promise<void>,
  ): Promise<boolean> =>
    db.transaction().execute(async (trx) => {
      const find = trx
        .selectFrom("users")
        .select(["id", "email", "role", "owner_id"])
        .where(sql`lower(email)`, "=", email.trim().toLowerCase());
      const known = lockBefore && (await find.executeTakeFirst());
      if (known) await lockBefore(trx, known.id);
      const user = await find.forUpdate().executeTakeFirst();
      if (!user) return false;
      await audit(trx, onTheMachine(user.owner_id ?? user.id), await step(trx, user), new Date(clock.now()));
      return true;
    });

  return {
    async create({ email, password, role, owner }) {
      const address = email.trim();
      if (!/^[^\s@]+@[^\s@]+$/.test(address)) throw new UsageError(`${email} is no e-mail address.`);
      checkPassword(password);
      if ((role === "owner") === Boolean(owner))
        throw new UsageError(role === "owner" ? "An owner works for nobody else." : `An ${role} works for an owner: name one.`);
      const boss = owner ? await byEmail(owner).executeTakeFirst() : null;
      if (owner && boss?.role !== "owner") throw new UsageError(`${owner} is no owner here.`);
      const [id, now, password_hash] = [randomUUID(), new Date(clock.now()), await hashPassword(password)];
      await db.transaction().execute(async (trx) => {
        const made = await trx
          .insertInto("users")
          .values({ id, email: address, password_hash, role, owner_id: boss?.id ?? null, created_at: now })
          .onConflict((conflict) => conflict.doNothing())
          .executeTakeFirst();
        if (made.numInsertedOrUpdatedRows !== 1n) throw new UsageError(`${address} is a user already.`);
        await audit(trx, onTheMachine(boss?.id ?? id), { action: "user.add", what: `${address} (${role})` }, now);
      });
      return byEmail(address).executeTakeFirstOrThrow();
    },

    list: async () => rows().orderBy("u.created_at").execute(),
    find: async (email) => (await byEmail(email).executeTakeFirst()) ?? null,

    setRole: async (email, role) =>
      change(email, async (trx, user) => {
        if (user.role === "owner" || role === "owner")
          throw new UsageError(`${user.email} is an ${user.role}: only operators and viewers change places.`);
        await trx.updateTable("users").set({ role }).where("id", "=", user.id).execute();
        return { action: "user.role", what: `${user.email} (${user.role} to ${role})` };
      }),

    async setPassword(email, password) {
      checkPassword(password);
      const password_hash = await hashPassword(password);
      return change(email, async (trx, user) => {
        await trx.updateTable("users").set({ password_hash }).where("id", "=", user.id).execute();
        await trx.deleteFrom("refresh_tokens").where("user_id", "=", user.id).execute();
        return { action: "user.password", what: user.email };
      });
    },

    remove: async (email) =>
      change(
        email,
        async (trx, user) => {
          await trx.deleteFrom("users").where("id", "=", user.id).execute();
          return { action: "user.remove", what: `${user.email} (${user.role})` };
        },
        // A farm's report holds its request and goes on to the owner's credits.
        async (trx, id) => {
          await trx.selectFrom("requests").select("id").where("user_id", "=", id).orderBy("id").forUpdate().execute();
        },
      ),

    async check(email, password) {
      const user = await byEmail(email).select("u.password_hash").executeTakeFirst();
      const right = await verifyPassword(password, user?.password_hash ?? nobodysHash);
      if (!user?.password_hash || !right) return null;
      const { password_hash: passwordHash, ...info } = user;
      return { ...info, passwordHash };
    },
  };
}

/** @throws UsageError */
function checkPassword(password: string): void {
  if (password.length < LEAST_PASSWORD_CHARACTERS)
    throw new UsageError(`The password needs ${LEAST_PASSWORD_CHARACTERS} characters or more.`);
}
