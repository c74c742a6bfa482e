/**
 * node wal-writer.ts <folder> <count>: changes one file in place and flushes, as fast as it can. Under strace the test sees
 * what reaches the kernel.
 */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { watchWal } from "../../src/store/wal.ts";

const [folder = "", count = ""] = process.argv.slice(2);
mkdirSync(join(folder, "pg_wal"));
const segment = openSync(join(folder, "pg_wal", "segment"), "w");
const wal = watchWal(folder);
for (let i = 0; i < Number(count); i++) {
  writeSync(segment, "x", 0);
  await wal.flush();
}
closeSync(segment);
