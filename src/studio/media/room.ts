import { isFullDisk } from "../../contract/failures.ts";
import type { StudioContext } from "../context.ts";
import { Refused } from "../refused.ts";

/** A full disk is the studio's fault, not the file's: its uploader is told to come again, its operator to make room. @throws Refused 507 */
export async function orNoRoom<T>({ log, uploadDir }: Pick<StudioContext, "log" | "uploadDir">, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isFullDisk(error)) throw error;
    log.error("an upload found no room on the disk", { folder: uploadDir, error: String(error) });
    throw new Refused(507, "noRoom");
  }
}
