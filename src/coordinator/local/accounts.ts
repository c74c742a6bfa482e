import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { z } from "zod";
import type { AccountRow, accountView } from "../../contract/task-api.ts";
import type { Vault } from "../../store/vault.ts";
import { hostOf, type Site } from "../sites.ts";
import type { Database } from "../tables.ts";
import { TaskApiError } from "./errors.ts";
import { resealTasks } from "./reseal.ts";
import { emptiest, slotNames } from "./slots.ts";
import type { LocalAccountRow } from "./tables.ts";

/** What signs in. "" where absent. */
const secretFields = ["password", "pass_mail", "twofa", "app_password", "api_token", "cookie"] as const;
export type AccountSecrets = Record<(typeof secretFields)[number], string>;

export interface AccountBookOptions {
  db: Database;
  vault: Vault;
  /** The site of a host; null: no driver serves it. */
  findSite(domain: string): Site | null;
  concurrency: number;
  now(): Date;
}

export interface ImportResult {
  imported: number;
  updated: number;
  failed: number;
  problems: { row: number; problem: string }[];
}

const sealedAt = (id: string): string => `local_accounts:${id}:secrets`;

/** The farm's own accounts. Their secrets stand in the vault and are never answered. */
export class AccountBook {
  readonly #o: AccountBookOptions;

  constructor(options: AccountBookOptions) {
    this.#o = options;
  }

  /** Row by row, so that one that is wrong costs only itself; run again it changes nothing. */
  async import(rows: readonly AccountRow[]): Promise<ImportResult> {
    const result: ImportResult = { imported: 0, updated: 0, failed: 0, problems: [] };
    const counts = await this.#counts();
    for (const [index, row] of rows.entries()) {
      const outcome = await this.#bring(row, counts);
      if (outcome === "imported" || outcome === "updated") result[outcome] += 1;
      else {
        result.failed += 1;
        result.problems.push({ row: index + 1, problem: outcome.problem });
      }
    }
    return result;
  }

  async list(): Promise<z.infer<typeof accountView>[]> {
    const rows = await this.#o.db.selectFrom("local_accounts").selectAll().orderBy("place").execute();
    return rows.map(({ host, username, email, serial, account_id, created_at }) => ({
      website: host,
      username,
      email,
      serial,
      account_id,
      created_at: created_at.toISOString(),
    }));
  }

  /** @throws TaskApiError 40401, 40901 */
  async remove(name: string): Promise<void> {
    const { db } = this.#o;
    const [account] = await this.byNames([name]);
    if (!account) throw new TaskApiError(40401, name);
    await db.transaction().execute(async (trx) => {
      const open = await trx
        .selectFrom("local_tasks")
        .select("id")
        .where("account", "=", account.id)
        .where("state", "in", ["pending", "running"])
        .limit(1)
        .executeTakeFirst();
      if (open) throw new TaskApiError(40901, `task ${open.id} is for this account; stop or delete it first`);
      await trx.deleteFrom("local_accounts").where("id", "=", account.id).execute();
    });
  }

  /**
   * In the order of the names. An account is called by its e-mail, its name, or host/name.
   * @throws TaskApiError 40401 naming all that nobody is called, 40001 where several are called so
   */
  async byNames(names: readonly string[]): Promise<LocalAccountRow[]> {
    const wanted = [...new Set(names.map((name) => name.trim().toLowerCase()))];
    const rows = await this.#o.db
      .selectFrom("local_accounts")
      .selectAll()
      .where((one) =>
        one.or([
          one(sql<string>`lower(email)`, "in", wanted),
          one(sql<string>`lower(username)`, "in", wanted),
          one(sql<string>`host || '/' || lower(login)`, "in", wanted),
        ]),
      )
      .orderBy("place")
      .execute();
    const called = new Map<string, LocalAccountRow[]>();
    for (const row of rows)
      for (const name of new Set([row.email, row.username, `${row.host}/${row.login}`].map((one) => one.toLowerCase()).filter(Boolean)))
        called.set(name, [...(called.get(name) ?? []), row]);
    const of = (name: string): LocalAccountRow[] => called.get(name.trim().toLowerCase()) ?? [];
    const unknown = names.filter((name) => of(name).length === 0);
    if (unknown.length > 0) throw new TaskApiError(40401, `no account is called ${unknown.slice(0, 20).join(", ")}`);
    const shared = names.find((name) => of(name).length > 1);
    if (shared !== undefined)
      throw new TaskApiError(
        40001,
        `several accounts are called ${shared}: say ${of(shared)
          .map(({ host, login }) => `${host}/${login}`)
          .join(" or ")}`,
      );
    return names.map((name) => of(name)[0] as LocalAccountRow);
  }

