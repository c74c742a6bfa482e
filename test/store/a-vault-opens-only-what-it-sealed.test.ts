import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { Failure } from "../../src/contract/failures.ts";
import { UsageError } from "../../src/kit/config.ts";
import { redact } from "../../src/kit/redact.ts";
import { checkVault } from "../../src/store/check-vault.ts";
import { openVault, type Vault } from "../../src/store/vault.ts";
import { eachBareBackend } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";

const newKey = (): string => randomBytes(32).toString("base64");
const vaultWith = (...keys: string[]): Vault => openVault({ key: keys[0], dataDir: "/nowhere", embedded: false });

async function vaultOfFile(t: TestContext, text: string): Promise<Vault> {
  const keyFile = join(await tempDir(t), "keys");
  await writeFile(keyFile, text);
  return openVault({ keyFile, dataDir: "/nowhere", embedded: false });
}

const usage = (pattern: RegExp) => (error: unknown) => error instanceof UsageError && pattern.test(error.message);
const tampered = (error: unknown): boolean => error instanceof Failure && error.code === "farm.invariant";

test("any text comes back as it was, and no two sealings look alike", () => {
  const vault = vaultWith(newKey());
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string(), (plain, aad) => {
      const [once, again] = [vault.seal(plain, aad), vault.seal(plain, aad)];
      assert.equal(vault.open(once, aad), plain);
      if (plain !== "") assert.notEqual(once, again);
      if (plain.length > 3) assert.ok(!once.includes(plain));
    }),
  );
});

test("nothing stays nothing", () => {
  const vault = vaultWith(newKey());
  assert.equal(vault.seal("", "a:1:x"), "");
  assert.equal(vault.open("", "a:1:x"), "");
});

test("a sealed value says its version and key, in text that fits anywhere", () => {
  const vault = vaultWith(newKey());
  assert.match(vault.seal("demo-password", "a:1:x"), new RegExp(`^v1\\.${vault.keyId}\\.[\\w-]{16}\\.[\\w-]+$`));
});

test("a value that was moved to another row or changed does not open", () => {
  const vault = vaultWith(newKey());
  const sealed = vault.seal("demo-password", "accounts:1:password");
  assert.throws(() => vault.open(sealed, "accounts:2:password"), tampered);
  for (let at = sealed.lastIndexOf(".") + 1; at < sealed.length; at += 5) {
    const changed = sealed.slice(0, at) + (sealed[at] === "A" ? "B" : "A") + sealed.slice(at + 1);
    if (!Buffer.from(changed.split(".")[3] ?? "", "base64url").equals(Buffer.from(sealed.split(".")[3] ?? "", "base64url")))
      assert.throws(() => vault.open(changed, "accounts:1:password"), tampered);
  }
  for (const other of ["demo-password", "v1.x", "v2.a.b.c", `v1.${vault.keyId}.AAAA.AAAA`, `v1.${vault.keyId}..`])
    assert.throws(() => vault.open(other, "accounts:1:password"), tampered);
});

test("what was opened never shows in a log again", () => {
  const key = newKey();
  const sealed = vaultWith(key).seal("demo-opened-value", "a:1:x");
  vaultWith(key).open(sealed, "a:1:x");
  assert.equal(redact("it is demo-opened-value, key " + key), "it is [secret], key [secret]");
});

test("the first key of a file seals, all open", async (t) => {
  const [old, fresh] = [newKey(), newKey()];
  const sealed = vaultWith(old).seal("demo-password", "a:1:x");
  const vault = await vaultOfFile(t, `# since spring\n${fresh}\n\n${old}\n`);
  assert.equal(vault.open(sealed, "a:1:x"), "demo-password");
  assert.equal(vault.open(vault.seal("demo-new", "a:1:x"), "a:1:x"), "demo-new");
  assert.equal(vault.keyId, vaultWith(fresh).keyId);
});

test("a missing key is named by its id", () => {
  const [given, missing] = [vaultWith(newKey()), vaultWith(newKey())];
  assert.throws(
    () => given.open(missing.seal("demo-password", "a:1:x"), "a:1:x"),
    usage(new RegExp(`a:1:x .*vault key ${missing.keyId}, .*given: ${given.keyId}`)),
  );
});

test("embedded: a key is made once, for the owner's eyes only", async (t) => {
  const dataDir = join(await tempDir(t), "new");
  const sealed = openVault({ dataDir, embedded: true }).seal("demo-password", "a:1:x");
  assert.equal((await stat(join(dataDir, "vault.key"))).mode & 0o777, 0o600);
  assert.equal(Buffer.from(await readFile(join(dataDir, "vault.key"), "utf8"), "base64").length, 32);
  assert.equal(openVault({ dataDir, embedded: true }).open(sealed, "a:1:x"), "demo-password");
});

test("no key, no start", async (t) => {
  const dataDir = await tempDir(t);
  assert.throws(() => openVault({ dataDir, embedded: false }), usage(/needs a vault key.*openssl rand/));
  assert.throws(() => openVault({ keyFile: join(dataDir, "none"), dataDir, embedded: true }), usage(/none can't be read \(ENOENT\)/));
  assert.throws(() => openVault({ key: "c2hvcnQ=", dataDir, embedded: true }), usage(/PODCREW_KEY does not hold a vault key/));
  await assert.rejects(async () => vaultOfFile(t, "# nothing\n"), usage(/is empty/));
  await assert.rejects(async () => vaultOfFile(t, `${newKey()}\nrubbish\n`), usage(/line 2 does not hold a vault key/));
});

eachBareBackend("a database is not started on without the keys that sealed in it", async (t, { store }) => {
  const [old, fresh] = [newKey(), newKey()];
  await checkVault(store, vaultWith(old));
  await checkVault(store, vaultWith(old));
  await assert.rejects(
    checkVault(store, vaultWith(fresh)),
    usage(new RegExp(`sealed with the vault key ${vaultWith(old).keyId}, and only ${vaultWith(fresh).keyId} was given`)),
  );
  await checkVault(store, await vaultOfFile(t, `${fresh}\n${old}`));
  await assert.rejects(checkVault(store, vaultWith(old)), usage(/Give that key back/));
});
