import { randomBytes } from "node:crypto";
import { UsageError } from "../kit/config.ts";

const MAX_CHARACTERS = 1000;
/** So long nobody has to be told what is waited for. */
const QUIET_MS = 3000;

/**
 * The password that is piped in, so that no list of processes, no shell's history and no log of npm has it; in a terminal, or where
 * nothing comes, a new one.
 * @param newBytes how many of chance a new one has
 * @throws UsageError when more than one line comes
 */
export async function givenPassword(newBytes: number, stdin = process.stdin): Promise<{ password: string; isNew: boolean }> {
  const given = stdin.isTTY ? "" : await firstLine(stdin);
  return given ? { password: given, isNew: false } : { password: randomBytes(newBytes).toString("base64url"), isNew: true };
}

async function firstLine(stdin: NodeJS.ReadStream): Promise<string> {
  const hint = setTimeout(
    () => process.stderr.write("The password is read from stdin until that ends; for a new one: < /dev/null\n"),
    QUIET_MS,
  );
  let given = "";
  for await (const piece of stdin.setEncoding("utf8")) {
    given += piece as string;
    if (given.length > MAX_CHARACTERS + 2) break;
  }
  clearTimeout(hint);
  const line = given.trim();
  if (line.length > MAX_CHARACTERS || /[\r\n]/.test(line))
    throw new UsageError(`A password is one line of at most ${MAX_CHARACTERS} characters; more came in on stdin.`);
  return line;
}
