import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { MPEGDecoder } from "mpg123-decoder";
import sharp from "sharp";
import { Failure, sayFailure, type FailureCode } from "../../src/contract/failures.ts";
import type { DriverCard } from "../../src/contract/task.ts";
import type { WorkerEpisode } from "../../src/contract/worker-api.ts";
import { createAddressPolicy } from "../../src/kit/addresses.ts";
import { createLog } from "../../src/kit/log.ts";
import { createLoudnessMeter } from "../../src/media/loudness.ts";
import { openMediaPool, type MediaPool } from "../../src/media/pool.ts";
import type { PrepareOptions } from "../../src/media/prepare-options.ts";
import { prepareEpisode } from "../../src/media/prepare.ts";
import { mp3Of, never, sine, site, wavOf } from "./help.ts";

const log = createLog({ level: "silent", format: "json" });
const limits: DriverCard["limits"] = {
  title: { maxCharacters: 150 },
  about: { tags: ["p", "br", "strong", "em", "a", "ul", "ol", "li"], maxCharacters: 4000 },
  cover: { minPixels: 1400, maxPixels: 3000, maxBytes: 500_000 },
  audio: { formats: ["mp3", "m4a"], maxBytes: 200_000_000 },
};
const sample: WorkerEpisode = {
  id: "uuid-episode-1",
  title: "Tập 1: Đường về nhà",
  about:
    "<article><p>Xin chào các bạn. Hôm nay chúng ta kể về khu vườn nhỏ của bà ngoại.</p><p>Mỗi sáng, bà dậy thật sớm để tưới cây.</p></article>",
  image_url: "",
};

let pool: MediaPool;
let cacheDir: string;
before(async () => {
  pool = openMediaPool({ threads: 2, log });
  cacheDir = await mkdtemp(join(tmpdir(), "podcrew-prepare-"));
});
after(async () => {
  await pool.close();
  await rm(cacheDir, { recursive: true, force: true });
});

async function prepare(t: TestContext, change: Partial<WorkerEpisode>, options: Partial<PrepareOptions> = {}) {
  const policy = createAddressPolicy(["127.0.0.1"]);
  t.after(async () => policy.close());
  return prepareEpisode(
    { ...sample, ...change },
    { limits, marker: "ep-abcdefghijklmnop", cacheDir, pool, policy, onProgress: () => undefined, signal: never, ...options },
  );
}

const refuses = async (work: Promise<unknown>, code: FailureCode, sentence: RegExp): Promise<void> =>
  assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(sayFailure(error), sentence);
    return true;
  });

async function decode(path: string) {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  const { channelData, sampleRate, samplesDecoded } = decoder.decode(await readFile(path));
  const [samples = new Float32Array(0)] = channelData;
  const meter = createLoudnessMeter(sampleRate);
  meter.push(samples);
  return { sampleRate, seconds: samplesDecoded / sampleRate, lufs: meter.integrated(), peakDb: 20 * Math.log10(meter.truePeak()) };
}

/** What stands for the recording in a file's name. */
const CONTENT = /-[\da-f]{8}(?=\.mp3$)/;

