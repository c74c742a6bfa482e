import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { ownPorts, podcrew } from "../support/podcrew.ts";
import { copyEmptyDatabase } from "../support/store.ts";
import { publishes } from "../support/history.ts";
import { tempDir } from "../support/temp.ts";

/** A studio in a process of its own, with one account; and a task file for it. */
async function studio(t: TestContext): Promise<{ data: string; env: Record<string, string>; file: string; stop(): Promise<void> }> {
  const data = await tempDir(t, "studio");
  await copyEmptyDatabase(data);
  const ports = await ownPorts(data);
  const made = podcrew(t, ["account", "create", "me@podcrew.example", "--show", "evening-show"], { env: ports });
  assert.equal(await made.ended(), 0, made.stderr());
  const account = JSON.parse(made.stdout()) as { email: string; password: string; totpSecret: string };
  const run = podcrew(t, ["studio"], { env: ports });
  await run.says(/studio is up/);
  const host = `127.0.0.1:${ports["STUDIO_PORT"]}`;
  const mine = await tempDir(t, "operator");
  await copyEmptyDatabase(mine);
  const file = join(mine, "tasks.json");
  const episode = { id: "ep-1", title: "From a file", about: "<p>Read aloud, posted once.</p>" };
  await writeFile(
    file,
    JSON.stringify({
      id: "task-1",
      account_id: "a-1",
      domain: host,
      email: account.email,
      password: account.password,
      twofa: account.totpSecret,
      data_content: [episode],
    }),
  );
  return {
    data,
    file,
    env: { ...(await ownPorts(mine)), SITES: `${host}=podcrew-studio` },
    async stop() {
      run.child.kill("SIGTERM");
      assert.equal(await run.ended(), 0);
    },
  };
}

const xvfb = existsSync("/usr/bin/xvfb-run") && existsSync("/usr/lib/chromium/chromium");

test("debug walks up to the irreversible step, headed and without; run posts; run again does not", async (t) => {
  const { data, env, file, stop } = await studio(t);

  await t.test(
    "debug --headed shows a real window and publishes nothing",
    { skip: xvfb ? false : "xvfb-run or a full Chromium is missing (apt-get install xvfb xauth chromium)" },
    async () => {
      const run = podcrew(t, ["debug", file, "--headed", "--slow", "20"], { env, through: ["xvfb-run", "-a"] });
      assert.equal(await run.ended(120_000), 0, run.stderr());
      assert.match(run.stderr(), /1\/1 .*draft/);
      assert.match(run.stdout(), /nothing was published/);
    },
  );

  await t.test("debug --until stops where it is told", async () => {
    const run = podcrew(t, ["debug", file, "--until", "draft"], { env });
    assert.equal(await run.ended(90_000), 0, run.stderr());
    assert.match(run.stdout(), /Stopped at "draft"/);
  });

  await t.test("run posts the file's task and writes the result beside it", async () => {
    const run = podcrew(t, ["run", file, "--json"], { env });
    assert.equal(await run.ended(120_000), 0, run.stderr());
    const result = JSON.parse(run.stdout()) as Record<string, { status: string; links: Record<string, string>; link_rss: string }>;
    assert.equal(result["task-1"]?.status, "completed");
    assert.equal((await fetch(result["task-1"]?.links["ep-1"] ?? "")).status, 200);
    assert.deepEqual(JSON.parse(await readFile(file.replace(/json$/, "result.json"), "utf8")), result);
  });

  await t.test("run again: completed, and nothing posted twice", async () => {
    const run = podcrew(t, ["run", file, "--json"], { env });
    assert.equal(await run.ended(90_000), 0, run.stderr());
  });

  await t.test("a farm without a manager posts what it is told by commands", async () => {
    const [task] = JSON.parse(`[${await readFile(file, "utf8")}]`) as Record<"domain" | "email" | "password" | "twofa", string>[];
    const accounts = file.replace(/tasks\.json$/, "accounts.json");
    await writeFile(
      accounts,
      JSON.stringify([{ website: task?.domain, email: task?.email, password: task?.password, twofa: task?.twofa }]),
    );
    const farm = podcrew(t, ["farm", "--local"], { env });
    await farm.says(/farm is up/);
    const tell = async (...args: string[]): Promise<string> => {
      const command = podcrew(t, args, { env });
      assert.equal(await command.ended(120_000), 0, command.stderr() + farm.stderr());
      return command.stdout();
    };
    await tell("accounts", "import", accounts);
    await tell("task", "create", "--username", task?.email ?? "", "--title", "By a command", "--captions", "Posted without a manager.");
    assert.match(await tell("task", "stats", "--watch"), /completed +1/);
    assert.match(await tell("task", "list"), /completed +me@podcrew\.example +slot-1 +post +http/);
    farm.child.kill("SIGTERM");
    assert.equal(await farm.ended(), 0, farm.stderr());
  });

  await stop();
  assert.deepEqual(
    (await publishes(data)).map(({ title, outcome }) => [title, outcome]),
    [
      ["From a file", "published"],
      ["By a command", "published"],
    ],
  );
});
