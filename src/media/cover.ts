import { copyFile, open, stat, writeFile } from "node:fs/promises";
import sharp, { type Metadata } from "sharp";
import { Failure } from "../contract/failures.ts";
import type { Fix } from "./fix.ts";
import { imageKind } from "./image-kind.ts";

export interface CoverLimits {
  /** Least and greatest side of the square, px. */
  minPixels: number;
  maxPixels: number;
  maxBytes: number;
}

export interface FittedCover {
  width: number;
  height: number;
  bytes: number;
  fixes: Fix[];
}

/** A picture with more is a decompression bomb or a scan of a wall. */
const MAX_INPUT_PIXELS = 100_000_000;
/** Larger pictures are made smaller before they are made ugly. */
const GOOD_QUALITIES = [90, 84, 78, 72];
const POOR_QUALITIES = [60, 48, 36, 24];
const SMALLER = 0.8;
const settings = { limitInputPixels: MAX_INPUT_PIXELS, failOn: "truncated", pages: 1 } as const;

/**
 * Any picture as a cover that hosts take: square, sRGB JPEG, side and bytes within the limits, no camera data.
 * What is not square stands whole before a blurred, darkened copy of itself; nothing is cropped.
 * @throws Failure content.image with the reason in words
 */
export async function fitCover(inputPath: string, limits: CoverLimits, outPath: string): Promise<FittedCover> {
  const { kind, bytes } = await sniff(inputPath);
  try {
    const metadata = await sharp(inputPath, settings).metadata();
    const side = Math.min(Math.max(metadata.autoOrient.width, metadata.autoOrient.height, limits.minPixels), limits.maxPixels);
    const says = [...sayShape(metadata, side), ...sayContent(kind, metadata)];
    if (says.length === 0 && bytes <= limits.maxBytes) {
      await sharp(inputPath, settings).resize(8).toBuffer();
      await copyFile(inputPath, outPath);
      return { width: side, height: side, bytes, fixes: [] };
    }
    const { data, pixels, quality } = await compress(await drawSquare(inputPath, side), side, limits);
    await writeFile(outPath, data);
    const shrunk = pixels < side || quality < GOOD_QUALITIES[0]!;
    if (shrunk) says.push(`over ${kilobytes(limits.maxBytes)} -> ${pixels}x${pixels} at quality ${quality}, ${kilobytes(data.length)}`);
    return { width: pixels, height: pixels, bytes: data.length, fixes: says.map((say) => ({ field: "cover", say: `cover ${say}` })) };
  } catch (error) {
    throw error instanceof Failure ? error : explain(error);
  }
}

async function sniff(path: string): Promise<{ kind: string; bytes: number }> {
  const { size } = await stat(path);
  if (size === 0) throw new Failure("content.image", "the image file is empty (0 bytes)");
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
  const head = buffer.subarray(0, bytesRead);
  const kind = imageKind(head);
  if (kind) return { kind, bytes: size };
  const isSvg = /<svg|<\?xml/i.test(head.toString("utf8"));
  throw new Failure(
    "content.image",
    isSvg ? "SVG drawings are not taken, as they can point to other files" : "the file is not an image of a known kind",
  );
}

function sayShape({ autoOrient: { width, height } }: Metadata, side: number): string[] {
  const [from, to] = [`${width}x${height}`, `${side}x${side}`];
  if (width !== height) return [`${from} -> ${Math.max(width, height) > side ? "reduced and padded" : "padded"} to ${to}`];
  if (width < side) return [`${from} -> enlarged to ${to}`];
  return width > side ? [`${from} -> reduced to ${to}`] : [];
}

function sayContent(kind: string, metadata: Metadata): string[] {
  const says: [boolean, string][] = [
    [kind !== "JPEG", `${kind} -> JPEG`],
    [(metadata.pages ?? 1) > 1, "animation -> its first picture"],
    [(metadata.orientation ?? 1) > 1, "turned upright, as its camera noted"],
    [metadata.hasAlpha, "transparent parts -> white"],
    [metadata.space !== "srgb", `colours ${metadata.space} -> RGB`],
    [Boolean(metadata.exif ?? metadata.xmp ?? metadata.iptc), "camera data removed"],
    [Boolean(metadata.icc) && metadata.space === "srgb", "colour profile -> sRGB"],
  ];
  return says.filter(([applies]) => applies).map(([, say]) => say);
}

/** Upright, opaque, RGB, `side` x `side`, as raw pixels. */
async function drawSquare(inputPath: string, side: number): Promise<Buffer> {
  const upright = await sharp(inputPath, settings)
    .autoOrient()
    .flatten({ background: "white" })
    .toColourspace("srgb")
    .resize(side, side, { fit: "inside" })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = upright.info;
  const picture = await sharp(upright.data, { raw: { width, height, channels } })
    .resize(fitInto(width, height, side))
    .toColourspace("srgb")
    .png({ compressionLevel: 0 })
    .toBuffer();
  // The backdrop is drawn small and enlarged: the same look as a wide blur, at a fraction of the work.
  const backdrop = await sharp(upright.data, { raw: { width, height, channels } })
    .resize(96, 96, { fit: "cover" })
    .blur(6)
    .modulate({ brightness: 0.72, saturation: 0.9 })
    .toColourspace("srgb")
    .png()
    .toBuffer();
  return sharp(
    await sharp(backdrop)
      .resize(side, side, { kernel: "cubic" })
      .blur(side / 96)
      .png({ compressionLevel: 0 })
      .toBuffer(),
  )
    .composite([{ input: picture, gravity: "centre" }])
    .removeAlpha()
    .toColourspace("srgb")
    .raw()
    .toBuffer();
}

function fitInto(width: number, height: number, side: number): { width: number; height: number; fit: "fill" } {
  const scale = side / Math.max(width, height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)), fit: "fill" };
}

/** The best JPEG that is small enough: first less quality that nobody sees, then fewer pixels, then less quality that one does. */
async function compress(pixels: Buffer, side: number, limits: CoverLimits): Promise<{ data: Buffer; pixels: number; quality: number }> {
  const encode = async (size: number, quality: number): Promise<Buffer> =>
    sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
      .resize(size, size)
      .jpeg({ quality, progressive: true })
      .toBuffer();
  for (const size of sizes(side, limits.minPixels)) {
    const qualities = size === limits.minPixels ? [...GOOD_QUALITIES, ...POOR_QUALITIES] : GOOD_QUALITIES;
    // The lowest quality tells at once whether this size can be brought under the limit.
    const smallest = await encode(size, qualities.at(-1)!);
    if (smallest.length > limits.maxBytes) continue;
    for (const quality of qualities) {
      const data = await encode(size, quality);
      if (data.length <= limits.maxBytes) return { data, pixels: size, quality };
    }
  }
  throw new Failure(
    "content.image",
    `the image can't be brought under ${kilobytes(limits.maxBytes)} at ${limits.minPixels}x${limits.minPixels}`,
  );
}

function sizes(side: number, least: number): number[] {
  const list = [side];
  while (list.at(-1)! > least) list.push(Math.max(least, Math.round(list.at(-1)! * SMALLER)));
  return list;
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1000)} kB`;
}

function explain(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const why = /exceeds pixel limit/i.test(message)
    ? `the image has more than ${MAX_INPUT_PIXELS / 1_000_000} million pixels`
    : "the image is damaged or does not open";
  return new Failure("content.image", why, { cause: error });
}
