import { Failure } from "../contract/failures.ts";

const diskErrors = new Set(["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EIO"]);

/** What the operating system says of a full or read-only folder, as a failure of the farm; anything else as it is. */
export function diskFailure(error: unknown): unknown {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  if (error instanceof Failure || code === undefined || !diskErrors.has(code)) return error;
  return new Failure("farm.disk", (error as Error).message, { cause: error });
}
