import type { z } from "zod";

/** Something that is wrong with what the API was sent. */
export interface Problem {
  /** "description.title"; "" for the whole. */
  path: string;
  /** In English, as all of the API: "is empty". */
  message: string;
}

/** The API says no. `problems` are all that is wrong with the call at once. */
export class Rejected extends Error {
  override readonly name = "Rejected";
  readonly status: 400 | 401 | 403 | 404;
  readonly problems: readonly Problem[];

  constructor(status: Rejected["status"], message: string, problems: readonly Problem[] = []) {
    super(message);
    this.status = status;
    this.problems = problems;
  }
}

/** @throws Rejected 400 where there are any */
export function refuseProblems(problems: readonly Problem[], what: string): void {
  if (problems.length === 0) return;
  const [first] = problems;
  const more = problems.length === 1 ? "" : ` (and ${problems.length - 1} more)`;
  throw new Rejected(400, `${what}: ${first?.path ? `${first.path} ` : ""}${first?.message}${more}`, problems);
}

export function problemsOf(error: z.ZodError): Problem[] {
  return error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
}
