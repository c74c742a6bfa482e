import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { importGroup } from "../../src/cli/groups.ts";
import { secretNames } from "../../src/contract/backlink-api.ts";
import { loadConfig } from "../../src/kit/config.ts";
import { withOwner, type OwnerScene } from "./backlink-support.ts";

/** What may stand in a field: anything but NUL. */
const anything = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }).map((text) => text.replaceAll("\0", "")),
  fc.constantFrom("=1+1", '"', ",", "a\r\nb", "\n", "\r", " x ", " ", "", "@x", '","', '""', "null", "undefined", "true", "0", "007", "'"),
  fc.constantFrom(
    "'=1",
    ";",
    "-",
    "+84 90",
    "\t",
    "\uFEFFx",
    "𝕏",
    "👩‍👩‍👧",
    "Trà đá vỉa hè, Hà Nội",
    "Đồng",
    "\\",
    "\\n",
    "#",
    "{}",
    "[null]",
    "x".repeat(300),
  ),
);
const anyAccount = fc.record({
  website: fc.constantFrom("studio.example.com", "HTTPS://Studio.example.com/a,b", "http://127.0.0.1:8710", "bücher.example"),
  username: anything,
  email: fc.uuid().map((id) => `${id}@example.com`),
  ...(Object.fromEntries(secretNames.map((name) => [name, anything])) as Record<(typeof secretNames)[number], typeof anything>),
  note: anything,
  active: fc.boolean(),
});
/** What fails is shown as it came: to look for less would take minutes. */
const bounded = { interruptAfterTimeLimit: 30_000, endOnFailure: true } as const;
const someAccounts = fc.array(anyAccount, { minLength: 1, maxLength: 12 });

/** Two imports, a second apart. */
async function newGroup({ ask, clock }: OwnerScene, accounts: readonly unknown[]): Promise<string> {
  const made = await ask("createGroup", { json: { name: "G", service_type: "podcast", accounts: accounts.slice(0, 6) } });
  clock.forwardMinutes(1 / 60);
  const id = "group" in made ? made.group.id : made.id;
  if (accounts.length > 6) await ask("importAccounts", { params: { id }, json: { accounts: accounts.slice(6) } });
  return id;
}

async function exported({ ask }: OwnerScene, id: string, token?: string) {
  const answer = await ask("exportGroup", { params: { id }, ...(token && { token }) });
  assert.ok(typeof answer !== "string");
  return answer;
}

async function asCsv({ ask }: OwnerScene, id: string, token?: string): Promise<string> {
  const answer = await ask("exportGroup", { params: { id }, query: { format: "csv" }, ...(token && { token }) });
  assert.ok(typeof answer === "string");
  return answer;
}

withOwner("[B5] [B14] an export imports again as it is, as JSON and as CSV, in the same order", async (scene) => {
  const { ask, login, owner } = scene;
  const token = await login(owner.email, owner.password, "secrets:read");
  await fc.assert(
    fc.asyncProperty(someAccounts, async (accounts) => {
      const first = await newGroup(scene, accounts);
      const original = await exported(scene, first, token);
      const copy = await ask("importGroup", { json: original });
      assert.equal(copy.imported, original.accounts.length);
      assert.deepEqual(await exported(scene, copy.group.id, token), original);

      const ids = (await ask("listAccounts", { params: { id: first } })).data.map(({ id }) => id);
      const byId = await ask("exportAccounts", { json: { ids }, query: { format: "csv" }, token });
      const csv = await asCsv(scene, first, token);
      assert.equal(byId, csv);
      const rows: unknown[] = parse(csv, { columns: true, record_delimiter: "\r\n" });
      const third = await newGroup(scene, rows);
      assert.deepEqual((await exported(scene, third, token)).accounts, original.accounts);
    }),
    { numRuns: 12, ...bounded },
  );
});

withOwner("[B5] [secrets] a masked export imports again as it is, but for the secrets, which it leaves alone", async (scene) => {
  const { ask, login, owner } = scene;
  const token = await login(owner.email, owner.password, "secrets:read");
  await fc.assert(
    fc.asyncProperty(someAccounts, async (accounts) => {
      const first = await newGroup(scene, accounts);
      const [masked, revealed] = [await exported(scene, first), await exported(scene, first, token)];
      const copy = await ask("importGroup", { json: masked });
      assert.deepEqual(await exported(scene, copy.group.id), masked);
      const bare = await exported(scene, copy.group.id, token);
      for (const account of bare.accounts) for (const name of secretNames) assert.equal(account[name], "");

      const rows: unknown[] = parse(await asCsv(scene, first), { columns: true, record_delimiter: "\r\n" });
      assert.deepEqual((await exported(scene, await newGroup(scene, rows))).accounts, masked.accounts);
      for (const again of [masked.accounts, rows]) {
        const sum = await ask("importAccounts", { params: { id: first }, json: { accounts: again, overwrite: true } });
        assert.equal(sum.overwritten, masked.accounts.length);
        assert.deepEqual(await exported(scene, first, token), revealed);
      }
    }),
    { numRuns: 8, ...bounded },
  );
});

/** What the command says on stdout is not for the one who runs the tests. @returns the group's id */
async function importFile(t: TestContext, { manager, owner }: OwnerScene, file: string, dataDir: string): Promise<string> {
  const config = await loadConfig(
    { managerUrl: manager.url, managerEmail: owner.email, managerPassword: owner.password, data: dataDir },
    {},
    dataDir,
  );
  const said: string[] = [];
  const mocks = [process.stdout, process.stderr].map((stream) => {
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    return t.mock.method(stream, "write", (...args: unknown[]) => {
      if (typeof args[0] !== "string" || !args[0].includes("imported")) return write(...args);
      said.push(args[0]);
      return true;
    });
  });
  try {
    assert.equal(await importGroup(config, file, { type: "podcast", name: randomUUID() }), 0, said.join(""));
  } finally {
    for (const { mock } of mocks) mock.restore();
  }
  const line = said.find((one) => one.startsWith("{")) ?? "{}";
  return (JSON.parse(line) as { group: string }).group;
}

withOwner("[B5] `podcrew groups import` takes a file as the export wrote it", async (scene, t) => {
  const token = await scene.login(scene.owner.email, scene.owner.password, "secrets:read");
  await fc.assert(
    fc.asyncProperty(fc.array(anyAccount, { minLength: 20, maxLength: 20 }), async (accounts) => {
      const first = await newGroup(scene, accounts);
      for (const as of [token, undefined]) {
        const original = await exported(scene, first, as);
        for (const [name, text] of [
          ["g.csv", await asCsv(scene, first, as)],
          ["g.json", JSON.stringify(original)],
        ] as const) {
          const file = join(scene.dataDir, name);
          await writeFile(file, text);
          const copy = await importFile(t, scene, file, scene.dataDir);
          assert.deepEqual((await exported(scene, copy, as)).accounts, original.accounts, name);
        }
      }
    }),
    { numRuns: 2, ...bounded },
  );
});
