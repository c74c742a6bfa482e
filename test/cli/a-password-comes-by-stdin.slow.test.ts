import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createClient } from "../../src/kit/api-client.ts";
import { ownPorts, podcrew } from "../support/podcrew.ts";
import { copyEmptyDatabase } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";

const [first, second] = ["demo-password-1", "demo-password-2"];

test("before the first start nobody is made; after it people are, with a password that no argument holds", async (t) => {
  const data = await tempDir(t, "people");
  await copyEmptyDatabase(data);
  const env = await ownPorts(data);
  const run = async (args: string[], { piped = "" } = {}) => {
    const through = piped ? ["sh", "-c", `printf '${piped}' | "$@"`, "sh"] : [];
    const child = podcrew(t, args, { env, through });
    return { code: await child.ended(), out: child.stdout(), err: child.stderr() };
  };
  const add = ["user", "add", "anna@example.com", "--role", "operator", "--owner", "owner@podcrew.example"];
  for (const args of [add, ["credits", "add", "owner@podcrew.example", "100"]]) {
    const { code, out, err } = await run(args);
    assert.deepEqual([code, out], [2, ""], err);
    assert.match(err, /Nobody is here yet\. Start `podcrew up` once: it makes the first owner\./);
  }

  const up = podcrew(t, ["manager"], { env });
  await up.says(/manager is up/);
  up.child.kill("SIGTERM");
  assert.equal(await up.ended(), 0);
  const { email, password } = JSON.parse(await readFile(join(data, "manager.json"), "utf8")) as { email: string; password: string };
  assert.match((await run(["credits", "add", email, "100"])).err, /has 100 credits now/);

  const made = await run(add, { piped: `${first}\\n` });
  assert.deepEqual([made.code, made.out], [0, ""], "what was given is not shown");
  assert.match((await run([...add, "--password", "demo-password-3"])).err, /unknown option '--password'/);
  const changed = await run(["user", "password", email]);
  assert.match(changed.out, /^[\w-]{20}\n$/, "nothing came: one is made, and shown");
  assert.equal((await run(["user", "password", "anna@example.com"], { piped: second })).out, "");
  const many = await run(["user", "password", email], { piped: `${first}\\n${second}\\n` });
  assert.equal(many.code, 2);
  assert.match(many.err, /A password is one line/);
  assert.ok(!many.err.includes(first));

  const again = podcrew(t, ["manager"], { env });
  const [url = ""] = await again.says(/http:\/\/127\.0\.0\.1:\d+/);
  const signsIn = async (who: string, word: string): Promise<boolean> =>
    createClient({ url, email: who, password: word })
      .auth.me()
      .then(
        () => true,
        () => false,
      );
  assert.deepEqual(
    [await signsIn(email, changed.out.trim()), await signsIn(email, password), await signsIn("anna@example.com", second)],
    [true, false, true],
  );
  assert.equal(await signsIn("anna@example.com", first), false);
});
