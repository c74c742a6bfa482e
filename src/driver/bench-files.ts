import { createHash, randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Driver, Episode } from "./contract.ts";

/** One frame of MPEG-1 layer III, mono, 128 kbit/s, 44.1 kHz, that holds silence: a header and nothing in it. */
const FRAME = Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0xc4]), Buffer.alloc(413)]);
const FRAME_SECONDS = 1152 / 44_100;
const SECONDS = 5;
/** Longer, so that it is told apart from the first. */
const MENDED_SECONDS = 8;

const title = "Cà phê sữa đá & chuyện phố cổ: “Đêm Hội An”";
/** A query with an ampersand: half of all editors escape it twice. */
export const BENCH_LINK = "https://example.com/hoi-an?a=1&b=2";
const aboutHtml = `<p>Một tối ở <strong>Hội An</strong>, đèn lồng và tiếng rao.</p><p>Nghe thêm: <a href="${BENCH_LINK.replace("&", "&amp;")}">trang của chúng tôi</a></p><ul><li>phở</li><li>bánh mì</li></ul>`;

/** Seconds of silence, and a cover of one colour. @param edge the cover's, px */
export async function makeBenchFiles(
  folder: string,
  name: string,
  edge: number,
): Promise<{ audioPath: string; coverPath: string; audioSeconds: number }> {
  const coverPath = join(folder, `${name}.jpg`);
  // Loaded here, so that a farm that imports drivers carries no image library in each of its threads.
  const { default: sharp } = await import("sharp");
  await sharp({ create: { width: edge, height: edge, channels: 3, background: "#1f7a6d" } })
    .jpeg()
    .toFile(coverPath);
  return { ...(await makeRecording(folder, name, SECONDS)), coverPath };
}

/** As the farm does it: the name begins with the marker, and another recording has another one. */
async function makeRecording(folder: string, name: string, seconds: number): Promise<{ audioPath: string; audioSeconds: number }> {
  const frames = Math.ceil(seconds / FRAME_SECONDS);
  const bytes = Buffer.concat(Array.from({ length: frames }, () => FRAME));
  const audioPath = join(folder, `${name}-${createHash("sha256").update(bytes).digest("hex").slice(0, 8)}.mp3`);
  await writeFile(audioPath, bytes);
  return { audioPath, audioSeconds: frames * FRAME_SECONDS };
}

/** The same episode with another recording, as when its owner mends it between two tries. */
export async function mend(episode: Episode, folder: string): Promise<Episode> {
  return { ...episode, ...(await makeRecording(folder, episode.marker, MENDED_SECONDS)) };
}

/** An episode with real files, new each time: Vietnamese, a link and a list, a marker of its own. */
export async function makeBenchEpisode(driver: Pick<Driver, "limits">, folder: string): Promise<Episode> {
  const id = randomUUID();
  const marker = `ep-${base32(createHash("sha256").update(id).digest().subarray(0, 10))}`;
  const files = await makeBenchFiles(folder, marker, driver.limits.cover.minPixels);
  const aboutText = aboutHtml
    .replace(/<\/(p|li)>/g, " ")
    .replace(/<[^>]*>/g, "")
    .replace(/\s+/g, " ")
    .trim();
  return {
    id,
    title: `${title} ${id.slice(0, 4)}`,
    aboutHtml,
    aboutText,
    ...files,
    language: "vi",
    narrated: false,
    marker,
  };
}

function base32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  return (bits.match(/.{5}/g) ?? []).map((five) => "abcdefghijklmnopqrstuvwxyz234567"[Number.parseInt(five, 2)]).join("");
}
