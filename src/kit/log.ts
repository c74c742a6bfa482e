import { styleText } from "node:util";
import winston from "winston";
import { redact } from "./redact.ts";

/** Fields that every line may carry, so that one task's way can be followed across parts. */
export interface LogFields {
  part?: string;
  task?: string;
  account?: string;
  site?: string;
  episode?: string;
  [field: string]: unknown;
}

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  child(fields: LogFields): Log;
}

export interface LogOptions {
  level: "debug" | "info" | "warn" | "error" | "silent";
  format: "json" | "pretty";
  /** Lines go to stderr by default: stdout belongs to results. */
  stream?: NodeJS.WritableStream;
}

const colours = { debug: "gray", info: "cyan", warn: "yellow", error: "red" } as const;

function pretty(info: winston.Logform.TransformableInfo): string {
  const { level, message, timestamp: _time, ...fields } = info;
  const extra = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
  const time = new Date().toISOString().slice(11, 19);
  const colour = colours[level as keyof typeof colours] ?? "white";
  return `${styleText("dim", time)} ${styleText(colour, level.padEnd(5))} ${String(message)}${extra ? ` ${styleText("dim", extra)}` : ""}`;
}

/** Redaction is the last step before the sink: no format or field can go around it. */
export function createLog(options: LogOptions): Log {
  const line = winston.format((info) => {
    const text = options.format === "json" ? JSON.stringify(info) : pretty(info);
    (info as Record<symbol, unknown>)[Symbol.for("message")] = redact(text);
    return info;
  });
  return winston.createLogger({
    level: options.level === "silent" ? "error" : options.level,
    silent: options.level === "silent",
    format: options.format === "json" ? winston.format.combine(winston.format.timestamp(), line()) : line(),
    transports: [new winston.transports.Stream({ stream: options.stream ?? process.stderr })],
  });
}