test("a text becomes an episode: narrated at -16 LUFS, named by its marker, the same for nothing the second time", async (t) => {
  const shares: number[] = [];
  const first = await prepare(t, {}, { onProgress: (share) => shares.push(share) });
  const { prepared, fixes } = first;
  assert.deepEqual(
    { ...prepared, audioPath: basename(prepared.audioPath).replace(CONTENT, ""), audioSeconds: 0 },
    {
      id: "uuid-episode-1",
      title: "Tập 1: Đường về nhà",
      aboutHtml: "<p>Xin chào các bạn. Hôm nay chúng ta kể về khu vườn nhỏ của bà ngoại.</p><p>Mỗi sáng, bà dậy thật sớm để tưới cây.</p>",
      aboutText: "Xin chào các bạn. Hôm nay chúng ta kể về khu vườn nhỏ của bà ngoại.\n\nMỗi sáng, bà dậy thật sớm để tưới cây.",
      coverPath: null,
      audioPath: "ep-abcdefghijklmnop.mp3",
      audioSeconds: 0,
      language: "vi",
      narrated: true,
      marker: "ep-abcdefghijklmnop",
    },
  );
  assert.deepEqual(fixes, [{ field: "about", say: "about: <article> unwrapped" }]);
  assert.deepEqual(
    shares,
    shares.toSorted((a, b) => a - b),
  );
  assert.equal(shares.at(-1), 1);

  const sound = await decode(prepared.audioPath);
  assert.equal(sound.sampleRate, 44_100);
  assert.ok(Math.abs(sound.seconds - prepared.audioSeconds) < 0.2, `${sound.seconds} against ${prepared.audioSeconds}`);
  assert.ok(prepared.audioSeconds > 5 && prepared.audioSeconds < 30, String(prepared.audioSeconds));
  assert.ok(Math.abs(sound.lufs + 16) < 0.7, `${sound.lufs} LUFS`);
  assert.ok(sound.peakDb <= -1, `${sound.peakDb} dBTP`);

  const sharesAgain: number[] = [];
  const again = await prepare(t, {}, { onProgress: (share) => sharesAgain.push(share) });
  assert.deepEqual(again, first);
  assert.deepEqual(sharesAgain, [1], "taken from the cache, not narrated again");
  const elsewhere = await prepare(t, {}, { marker: "ep-zzzzzzzzzzzzzzzz" });
  const named = (path: string): [string, string] => [basename(path).replace(CONTENT, ""), CONTENT.exec(path)?.[0] ?? ""];
  const [, content] = named(prepared.audioPath);
  assert.deepEqual(named(elsewhere.prepared.audioPath), ["ep-zzzzzzzzzzzzzzzz.mp3", content]);
  assert.deepEqual(await readFile(elsewhere.prepared.audioPath), await readFile(prepared.audioPath));
  const mended = await prepare(t, { about: "<p>Another text.</p>" });
  assert.equal(named(mended.prepared.audioPath)[0], "ep-abcdefghijklmnop.mp3");
  assert.notEqual(named(mended.prepared.audioPath)[1], content, "another recording has another name");
  assert.deepEqual(await readdir(join(cacheDir, "tmp")), []);
});

test("two at once narrate once", async (t) => {
  const about = "Hai người cùng hỏi một lúc.";
  const told: string[] = [];
  const counting: MediaPool = {
    ...pool,
    narrate: async (narration, job) => {
      told.push(narration.text);
      return pool.narrate(narration, job);
    },
  };
  const [one, two] = await Promise.all([
    prepare(t, { about }, { pool: counting }),
    prepare(t, { about, id: "another" }, { pool: counting }),
  ]);
  assert.deepEqual(told, [about]);
  assert.equal(one.prepared.audioPath, two.prepared.audioPath);
});

test("an image and an audio of one's own are fetched, fixed and listed, in the same words on a second run", async (t) => {
  const image = await sharp({ create: { width: 900, height: 500, channels: 3, background: "#246" } })
    .jpeg()
    .toBuffer();
  const mp3 = await mp3Of(sine(440, 0.5, 44_100, 2));
  let asked = 0;
  const origin = await site(t, (request, response) => void ((asked += 1), response.end(request.url === "/a.mp3" ? mp3 : image)));
  const change = { image_url: `${origin}/c.jpg`, audio_url: `${origin}/a.mp3`, about: "" };
  const first = await prepare(t, change);
  assert.deepEqual(
    first.fixes.map(({ say }) => say),
    ["about is empty -> the title stands in", "cover 900x500 -> padded to 1400x1400"],
  );
  assert.deepEqual(
    [first.prepared.narrated, first.prepared.aboutHtml, first.prepared.language],
    [false, "<p>Tập 1: Đường về nhà</p>", "vi"],
  );
  assert.deepEqual(await readFile(first.prepared.audioPath), mp3);
  assert.equal((await sharp(first.prepared.coverPath!).metadata()).width, 1400);
  assert.deepEqual(await prepare(t, change), first);
  assert.equal(asked, 2);
});

