import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Failure, sayFailure, type FailureCode } from "../../src/contract/failures.ts";
import type { DriverCard } from "../../src/contract/task.ts";
import type { WorkerEpisode } from "../../src/contract/worker-api.ts";
import { createAddressPolicy } from "../../src/kit/addresses.ts";
import { createLog } from "../../src/kit/log.ts";
import { openMediaPool, type MediaPool } from "../../src/media/pool.ts";
import { preflightEpisode } from "../../src/media/prepare.ts";
import { never, sine, wavOf } from "./help.ts";

const limits: DriverCard["limits"] = {
  title: { maxCharacters: 150 },
  about: { tags: ["p"], maxCharacters: 4000 },
  cover: { minPixels: 1400, maxPixels: 3000, maxBytes: 500_000 },
  audio: { formats: ["mp3", "m4a"], maxBytes: 200_000_000 },
};
const sample: WorkerEpisode = { id: "one", title: "Tập 1", about: "<p>Xin chào các bạn.</p>", image_url: "" };

const refuses = async (work: Promise<unknown>, code: FailureCode, sentence: RegExp): Promise<void> =>
  assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(sayFailure(error), sentence);
    return true;
  });

test("a preflight finds what no fix can help, with the limit and the actual value, and makes nothing", async (t) => {
  const made: string[] = [];
  const pool = openMediaPool({ threads: 1, log: createLog({ level: "silent", format: "json" }) });
  t.after(async () => pool.close());
  const counting: MediaPool = {
    ...pool,
    narrate: async (...given) => (made.push("narration"), pool.narrate(...given)),
    convert: async (...given) => (made.push("conversion"), pool.convert(...given)),
  };
  const folder = await mkdtemp(join(tmpdir(), "podcrew-preflight-"));
  t.after(async () => rm(folder, { recursive: true, force: true }));
  const ogg = join(folder, "a.ogg");
  const wav = join(folder, "a.wav");
  await writeFile(ogg, Buffer.concat([Buffer.from("OggS\0"), Buffer.alloc(200)]));
  await writeFile(wav, wavOf(sine(440, 0.25, 48_000, 2), 48_000));
  const policy = createAddressPolicy([]);
  t.after(async () => policy.close());
  const check = async (change: Partial<WorkerEpisode>, over: Partial<DriverCard["limits"]> = {}): Promise<void> =>
    preflightEpisode(
      { ...sample, ...change },
      {
        limits: { ...limits, ...over },
        marker: "ep-abcdefghijklmnop",
        cacheDir: join(folder, "cache"),
        pool: counting,
        policy,
        mediaDirs: [folder],
        onProgress: () => undefined,
        signal: never,
      },
    );
  await check({});
  await check({ audio_url: wav });
  const long = "Tập một ".repeat(30);
  await check({ title: long });
  await refuses(
    check({ title: long }, { title: { maxCharacters: 150, tooLong: "refuse" } }),
    "content.title",
    /the title has 239 characters, the site takes 150, and its titles are not cut/,
  );
  await refuses(check({ about: "<p>…</p>" }), "content.empty", /no text to narrate/);
  await refuses(check({}, { audio: { formats: ["wav"], maxBytes: 1 } }), "content.audio", /narrated as MP3, the site takes WAV/);
  await refuses(
    check({ audio_url: wav }, { audio: { formats: ["m4a"], maxBytes: 1e9 } }),
    "content.audio",
    /the audio is WAV \(PCM\), the site takes M4A/,
  );
  await refuses(
    check({ audio_url: wav }, { audio: { formats: ["wav"], maxBytes: 100_000 } }),
    "content.audio",
    /the audio has 0\.2 MB, the site takes 0\.1 MB/,
  );
  await refuses(check({ audio_url: ogg }), "content.audio", /audio/);
  assert.deepEqual(made, []);
});
