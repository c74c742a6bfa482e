import { inspect, styleText } from "node:util";
import winston from "winston";
import { redact } from "./redact.ts";

/** Fields that every line may carry, so that one task's way can be followed across parts. */
export interface LogFields {
  part?: string;
  task?: string;
  account?: string;
  site?: string;
  episode?: string;
  /** Anything: errors are written with their stack and causes. */
  [field: string]: unknown;
}

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose lines all carry `fields`. */
  child(fields: LogFields): Log;
}

export interface LogOptions {
  level: "debug" | "info" | "warn" | "error" | "silent";
  format: "json" | "pretty";
  /** Lines go to stderr by default: stdout belongs to results. */
  stream?: NodeJS.WritableStream;
}

const colours = { debug: "gray", info: "cyan", warn: "yellow", error: "red" } as const;

/** A line that is longer is cut: a whole page in a log helps nobody. */
const MAX_LINE_CHARACTERS = 32_000;
const MAX_DEPTH = 8;

/** Redaction is the last step before the sink: no format or field can go around it. */
export function createLog(options: LogOptions): Log {
  const write = options.format === "json" ? jsonLine : prettyLine;
  const line = winston.format((info) => {
    (info as Record<symbol, unknown>)[Symbol.for("message")] = cut(redact(write(info)));
    return info;
  });
  const logger = winston.createLogger({
    level: options.level === "silent" ? "error" : options.level,
    silent: options.level === "silent",
    format: line(),
    transports: [new winston.transports.Stream({ stream: options.stream ?? process.stderr })],
  });
  return withFields(logger, {});
}

/** Fields travel in one object of their own: winston would glue a field named `message` to the message and lose one named `level`. */
function withFields(logger: winston.Logger, own: LogFields): Log {
  const at = (level: keyof typeof colours) => (message: string, fields?: LogFields) => {
    // Otherwise it writes the line first, and asks afterwards whether anybody wants it.
    if (logger.isLevelEnabled(level)) logger.log({ level, message, fields: { ...own, ...fields } });
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => withFields(logger, { ...own, ...fields }),
  };
}

const reserved = new Set(["timestamp", "level", "message"]);

function jsonLine({ level, message, fields }: winston.Logform.TransformableInfo): string {
  const own = Object.entries(fields as LogFields).map(([name, value]) => [reserved.has(name) ? `${name}_` : name, value] as const);
  return JSON.stringify(toPlain({ timestamp: new Date().toISOString(), level, message, ...Object.fromEntries(own) }));
}

const UUID = /^([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** For eyes: the part as a column, ids cut to what tells them apart. Whoever searches for a whole id reads the JSON form. */
function prettyLine({ level, message, fields }: winston.Logform.TransformableInfo): string {
  const { part, ...others } = fields as LogFields;
  const extra = Object.entries(others)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const plain = toPlain(value);
      return `${name}=${typeof plain === "string" ? plain.replace(UUID, "$1…") : JSON.stringify(plain)}`;
    })
    .join(" ");
  const time = new Date().toISOString().slice(11, 19);
  const head = `${styleText("dim", time)} ${styleText(colours[level as keyof typeof colours], level.padEnd(5))} ${styleText("dim", (part ?? "").padEnd(7))}`;
  return `${head} ${String(message)}${extra ? `  ${styleText("dim", extra)}` : ""}`;
}

/**
 * Anything as what JSON can hold: errors as text, big integers as digits, a circle or an unwilling object as a word instead
 * of a crash. Texts and names are redacted here, before JSON escapes them: a secret in some other encoding would change its
 * face by that.
 */
function toPlain(value: unknown, parents: readonly unknown[] = []): unknown {
  if (typeof value === "string") return redact(value);
  if (typeof value === "bigint" || typeof value === "symbol" || typeof value === "function") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return redact(textOfError(value));
  if (parents.includes(value)) return "[circle]";
  if (parents.length >= MAX_DEPTH) return "[deeper]";
  const line = [...parents, value];
  try {
    if (typeof (value as { toJSON?: unknown }).toJSON === "function") return toPlain((value as { toJSON(): unknown }).toJSON(), line);
    if (Array.isArray(value) || value instanceof Set) return [...value].map((inner) => toPlain(inner, line));
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    return Object.fromEntries(entries.map(([name, inner]) => [redact(String(name)), toPlain(inner, line)]));
  } catch (error) {
    return `[not shown: ${redact(String(error))}]`;
  }
}

function textOfError(error: Error, depth = 0): string {
  const own = error.stack ?? `${error.name}: ${error.message}`;
  if (error.cause === undefined || depth >= MAX_DEPTH) return own;
  return `${own}\ncaused by: ${error.cause instanceof Error ? textOfError(error.cause, depth + 1) : inspect(error.cause)}`;
}

function cut(line: string): string {
  return line.length > MAX_LINE_CHARACTERS
    ? `${line.slice(0, MAX_LINE_CHARACTERS)}… (${line.length - MAX_LINE_CHARACTERS} more characters)`
    : line;
}
