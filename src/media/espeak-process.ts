/**
 * The built-in voice, run as a program of its own: eSpeak NG is under the GPL, so it stays behind a process border.
 *   node espeak-process.ts --language vi --voice "" --rate 165
 * Lines of text come on stdin; for each a WAV (22.05 kHz, 16 bit, mono) goes to stdout, a short silence for an empty one.
 * Exit: 0 done, 64 the language is unknown, 69 the engine is not installed.
 */
import { once } from "node:events";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { wavHead } from "./wav.ts";

interface Engine {
  /** 0: known. */
  set_voice(name: string): number;
  set_rate(wordsPerMinute: number): void;
  get_samplerate(): number;
  /** The callback's answer true would stop it. */
  synthesize(text: string, onSound: (samples: Int16Array | undefined) => boolean): void;
}

const PARAGRAPH_PAUSE_SECONDS = 0.45;
const exits = { unknownLanguage: 64, notInstalled: 69 };

async function loadEngine(): Promise<Engine> {
  // A variable, as the package has no types and may be absent.
  const name = "@echogarden/espeak-ng-emscripten";
  try {
    const { default: start } = (await import(name)) as { default: () => Promise<{ eSpeakNGWorker: new () => Engine }> };
    return new (await start()).eSpeakNGWorker();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    process.exit(exits.notInstalled);
  }
}

function speak(engine: Engine, line: string): Int16Array {
  if (line.trim() === "") return new Int16Array(Math.round(engine.get_samplerate() * PARAGRAPH_PAUSE_SECONDS));
  const parts: Int16Array[] = [];
  engine.synthesize(line, (samples) => {
    if (samples && samples.length > 0) parts.push(samples);
    return false;
  });
  const all = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const { values } = parseArgs({
  options: {
    language: { type: "string", default: "en" },
    voice: { type: "string", default: "" },
    rate: { type: "string", default: "165" },
  },
});
// The reader has gone: so does this process, without a word.
process.stdout.on("error", () => process.exit(1));
const engine = await loadEngine();
if (engine.set_voice(values.voice === "" ? values.language : `${values.language}+${values.voice}`) !== 0)
  process.exit(exits.unknownLanguage);
engine.set_rate(Number(values.rate));
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const samples = speak(engine, line);
  if (samples.length === 0) continue;
  process.stdout.write(wavHead(engine.get_samplerate(), samples.length));
  if (!process.stdout.write(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength))) await once(process.stdout, "drain");
}
