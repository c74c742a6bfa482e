import { randomBytes } from "node:crypto";
import assert from "node:assert/strict";
import type { z } from "zod";
import type { accountRoutes } from "../../src/contract/backlink-api.ts";
import type { Manager } from "../../src/manager/manager.ts";

type Answer<Name extends keyof typeof accountRoutes> = z.output<(typeof accountRoutes)[Name]["answer"]>;

/** An owner's group of accounts, by the API that people use. */
export interface OwnedAccounts {
  /** All of them, by their e-mail: status and note. */
  shown(): Promise<Record<string, { id: string; status: string; note: string }>>;
  /** Orders a check of one, or of all, and waits for its end. @returns how many passed and failed */
  check(email?: string): Promise<{ passed: number; failed: number }>;
  /** The same without waiting. @returns the job's id */
  order(email?: string): Promise<string>;
  ended(job: string, withinMs?: number): Promise<{ passed: number; failed: number }>;
}

const CHECKED_WITHIN_MS = 120_000;

export async function ownedAccounts(manager: Manager, website: string, accounts: readonly object[]): Promise<OwnedAccounts> {
  const [email, password] = [`owner-${randomBytes(4).toString("hex")}@podcrew.example`, randomBytes(12).toString("hex")];
  await manager.users.create({ email, password, role: "owner", owner: undefined });
  const call = async (method: string, path: string, token: string, json?: object): Promise<unknown> => {
    const answer = await fetch(`${manager.url}/api/v1${path}`, {
      method,
      headers: { ...(token && { authorization: `Bearer ${token}` }), ...(json && { "content-type": "application/json" }) },
      ...(json && { body: JSON.stringify(json) }),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text);
  };
  const { token } = (await call("POST", "/auth/login", "", { email, password })) as { token: string };
  const given = { name: "Checked", service_type: "podcast", accounts: accounts.map((account) => ({ website, ...account })) };
  const made = (await call("POST", "/backlink/groups", token, given)) as Answer<"createGroup">;
  assert.ok("group" in made);
  const owned: OwnedAccounts = {
    async shown() {
      const { data } = (await call("GET", `/backlink/groups/${made.group.id}/accounts?limit=100`, token)) as Answer<"listAccounts">;
      return Object.fromEntries(data.map(({ id, email: name, status, note }) => [name ?? "", { id, status, note: note ?? "" }]));
    },
    async order(name) {
      const path =
        name === undefined ? `/groups/${made.group.id}/accounts/check-all` : `/accounts/${(await owned.shown())[name]?.id}/check`;
      return ((await call("POST", `/backlink${path}`, token)) as Answer<"checkAll">).job_id;
    },
    async ended(job, withinMs = CHECKED_WITHIN_MS) {
      const deadline = Date.now() + withinMs;
      for (;;) {
        const { status, passed, failed } = (await call("GET", `/backlink/jobs/${job}`, token)) as Answer<"readJob">;
        if (status === "completed") return { passed, failed };
        assert.ok(Date.now() < deadline, `the checks end within ${withinMs} ms: ${passed} passed, ${failed} failed`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    check: async (name) => owned.ended(await owned.order(name)),
  };
  return owned;
}
