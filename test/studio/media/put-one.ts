/** node put-one.ts <folder>: takes one upload in as the studio does and says its name when it is kept. Under strace the test sees in which order. */
import { mkdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { openDiskStore } from "../../../src/studio/media/disk.ts";
import { mediaName } from "../../../src/studio/media/names.ts";
import { receive } from "../../../src/studio/media/receive.ts";

const [folder = ""] = process.argv.slice(2);
mkdirSync(join(folder, "kept"));
const fromPath = join(folder, "arriving");
const sound = Buffer.concat([Buffer.from("ID3"), Buffer.alloc(100_000, 7)]);
const { sha256, bytes } = await receive(Readable.from([sound]), fromPath, "audio");
const name = mediaName(sha256, "mp3");
await openDiskStore(join(folder, "kept")).put({ name, fromPath, bytes, sha256 });
writeSync(1, `${name}\n`);
