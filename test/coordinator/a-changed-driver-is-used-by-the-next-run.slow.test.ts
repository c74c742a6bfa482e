import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test, type TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import type { CoordinatorCalls, DriverCard } from "../../src/contract/task.ts";
import { DriverBook } from "../../src/coordinator/driver-book.ts";
import { openWorkerPool } from "../../src/coordinator/worker-pool.ts";
import { makeAssignment } from "../support/coordinator.ts";
import { tempDir } from "../support/temp.ts";

/** A driver that says who it is as soon as it is asked for anything. */
const driver = (says: string, more = "", site = "chameleon"): string => `
import { defineDriver, z } from "podcrew/driver";
import { who } from "./words.ts";
export default defineDriver({
  site: "${site}",
  origin: "http://127.0.0.1:9",
  account: z.object({ email: z.email(), password: z.string() }),
  publishRequest: { method: "POST", url: /publish/ },
  ${more}
  async isSignedIn({ step }) { step("${says}", who); throw new Error("enough"); },
  async signIn({ step }) { step("${says}", who); throw new Error("enough"); },
  async find() { return []; },
  async draft() {},
  async publish() {},
  async feed() { return ""; },
});
`;

interface Given {
  book: DriverBook;
  write(text: string, words?: string): Promise<void>;
  remove(): Promise<void>;
  card(): DriverCard;
  /** What a run of a card hears from its driver. */
  run(card: DriverCard, alone?: boolean): Promise<string>;
  said: { level: string; message: string }[];
}

async function given(t: TestContext): Promise<Given> {
  const folder = await tempDir(t, "changing");
  const [own, scratch] = [join(folder, "own"), join(folder, "scratch")];
  await mkdir(own);
  await mkdir(scratch);
  const file = join(own, "chameleon.ts");
  const write = async (text: string, words = "red"): Promise<void> => {
    await writeFile(join(own, "words.ts"), `export const who: string = "${words}";\n`);
    await writeFile(file, text);
  };
  await write(driver("one"));
  const said: Given["said"] = [];
  const say = (level: string) => (message: string) => void said.push({ level, message });
  const log = { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error"), child: () => log };
  const pool = openWorkerPool({
    workerModule: new URL("../../src/worker/entry.ts", import.meta.url),
    maxThreads: 1,
    tasksPerThread: 4,
    tmpDir: scratch,
  });
  t.after(async () => pool.close());
  const book = await DriverBook.open({ modules: [pathToFileURL(file).href], folder: join(scratch, "drivers"), pool, log });
  const heard: string[] = [];
  const calls = {
    step: (name: string, detail = "") => heard.push(`${name} ${detail}`),
    maySubmitCredentials: async () => ({ allowed: true, why: "" }),
    credentialsJudged: async () => undefined,
  } as unknown as CoordinatorCalls;
  return {
    book,
    write,
    said,
    remove: async () => rm(file),
    card: () => book.cards[0] as DriverCard,
    async run(card, alone = false) {
      heard.length = 0;
      const assignment = makeAssignment({ origin: "http://127.0.0.1:9", driverModule: card.module, folder, stepTimeoutMs: 2000 });
      const { failure } = await pool.run(assignment, calls, alone).result;
      assert.match(failure?.detail ?? "", /enough/, "the driver itself ended the run");
      return heard.filter((line) => !line.startsWith("sign in")).join(", ");
    },
  };
}

suite("a driver's file changes while the farm runs", { concurrency: false }, () => {
  test("the next run uses the new one, and what it declares; the file beside it counts, too", async (t) => {
    const { book, write, card, run, said } = await given(t);
    const first = card();
    assert.equal(await run(first), "one red");
    assert.equal(await book.fresh(first), first, "nothing has changed");

    await write(driver("two", "settleMs: 7, concurrency: 3,"));
    const second = await book.fresh(first);
    assert.deepEqual([second.settleMs, second.concurrency], [7, 3]);
    assert.equal(await run(second), "two red");
    // What began with the old one goes on with it, in a new thread as well.
    assert.equal(await run(first, true), "one red");

    await write(driver("two", "settleMs: 7, concurrency: 3,"), "green");
    assert.equal(await run(await book.fresh(second)), "two green");
    assert.deepEqual(
      said.map(({ level }) => level),
      ["info", "info"],
    );
  });

  const broken: [string, string, RegExp][] = [
    ["does not parse", "export default defineDriver({", /can't be used: .+\. The one before it stays in use/],
    ["declares nonsense", driver("two", 'tier: "sometimes",'), /can't be used: The driver "chameleon" has a problem:\n {2}tier: /],
    ["has another name", driver("two", "", "lizard"), /its site was "chameleon" and is now "lizard": a new name needs a restart/],
    ["ends its thread", "process.exit(3);", /can't be used: .+The one before it stays in use/],
  ];
  for (const [what, text, sentence] of broken) {
    test(`a new one that ${what} is refused with a sentence, once, and the old one stays in use`, async (t) => {
      const { book, write, card, run, said } = await given(t);
      const first = card();
      await write(text);
      assert.equal(await book.fresh(first), first);
      assert.equal(await book.fresh(first), first);
      assert.deepEqual(
        said.map(({ level }) => level),
        ["warn"],
      );
      assert.match(said[0]?.message ?? "", sentence);
      assert.equal(await run(first, true), "one red", "a thread that has never seen it");
      await write(driver("three"));
      assert.equal(await run(await book.fresh(first)), "three red", "mended");
    });
  }

  test("a file that is gone is missed with a sentence, and stays in use", async (t) => {
    const { book, remove, card, run, said } = await given(t);
    await remove();
    assert.equal(await book.fresh(card()), card());
    assert.match(said[0]?.message ?? "", /can't be used: ENOENT/);
    assert.equal(await run(card(), true), "one red");
  });
});
