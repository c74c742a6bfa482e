import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { givenPglite } from "../support/store.ts";
import { givenShow, givenStudio, picture, signedIn, wav } from "./support.ts";

test("a cover is a square JPEG or PNG of 1400 to 3000 pixels; all else is refused with the rule", async (t) => {
  const given = await givenPglite(t);
  const studio = await givenStudio(t, given);
  await givenShow(studio);
  const maya = await signedIn(studio);
  const square = "The cover must be square.";
  const size = "The cover must be 1400 to 3000 pixels wide.";
  const kind = "The cover must be a JPEG or PNG picture.";
  const cases: [string, Buffer<ArrayBuffer>, string][] = [
    ["wide.jpg", await picture(1600, 1400), square],
    ["small.png", await picture(1399, 1399, "png"), size],
    ["large.jpg", await picture(3001, 3001), size],
    ["pixel.png", await picture(1, 1, "png"), size],
    ["modern.jpg", await picture(1400, 1400, "webp"), kind],
    ["song.jpg", wav(1), kind],
    ["cut.jpg", (await picture(1400, 1400)).subarray(0, 20), "The cover can't be opened. Export it again and upload the new file."],
    ["empty.png", Buffer.alloc(0), "The file is empty."],
  ];
  for (const [name, bytes, sentence] of cases) {
    const { status, json } = await maya.upload("cover", name, bytes);
    assert.deepEqual([name, status, json["message"]], [name, 422, sentence]);
  }
  for (const [bytes, name] of [
    [await picture(1400, 1400), "a.jpg"],
    [await picture(3000, 3000, "png"), "b.png"],
  ] as const) {
    const { status, json } = await maya.upload("cover", name, bytes);
    assert.deepEqual([status, json["state"]], [202, "ready"]);
    assert.equal((await fetch(new URL(String(json["thumb"]), studio.url))).headers.get("content-type"), "image/webp");
  }
  assert.deepEqual(await readdir(join(given.dataDir, "studio", "uploads")), [], "nothing is left behind");
});

test("audio is known by its content, not by its name", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const maya = await signedIn(studio);
  const picture_ = await maya.upload("audio", "fake.mp3", await picture(10, 10));
  assert.deepEqual([picture_.status, picture_.json["message"]], [422, "This is not audio that we know: MP3, M4A or WAV."]);
  const misnamed = await maya.upload("audio", "really-a-wav.mp3", wav(1));
  assert.deepEqual([misnamed.status, misnamed.json["state"], misnamed.json["fileName"]], [202, "processing", "really-a-wav.mp3"]);
  assert.equal((await maya.settled(misnamed.json["guid"]))["state"], "ready");
  const noise = Buffer.concat([Buffer.from("ID3"), Buffer.alloc(5000, 7)]);
  const broken = await maya.upload("audio", "noise.mp3", noise);
  const settled = await maya.settled(broken.json["guid"]);
  assert.deepEqual(
    [settled["state"], settled["message"]],
    ["refused", "The audio can't be played. Export it again and upload the new file."],
  );
});

test("a title has at most 200 characters, counted as people count", async (t) => {
  const studio = await givenStudio(t, await givenPglite(t));
  await givenShow(studio);
  const maya = await signedIn(studio);
  assert.equal((await maya.call("POST", "/shows/slow-mornings/episodes", { title: "ế".normalize("NFC").repeat(199) + "🎙" })).status, 201);
  const { status, json } = await maya.call("POST", "/shows/slow-mornings/episodes", { title: "x".repeat(201) });
  assert.deepEqual([status, json["message"]], [422, "The title is too long: 200 characters at most."]);
});
