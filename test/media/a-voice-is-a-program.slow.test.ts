import assert from "node:assert/strict";
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Failure } from "../../src/contract/failures.ts";
import { createLog } from "../../src/kit/log.ts";
import { openMediaPool } from "../../src/media/pool.ts";
import { folder, never, sine, site, wavOf } from "./help.ts";

const log = createLog({ level: "silent", format: "json" });
const here = new URL("../../src/media/", import.meta.url);

function pool(t: TestContext, voiceCommand?: string) {
  const opened = openMediaPool({ threads: 1, log, voiceCommand });
  t.after(async () => opened.close());
  return opened;
}

const ask = (outPath: string, text = "Hello there. This is a test.") => ({
  text,
  title: "",
  language: "en",
  voice: "",
  wordsPerMinute: 165,
  outPath,
});
const program = (path: string, ...rest: string[]): string => [`"${process.execPath}"`, `"${path}"`, ...rest].join(" ");

/** Whether a process still runs. */
function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function until(what: () => boolean | Promise<boolean>, why: string): Promise<void> {
  const endAt = Date.now() + 10_000;
  while (!(await what())) {
    if (Date.now() > endAt) assert.fail(why);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("any program that turns text into WAV is a voice; placeholders are arguments, not shell", async (t) => {
  const dir = await folder(t);
  await writeFile(join(dir, "tone.wav"), wavOf(sine(300, 0.2, 16_000, 2), 16_000));
  await writeFile(
    join(dir, "voice.mjs"),
    `
    import { readFileSync, writeFileSync } from "node:fs";
    writeFileSync(${JSON.stringify(join(dir, "seen.json"))}, JSON.stringify({ arguments: process.argv.slice(2), text: readFileSync(0, "utf8") }));
    process.stdout.write(readFileSync(${JSON.stringify(join(dir, "tone.wav"))}));`,
  );
  const voices = pool(t, program(join(dir, "voice.mjs"), "--speak", "{language}", "{voice}", "$(id)"));
  const facts = await voices.narrate({ ...ask(join(dir, "out.mp3")), voice: "Mai Lan" });
  assert.ok(Math.abs(facts.seconds - 2) < 0.01);
  assert.deepEqual(JSON.parse(await readFile(join(dir, "seen.json"), "utf8")), {
    arguments: ["--speak", "en", "Mai Lan", "$(id)"],
    text: "Hello there. This is a test.\n",
  });
  assert.ok(Math.abs((await voices.probe(join(dir, "out.mp3"))).seconds - 2) < 0.1);
  assert.ok(!(await readdir(dir)).some((name) => name.endsWith(".raw")));
});

test("an address can be a voice", async (t) => {
  const dir = await folder(t);
  let asked = "";
  const origin = await site(t, (request, response) => {
    request.setEncoding("utf8").on("data", (text: string) => (asked += `${request.url} ${text}`));
    request.on("end", () => response.end(wavOf(sine(300, 0.2, 22_050, 1), 22_050)));
  });
  await pool(t, `${origin}/speak?lang={language}`).narrate(ask(join(dir, "out.mp3")));
  assert.equal(asked, "/speak?lang=en Hello there. This is a test.");
});

test("a voice that fails is named with its last words", async (t) => {
  const dir = await folder(t);
  await writeFile(join(dir, "voice.mjs"), "console.error('loading'); console.error('no model file'); process.exit(3);");
  for (const [command, why] of [
    [program(join(dir, "voice.mjs")), /exit code 3: no model file/],
    ["no-such-voice-program {voice}", /"no-such-voice-program" could not be run.*ENOENT/],
  ] as const) {
    await assert.rejects(
      pool(t, command).narrate(ask(join(dir, "out.mp3"))),
      (error: unknown) => error instanceof Failure && error.code === "farm.narration" && why.test(error.detail),
    );
  }
});

test("the built-in voice is missing: the sentence names the command that mends it", async (t) => {
  const dir = await folder(t);
  for (const name of ["espeak-process.ts", "wav.ts"]) await copyFile(new URL(name, here), join(dir, name));
  const text = (await readFile(join(dir, "wav.ts"), "utf8")).replace(
    "../contract/failures.ts",
    new URL("../contract/failures.ts", here).href,
  );
  await writeFile(join(dir, "wav.ts"), text);
  await assert.rejects(
    pool(t, program(join(dir, "espeak-process.ts"))).narrate(ask(join(dir, "out.mp3"))),
    (error: unknown) =>
      error instanceof Failure && error.code === "farm.narration" && /npm install @echogarden\/espeak-ng-emscripten/.test(error.detail),
  );
});

test("a cancel ends the program at once; so does closing the pool", async (t) => {
  const dir = await folder(t);
  await writeFile(
    join(dir, "voice.mjs"),
    `import { writeFileSync } from "node:fs"; writeFileSync(process.argv[2], String(process.pid)); setInterval(() => undefined, 1000);`,
  );
  const start = async (name: string, signal: AbortSignal) => {
    const voices = pool(t, program(join(dir, "voice.mjs"), `"${join(dir, name)}"`));
    const work = voices.narrate(ask(join(dir, `${name}.mp3`)), { signal });
    work.catch(() => undefined);
    await until(async () => (await readFile(join(dir, name), "utf8").catch(() => "")) !== "", "the voice has not started");
    return { voices, work, pid: Number(await readFile(join(dir, name), "utf8")) };
  };
  const controller = new AbortController();
  const first = await start("first", controller.signal);
  const reason = new Failure("task.canceled");
  controller.abort(reason);
  await assert.rejects(first.work, reason);
  assert.ok(!lives(first.pid));
  const second = await start("second", never);
  await second.voices.close();
  await assert.rejects(second.work, (error: unknown) => error instanceof Failure && error.code === "farm.stopping");
  assert.ok(!lives(second.pid));
});

test("languages and voices of the built-in engine sound different; an unknown language is a failure", async (t) => {
  const dir = await folder(t);
  const voices = pool(t);
  const hashes = new Set<string>();
  for (const [language, voice] of [
    ["vi", ""],
    ["vi", "f3"],
    ["en", ""],
  ] as const) {
    const outPath = join(dir, `${language}${voice}.mp3`);
    await voices.narrate({ ...ask(outPath, "Xin chào các bạn."), language, voice });
    hashes.add((await readFile(outPath)).toString("base64"));
  }
  assert.equal(hashes.size, 3);
  await assert.rejects(
    voices.narrate({ ...ask(join(dir, "x.mp3")), language: "xx" }),
    (error: unknown) => error instanceof Failure && /does not know the language/.test(error.detail),
  );
});
