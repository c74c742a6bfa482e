import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Failure } from "../contract/failures.ts";

/** What is asked of a voice. */
export interface SpeechRequest {
  /** As espeak spells it ("vi", "en-us"); other voices get the same. */
  language: string;
  /** A voice's own name; "" for its usual one. */
  voice: string;
  wordsPerMinute: number;
}

/** The engine and its version: part of the cache's key, since another voice sounds different. */
export const BUILT_IN_VOICE = "espeak-ng-emscripten 0.3.5";
const INSTALL = "npm install @echogarden/espeak-ng-emscripten@0.3.5";
/** Settings of ours that no narrator needs to see. */
const PRIVATE = ["PODCREW_KEY", "PODCREW_KEY_FILE", "API_KEY", "DATABASE_URL", "SMTP_URL", "TASK_TOKEN"];
const STDERR_CHARACTERS = 500;

/**
 * Reads lines of text aloud, as a stream of WAV files.
 * @param voiceCommand null: the built-in voice; an http(s) address: POST of the text, WAV as the answer; else a command
 *   line, run without a shell, with text on stdin and WAV on stdout. `{language}`, `{voice}` and `{rate}` are replaced.
 * @throws Failure farm.narration
 */
export function speak(
  lines: readonly string[],
  request: SpeechRequest,
  voiceCommand: string | null,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  if (voiceCommand === null)
    return runProgram(
      [
        process.execPath,
        builtInPath(),
        "--language",
        request.language,
        `--voice=${request.voice}`,
        "--rate",
        String(request.wordsPerMinute),
      ],
      lines,
      {},
      signal,
    );
  if (/^https?:\/\//i.test(voiceCommand)) return askEndpoint(voiceCommand, lines, request, signal);
  return runProgram(
    splitCommand(voiceCommand).map((part) => fill(part, request)),
    lines,
    process.env,
    signal,
  );
}

function builtInPath(): string {
  return fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./espeak-process.ts" : "./espeak-process.js", import.meta.url));
}

/** Words of a command line; quotes keep blanks together. */
export function splitCommand(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, bare]) => double ?? single ?? bare ?? "");
}

function fill(text: string, request: SpeechRequest): string {
  return text
    .replaceAll("{language}", request.language)
    .replaceAll("{voice}", request.voice)
    .replaceAll("{rate}", String(request.wordsPerMinute));
}

async function* runProgram(
  command: readonly string[],
  lines: readonly string[],
  inherited: NodeJS.ProcessEnv,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  signal.throwIfAborted();
  const [program = "", ...programArguments] = command;
  const env = Object.fromEntries(Object.entries(inherited).filter(([name]) => !PRIVATE.includes(name)));
  const child = spawn(program, programArguments, { env, stdio: ["pipe", "pipe", "pipe"] });
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  const end = (): void => void child.kill("SIGKILL");
  signal.addEventListener("abort", end, { once: true });
  let [said, started] = ["", true];
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-STDERR_CHARACTERS)));
  // A program that ends early closes its stdin; its exit code tells why.
  child.stdin.on("error", () => undefined);
  closed.catch(() => (started = false));
  child.stdin.end(`${lines.join("\n")}\n`);
  try {
    yield* child.stdout;
    const [code, killedBy] = await closed;
    signal.throwIfAborted();
    if (code !== 0) throw new Failure("farm.narration", explain(program, code, killedBy, said));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Failure) throw error;
    throw new Failure("farm.narration", `the voice "${program}" could not be run: ${(error as Error).message}`, { cause: error });
  } finally {
    signal.removeEventListener("abort", end);
    end();
    if (started) await closed.catch(() => undefined);
  }
}

function explain(program: string, code: number | null, killedBy: NodeJS.Signals | null, said: string): string {
  if (program === process.execPath && code === 69) return `the built-in voice is not installed; mend it with: ${INSTALL}`;
  if (program === process.execPath && code === 64) return "the built-in voice does not know the language or voice";
  const words = said.trim().split("\n").at(-1) ?? "";
  return `the voice "${program}" ended with ${killedBy ?? `exit code ${code}`}${words ? `: ${words}` : ""}`;
}

async function* askEndpoint(
  address: string,
  lines: readonly string[],
  request: SpeechRequest,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const url = address
    .replaceAll("{language}", encodeURIComponent(request.language))
    .replaceAll("{voice}", encodeURIComponent(request.voice))
    .replaceAll("{rate}", String(request.wordsPerMinute));
  const { host } = new URL(url);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "text/plain; charset=utf-8", accept: "audio/wav" },
      body: lines.join("\n"),
      signal,
    });
    if (!response.ok || !response.body) throw new Failure("farm.narration", `the voice at ${host} answered ${response.status}`);
    yield* response.body as unknown as AsyncIterable<Uint8Array>;
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof Failure ? error : new Failure("farm.narration", `the voice at ${host} does not answer`, { cause: error });
  }
}