test("a WAV becomes an MP3 where the site wants one; what can't be converted is refused by name", async (t) => {
  const folder = join(cacheDir, "operator");
  await mkdir(folder, { recursive: true });
  const wav = join(folder, "own.wav");
  await writeFile(wav, wavOf(sine(440, 0.25, 48_000, 3), 48_000));
  const { prepared, fixes } = await prepare(t, { audio_url: wav }, { mediaDirs: [folder] });
  assert.deepEqual(fixes.at(-1), { field: "audio", say: "audio WAV -> MP3" });
  const sound = await decode(prepared.audioPath);
  assert.ok(Math.abs(sound.seconds - 3) < 0.1 && Math.abs(prepared.audioSeconds - 3) < 0.1);
  assert.ok(Math.abs(sound.lufs - (-3.01 - 12.04 - 0.6)) < 1, `the loudness stays: ${sound.lufs}`);
  await refuses(
    prepare(t, { audio_url: wav }, { mediaDirs: [folder], limits: { ...limits, audio: { formats: ["m4a"], maxBytes: 1e8 } } }),
    "content.audio",
    /is WAV \(PCM\), the site takes M4A/,
  );
  await refuses(
    prepare(t, { audio_url: wav }, { mediaDirs: [folder], limits: { ...limits, audio: { formats: ["mp3"], maxBytes: 1000 } } }),
    "content.audio",
    /the site takes 0\.0 MB/,
  );
  await refuses(prepare(t, { audio_url: "/etc/hostname" }, { mediaDirs: [folder] }), "content.forbidden_address", /MEDIA_DIRS/);
  await refuses(
    prepare(t, { audio_url: `${folder}/../../../etc/hostname` }, { mediaDirs: [folder] }),
    "content.forbidden_address",
    /MEDIA_DIRS/,
  );
});

test("awful input ends in a listed fix or in a sentence that says what to do, and nothing hangs", async (t) => {
  const zero = Buffer.alloc(0);
  const dot = await sharp({ create: { width: 1, height: 1, channels: 3, background: "#246" } })
    .png()
    .toBuffer();
  const strip = await sharp({ create: { width: 6000, height: 100, channels: 3, background: "#246" } })
    .png()
    .toBuffer();
  const answers: Record<string, Buffer> = {
    "/zero.png": zero,
    "/dot.png": dot,
    "/strip.png": strip,
    "/text.mp3": Buffer.from("not sound at all, whatever the name says"),
  };
  const origin = await site(t, (request, response) => {
    const body = answers[request.url ?? ""];
    if (body) response.end(body);
    else if (request.url !== "/hang.png") response.writeHead(404).end();
  });
  const says = async (change: Partial<WorkerEpisode>): Promise<string[]> => (await prepare(t, change)).fixes.map(({ say }) => say);
  assert.ok(
    (await says({ title: "Chuyện ".repeat(143).slice(0, 1000) })).includes("title of 1000 characters -> cut to 147 (the site takes 150)"),
  );
  assert.ok((await says({ image_url: `${origin}/dot.png` })).includes("cover 1x1 -> enlarged to 1400x1400"));
  assert.ok((await says({ image_url: `${origin}/strip.png` })).includes("cover 6000x100 -> reduced and padded to 3000x3000"));
  assert.ok((await says({ about: `${sample.about}<script>alert(1)</script>` })).includes("about: <script> removed"));
  assert.ok((await says({ language: "tlh", voice: "--help" })).some((say) => say === 'language "tlh" is not known -> read as vi'));
  await refuses(prepare(t, { title: " " }), "content.title", /Give it one/);
  await refuses(prepare(t, { about: "<p>…</p>" }), "content.empty", /Give it an about text or an audio_url/);
  await refuses(prepare(t, { image_url: `${origin}/zero.png` }), "content.image", /empty \(0 bytes\)\. .*Give it a JPEG, PNG or WebP/);
  await refuses(
    prepare(t, { image_url: `${origin}/gone.png` }),
    "content.unreachable",
    /answered 404 \(Not Found\)\. .*Check that the address opens without signing in/,
  );
  await refuses(
    prepare(t, { image_url: `${origin}/hang.png` }, { deadlines: { imageMs: 300 } }),
    "content.unreachable",
    /did not arrive within 0\.3 s/,
  );
  await refuses(prepare(t, { image_url: "http://192.168.0.1/c.png" }), "content.forbidden_address", /Use a public address/);
  await refuses(prepare(t, { audio_url: `${origin}/text.mp3` }), "content.audio", /Give it an MP3, M4A or WAV that plays/);
});

test("a bad image that was mended under its address is seen at the next try", async (t) => {
  let image: Buffer = Buffer.from("broken");
  const origin = await site(t, (_request, response) => void response.end(image));
  await refuses(prepare(t, { image_url: `${origin}/c.png` }), "content.image", /known kind/);
  image = await sharp({ create: { width: 1400, height: 1400, channels: 3, background: "#246" } })
    .jpeg()
    .toBuffer();
  assert.ok((await prepare(t, { image_url: `${origin}/c.png` })).prepared.coverPath);
});
