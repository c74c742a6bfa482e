import { randomUUID } from "node:crypto";
import type { Production } from "../../contract/podops-api.ts";
import { nobodysHash } from "../../kit/passwords.ts";
import type { StudioContext } from "../context.ts";
import { newGuid } from "../ids.ts";
import { checkName } from "./address.ts";
import { findProduction, type Owner, type ProductionRow } from "./find.ts";
import { refuseProblems, type Problem } from "./problems.ts";

export function productionAnswer({ guid, name, owner, title, summary, published, latest_publish_at, build_at }: ProductionRow): Production {
  return {
    guid,
    name,
    owner,
    title,
    summary,
    published,
    latest_publish_date: seconds(latest_publish_at),
    build_date: seconds(build_at),
  };
}

const seconds = (at: Date | null): number => (at ? Math.floor(at.getTime() / 1000) : 0);

/** The account of a token's subject, made when it makes something for the first time. No password opens it until it is given one. */
export async function ensureOwner({ db, clock }: StudioContext, owner: Owner, subject: string): Promise<NonNullable<Owner>> {
  if (owner) return owner;
  const email = subject.toLowerCase();
  await db
    .insertInto("accounts")
    .values({
      id: randomUUID(),
      email,
      name: subject,
      password_hash: nobodysHash,
      second_factor: "none",
      totp_sealed: null,
      locale: "en",
      created_at: new Date(clock.now()),
    })
    .onConflict((conflict) => conflict.column("email").doNothing())
    .execute();
  return db.selectFrom("accounts").select(["id", "email"]).where("email", "=", email).executeTakeFirstOrThrow();
}

/** However often it is asked for, there is one. @throws Rejected when the name is somebody else's */
export async function createProduction(
  context: StudioContext,
  owner: NonNullable<Owner>,
  { name, title, summary }: { name: string; title?: string | undefined; summary?: string | undefined },
): Promise<ProductionRow> {
  const { db, clock } = context;
  const problems: Problem[] = [];
  checkName(name, problems, "name");
  refuseProblems(problems, "The production can't be made");
  await db
    .insertInto("productions")
    .values({
      guid: newGuid(),
      name,
      owner_id: owner.id,
      title: title?.trim() || name,
      summary: summary ?? "",
      published: false,
      latest_publish_at: null,
      build_at: null,
      created_at: new Date(clock.now()),
    })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .execute();
  const found = await findProduction(db, owner, name).catch(() => null);
  if (!found || found.name !== name)
    refuseProblems([{ path: "name", message: "is taken; choose another name" }], "The production can't be made");
  return found as ProductionRow;
}
