import assert from "node:assert/strict";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { crc32 } from "node:zlib";
import sharp, { type Sharp } from "sharp";
import { Failure, sayFailure } from "../../src/contract/failures.ts";
import { fitCover } from "../../src/media/cover.ts";
import { folder } from "./help.ts";

const limits = { minPixels: 1400, maxPixels: 3000, maxBytes: 500_000 };

function plain(width: number, height: number): Sharp {
  return sharp({ create: { width, height, channels: 3, background: "#e07a3f" } });
}

async function fit(t: TestContext, image: Buffer | string) {
  const dir = await folder(t);
  const [input, out] = [join(dir, "in"), join(dir, "out.jpg")];
  await writeFile(input, image);
  const fitted = await fitCover(input, limits, out);
  return {
    ...fitted,
    says: fitted.fixes.map(({ say }) => say),
    file: await sharp(out).metadata(),
    fileBytes: (await stat(out)).size,
    pixels: () => sharp(out).raw().toBuffer(),
  };
}

const rejects = async (t: TestContext, image: Buffer | string, why: RegExp) =>
  assert.rejects(
    fit(t, image),
    (error: unknown) =>
      error instanceof Failure &&
      error.code === "content.image" &&
      why.test(error.detail) &&
      sayFailure(error).includes("Give it a JPEG, PNG or WebP that opens."),
  );

test("a landscape picture is padded, not cropped", async (t) => {
  const { says, file, fileBytes, bytes } = await fit(t, await plain(900, 500).jpeg().toBuffer());
  assert.deepEqual(says, ["cover 900x500 -> padded to 1400x1400"]);
  assert.deepEqual(
    [file.format, file.width, file.height, file.space, file.channels, file.exif, file.icc],
    ["jpeg", 1400, 1400, "srgb", 3, undefined, undefined],
  );
  assert.equal(bytes, fileBytes);
  assert.ok(fileBytes <= limits.maxBytes);
});

test("a cover that fits already is not touched", async (t) => {
  const image = await plain(1500, 1500).jpeg().toBuffer();
  const { says, fileBytes } = await fit(t, image);
  assert.deepEqual(says, []);
  assert.equal(fileBytes, image.length);
});

test("one pixel becomes a cover of that colour", async (t) => {
  const { says, file, pixels } = await fit(t, await plain(1, 1).png().toBuffer());
  assert.deepEqual(says, ["cover 1x1 -> enlarged to 1400x1400", "cover PNG -> JPEG"]);
  assert.equal(file.width, 1400);
  const [red = 0, green = 0, blue = 0] = await pixels();
  assert.ok(Math.abs(red - 0xe0) < 6 && Math.abs(green - 0x7a) < 6 && Math.abs(blue - 0x3f) < 6);
});

test("a strip of 6000x100 becomes a square", async (t) => {
  const { says, file } = await fit(t, await plain(6000, 100).jpeg().toBuffer());
  assert.deepEqual(says, ["cover 6000x100 -> reduced and padded to 3000x3000"]);
  assert.deepEqual([file.width, file.height], [3000, 3000]);
});

test("what the camera noted is obeyed, then forgotten", async (t) => {
  const { says, file } = await fit(
    t,
    await plain(1600, 1500)
      .withExif({ IFD0: { Copyright: "me" } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer(),
  );
  assert.equal(says[0], "cover 1500x1600 -> padded to 1600x1600");
  assert.ok(says.includes("cover turned upright, as its camera noted") && says.includes("cover camera data removed"));
  assert.deepEqual([file.exif, file.orientation], [undefined, undefined]);
});

test("transparency becomes white, print colours become RGB", async (t) => {
  const clear = await fit(
    t,
    await sharp({ create: { width: 1400, height: 1400, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
      .webp()
      .toBuffer(),
  );
  assert.deepEqual(clear.says, ["cover WebP -> JPEG", "cover transparent parts -> white"]);
  assert.ok(((await clear.pixels())[0] ?? 0) > 250);
  const print = await fit(t, await plain(1400, 1400).toColourspace("cmyk").jpeg().toBuffer());
  assert.deepEqual(print.says, ["cover colours cmyk -> RGB"]);
  assert.equal(print.file.space, "srgb");
});

test("a picture full of noise is made small enough, and that is listed", async (t) => {
  const noise = await sharp({
    create: { width: 2000, height: 2000, channels: 3, background: "#888", noise: { type: "gaussian", mean: 128, sigma: 60 } },
  })
    .jpeg()
    .toBuffer();
  const { says, fileBytes, file } = await fit(t, noise);
  assert.match(says[0] ?? "", /^cover over 500 kB -> \d+x\d+ at quality \d+, \d+ kB$/);
  assert.ok(fileBytes <= limits.maxBytes && file.width >= limits.minPixels);
});

test("what is no picture is refused with the reason", async (t) => {
  await rejects(t, "", /empty \(0 bytes\)/);
  await rejects(t, Buffer.alloc(3000, 7), /not an image of a known kind/);
  await rejects(t, "<html>sign in first</html>", /not an image of a known kind/);
  await rejects(t, '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/hostname"/></svg>', /SVG drawings are not taken/);
  const jpeg = await plain(1500, 1500).jpeg().toBuffer();
  await rejects(t, jpeg.subarray(0, jpeg.length / 2), /damaged/);
});

test("a decompression bomb is refused before it is opened", async (t) => {
  const bomb = await plain(1, 1).png().toBuffer();
  bomb.writeUInt32BE(60_000, 16);
  bomb.writeUInt32BE(60_000, 20);
  bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29);
  await rejects(t, bomb, /more than 100 million pixels/);
});
