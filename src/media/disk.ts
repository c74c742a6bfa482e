import { Failure, isFullDisk } from "../contract/failures.ts";

const refusals: ReadonlySet<string | undefined> = new Set(["EACCES", "EPERM", "EIO"]);

/** What the operating system says of a full, read-only, forbidden or broken folder. */
export function isDiskError(thrown: unknown): thrown is Error {
  if (isFullDisk(thrown)) return true;
  const { code, syscall } = (thrown instanceof Error ? thrown : {}) as NodeJS.ErrnoException;
  // A firewall forbids in the same words.
  return refusals.has(code) && syscall !== "connect";
}

/** The same as a failure of the farm; anything else as it is. */
export function diskFailure(error: unknown): unknown {
  return isDiskError(error) ? new Failure("farm.disk", error.message, { cause: error }) : error;
}
