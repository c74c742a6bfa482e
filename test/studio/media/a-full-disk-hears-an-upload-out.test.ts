import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { Readable } from "node:stream";
import { test } from "node:test";
import { receive } from "../../../src/studio/media/receive.ts";
import { orNoRoom } from "../../../src/studio/media/room.ts";
import { silentLog } from "../../support/store.ts";
import { wav } from "../support.ts";

/** Takes every write with ENOSPC. */
const noFullDisk = existsSync("/dev/full") ? false : "this machine has no /dev/full";

test("an upload that finds no room is read to its end, and then told so", { skip: noFullDisk }, async () => {
  const recording = wav(5);
  let heard = 0;
  const uploader = function* (): Generator<Buffer> {
    for (let at = 0; at < recording.length; at = heard) {
      const chunk = recording.subarray(at, at + 4096);
      heard += chunk.length;
      yield chunk;
    }
  };
  const errors: string[] = [];
  const log = { ...silentLog, error: (text: string) => void errors.push(text) };
  await assert.rejects(
    orNoRoom({ log, uploadDir: "/dev" }, async () => receive(Readable.from(uploader()), "/dev/full", "audio")),
    { name: "Refused", status: 507, text: "noRoom" },
  );
  assert.equal(heard, recording.length, "its uploader is still there to hear the answer");
  assert.equal(errors.length, 1);
});