  /** Of each slot, in the order in which they came. */
  async bySlots(serials: readonly string[]): Promise<Map<string, LocalAccountRow[]>> {
    const rows = await this.#o.db
      .selectFrom("local_accounts")
      .selectAll()
      .where("serial", "in", [...new Set(serials)])
      .orderBy("place")
      .execute();
    return Map.groupBy(rows, ({ serial }) => serial);
  }

  async get(ids: readonly string[]): Promise<Map<string, LocalAccountRow>> {
    if (ids.length === 0) return new Map();
    const rows = await this.#o.db
      .selectFrom("local_accounts")
      .selectAll()
      .where("id", "in", [...new Set(ids)])
      .execute();
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** null: they can't be opened, being sealed with another key. */
  secretsOf(row: Pick<LocalAccountRow, "id" | "sealed_secrets">): AccountSecrets | null {
    try {
      return JSON.parse(this.#o.vault.open(row.sealed_secrets, sealedAt(row.id))) as AccountSecrets;
    } catch {
      return null;
    }
  }

  async #counts(): Promise<Map<string, number>> {
    const rows = await this.#o.db
      .selectFrom("local_accounts")
      .select((one) => ["serial", one.fn.countAll<number>().as("count")])
      .groupBy("serial")
      .execute();
    const counts = new Map(slotNames(this.#o.concurrency).map((name) => [name, 0]));
    for (const { serial, count } of rows) if (counts.has(serial)) counts.set(serial, Number(count));
    return counts;
  }

  async #bring(given: AccountRow, counts: Map<string, number>): Promise<"imported" | "updated" | { problem: string }> {
    const { db, vault, findSite, now } = this.#o;
    const site = findSite(given.website);
    if (!site) return { problem: `no driver serves ${given.website}` };
    const [email, username] = [given.email?.trim() ?? "", given.username?.trim() ?? ""];
    const login = email || username;
    if (login === "") return { problem: "it has neither an e-mail nor a username" };
    const serial = given.serial?.trim() ?? "";
    if (serial && !/^[\w.-]{1,100}$/.test(serial)) return { problem: "serial: letters, digits, dots and dashes only" };
    const hosts = namesOf(site);
    return db.transaction().execute(async (trx) => {
      const known = await trx
        .selectFrom("local_accounts")
        .selectAll()
        .where("host", "in", hosts)
        .where(sql<string>`lower(login)`, "=", login.toLowerCase())
        .forUpdate()
        .executeTakeFirst();
      if (known && given.account_id && known.account_id !== given.account_id)
        return { problem: "its account_id is another one; episodes are told apart by it, so that it stays" };
      const before: Partial<AccountSecrets> | null = known ? this.secretsOf(known) : {};
      if (!before) return { problem: "its secrets can't be opened with this farm's key; remove the account and import it anew" };
      const account_id = given.account_id ?? "";
      const other = !known && account_id && (await accountWith(trx, hosts, account_id));
      if (other) return { problem: `its account_id is that of ${other.login}` };
      const secretsNow = secretFields.map((field) => [field, secretOf(given, field) ?? before[field] ?? ""]);
      const secrets = Object.fromEntries(secretsNow) as AccountSecrets;
      const id = known?.id ?? randomUUID();
      const values = {
        sealed_secrets: vault.seal(JSON.stringify(secrets), sealedAt(id)),
        serial: serial || known?.serial || emptiest(counts),
        username: username || (known?.username ?? ""),
        updated_at: now(),
      };
      if (known) {
        await trx.updateTable("local_accounts").set(values).where("id", "=", id).execute();
        const isOther = values.username !== known.username || secretFields.some((field) => secrets[field] !== (before[field] ?? ""));
        // Its tasks are for the host that the account came with.
        const own = findSite(known.host);
        if (isOther && own) await resealTasks(trx, { ...known, username: values.username }, secrets, { site: own, vault, now: now() });
        return "updated";
      }
      await trx
        .insertInto("local_accounts")
        .values({ id, host: site.host, login, email, account_id, created_at: now(), ...values })
        .execute();
      if (counts.has(values.serial)) counts.set(values.serial, (counts.get(values.serial) ?? 0) + 1);
      return "imported";
    });
  }
}

/** All hosts of the site, whichever of them a row names. */
function namesOf({ host, card }: Site): string[] {
  const hosts = card.hosts.map(hostOf);
  return hosts.includes(host) ? hosts : [host];
}

async function accountWith(trx: Database, hosts: readonly string[], accountId: string): Promise<{ login: string } | undefined> {
  return trx
    .selectFrom("local_accounts")
    .select("login")
    .where("host", "in", hosts)
    .where("account_id", "=", accountId)
    .limit(1)
    .executeTakeFirst();
}

function secretOf(given: AccountRow, field: keyof AccountSecrets): string | null | undefined {
  return field === "cookie" ? (given.cookie ?? given.cookies) : given[field];
}
