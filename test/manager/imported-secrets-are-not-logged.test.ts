import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { PassThrough } from "node:stream";
import { createLog } from "../../src/kit/log.ts";
import { addSecret, holdsSecret } from "../../src/kit/redact.ts";
import { openManager } from "../../src/manager/manager.ts";
import { withOwner } from "./backlink-support.ts";

/** Stands in each secret: where it is seen, one has leaked. */
const MARK = "ThuyTinhMarked";
const website = "studio.example.com";
const marked = (at: number) => ({
  website,
  username: `u-${at}`,
  ...Object.fromEntries(
    ["password", "app_password", "pass_mail", "twofa", "cookies", "api_token"].map((name) => [name, `${MARK} ${name} ${at}`]),
  ),
});

withOwner("[secrets] ten thousand imported secrets drive out none that is in use, and reach no log and no refusal", async (scene, t) => {
  const { store, vault, owner, login } = scene;
  const sink = new PassThrough();
  const lines: string[] = [];
  sink.on("data", (chunk: Buffer) => lines.push(chunk.toString()));
  const manager = await openManager({
    store,
    vault,
    log: createLog({ level: "debug", format: "json", stream: sink }),
    config: { host: "127.0.0.1", port: 0, allowedHosts: [] },
    clock: scene.clock,
  });
  t.after(async () => manager.close());
  const token = await login(owner.email, owner.password);
  const revealing = await login(owner.email, owner.password, "secrets:read");
  const send = async (method: string, path: string, body?: string, as = token) => {
    const response = await fetch(`${manager.url}/api/v1/backlink${path}`, {
      method,
      headers: { authorization: `Bearer ${as}` },
      ...(body !== undefined && { body }),
    });
    return { status: response.status, text: await response.text().catch((error: Error) => `broke off: ${error.message}`) };
  };
  const refused: { status: number; text: string }[] = [];
  const inUse = randomBytes(12).toString("base64url");
  addSecret(inUse);

  const made = await send("POST", "/groups", JSON.stringify({ name: "G", service_type: "podcast" }));
  const { id } = JSON.parse(made.text) as { id: string };
  const accounts = Array.from({ length: 10_000 }, (_, at) => marked(at));
  const importing = async (rows: unknown[], more: object = {}) =>
    send("POST", `/groups/${id}/accounts/import`, JSON.stringify({ accounts: rows, ...more }));
  assert.equal((await importing(accounts)).status, 200);
  assert.equal(
    (
      await importing(
        accounts.slice(0, 2000).map((row) => ({ ...row, password: `${row.website} ${MARK} new` })),
        { overwrite: true },
      )
    ).status,
    200,
  );
  const exported = await send("GET", `/groups/${id}/export`, undefined, revealing);
  assert.equal(exported.text.split(MARK).length - 1, 60_000);
  assert.equal((await send("GET", `/groups/${id}/accounts?limit=100`, undefined, revealing)).text.split(MARK).length - 1, 600);
  assert.equal(holdsSecret(inUse), true);
  assert.equal(holdsSecret(`${MARK} password 9999`), false, "it is registered, so this test could not see it");

  // Whatever can go wrong with one.
  const one = marked(20_000);
  refused.push(
    await send("POST", `/groups/${id}/accounts`, `{"website":"${website}","username":"u","password":"${MARK}`),
    await send("POST", `/groups/${id}/accounts/import`, `{"accounts":[{"password":"${MARK}\\u0000"}]}`),
    await send("POST", `/groups/${id}/accounts`, JSON.stringify({ ...one, website: `${MARK} is no host` })),
    await send("POST", `/groups/${id}/accounts`, JSON.stringify({ ...one, note: { [MARK]: MARK } })),
    await send("POST", `/groups/${id}/accounts`, JSON.stringify({ ...one, password: MARK.repeat(80_000) })),
    await importing([{ ...one, password: [MARK] }, { ...one, [MARK]: MARK, username: MARK.repeat(100) }, MARK]),
    await importing([{ ...one, website: `${MARK} is no host` }]),
  );
  await store.raw("alter table manager.accounts add constraint refused check (username <> 'u-20000')");
  refused.push(
    await importing([one]),
    await send("POST", `/groups/${id}/accounts`, JSON.stringify({ ...one, api_token: "demo-token" })),
    await send("POST", "/groups", JSON.stringify({ name: "H", service_type: "podcast", accounts: [one] })),
  );
  await store.raw("alter table manager.audit rename to elsewhere");
  refused.push(await send("GET", `/groups/${id}/export`, undefined, revealing));

  assert.deepEqual(
    refused.filter(({ text }) => text.includes(MARK)).map(({ text }) => text.slice(0, 300)),
    [],
  );
  assert.deepEqual(
    refused.map(({ status }) => status),
    [400, 400, 422, 400, 413, 200, 200, 500, 500, 500, 500],
  );
  const log = lines.join("");
  assert.equal(log.split("a call failed").length - 1, 4);
  assert.equal(log.includes(MARK), false);
});
