import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Failure, sayFailure } from "../../src/contract/failures.ts";
import { probeAudio } from "../../src/media/audio.ts";
import { id3Title } from "../../src/media/mp3.ts";
import { folder, mp3Of, sine, wavOf } from "./help.ts";

async function probe(t: TestContext, name: string, content: Buffer) {
  const path = join(await folder(t), name);
  await writeFile(path, content);
  return probeAudio(path);
}

test("MP3 and WAV are told apart whatever they are called", async (t) => {
  const sound = sine(440, 0.5, 44_100, 2);
  const wav = await probe(t, "really.mp3", wavOf(sound, 44_100));
  assert.deepEqual(wav, { seconds: 2, mime: "audio/wav", bytes: 44 + 2 * sound.length, codec: "PCM", format: "wav" });
  const mp3 = await probe(t, "really.wav", await mp3Of(sound));
  assert.deepEqual([mp3.mime, mp3.codec, mp3.format], ["audio/mpeg", "MPEG 1 Layer 3", "mp3"]);
  assert.ok(Math.abs(mp3.seconds - 2) < 0.06, String(mp3.seconds));
});

test("a tag before the sound does not count as time", async (t) => {
  const tagged = await probe(t, "a.mp3", Buffer.concat([id3Title("Tập 1: Đường về nhà"), await mp3Of(sine(440, 0.5, 44_100, 2))]));
  assert.ok(Math.abs(tagged.seconds - 2) < 0.06, String(tagged.seconds));
});

test("a recording that is touched while it is read is read to its end", async (t) => {
  const path = join(await folder(t), "a.mp3");
  await writeFile(path, await mp3Of(sine(440, 0.5, 44_100, 20)));
  const read = new AbortController();
  const reading = probeAudio(path).finally(() => read.abort());
  for (let time = Date.now() / 1000; !read.signal.aborted; time += 0.0371) await utimes(path, time, time);
  assert.ok(Math.abs((await reading).seconds - 20) < 0.06);
});

test("what is no audio is refused with the reason", async (t) => {
  for (const [content, why] of [
    [Buffer.alloc(0), /empty \(0 bytes\)/],
    [randomBytes(20_000), /not audio, or is damaged|no sound|unusual/],
    [Buffer.from("<html>sign in first</html>"), /not audio/],
    [wavOf(new Float32Array(0), 44_100), /no sound/],
  ] as const) {
    await assert.rejects(
      probe(t, "a.mp3", content),
      (error: unknown) =>
        error instanceof Failure &&
        error.code === "content.audio" &&
        why.test(error.detail) &&
        /Give it an MP3, M4A or WAV that plays/.test(sayFailure(error)),
    );
  }
});
