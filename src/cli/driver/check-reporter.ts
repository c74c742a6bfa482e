import type { TestEvent } from "node:test/reporters";
import { styleText } from "node:util";

type Cause = Error & { actual?: unknown; expected?: unknown; operator?: string };

/** What the test runner tells, as a person reads it: a line a promise, and under a broken one what was seen. */
export default async function* reporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const count = { kept: 0, broken: 0, skipped: 0 };
  for await (const event of events) {
    if (event.type === "test:start" && event.data.nesting === 0) yield `${styleText("bold", event.data.name)}\n`;
    if (event.type !== "test:pass" && event.type !== "test:fail") continue;
    const { data } = event;
    const cause = event.type === "test:fail" ? (event.data.details.error.cause as Cause | undefined) : undefined;
    // A suite fails with its tests; what fails outside of them (a target that does not start) is only told here.
    if (
      data.details.type === "suite" &&
      !(event.type === "test:fail" && !/subtests? failed/.test(String(cause ?? event.data.details.error.message)))
    )
      continue;
    const seconds = styleText("dim", `${(data.details.duration_ms / 1000).toFixed(1)} s`);
    if (event.type === "test:fail") {
      count.broken += 1;
      yield `  ${styleText("red", "✗")} ${data.name}  ${seconds}\n${say(cause ?? event.data.details.error).replaceAll(/^(?=.)/gm, "      ")}\n`;
    } else if (data.skip !== undefined) {
      count.skipped += 1;
      yield `  ${styleText("yellow", "-")} ${data.name}  ${styleText("dim", `skipped${typeof data.skip === "string" ? `: ${data.skip}` : ""}`)}\n`;
    } else {
      count.kept += 1;
      yield `  ${styleText("green", "✓")} ${data.name}  ${seconds}\n`;
    }
  }
  const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : "";
  yield `${count.kept} promises kept, ${styleText(count.broken > 0 ? "red" : "green", `${count.broken} broken`)}${skipped}\n`;
}

const plain = (value: unknown): string => (typeof value === "string" ? JSON.stringify(value) : JSON.stringify(value)) ?? String(value);

/** The sentence, and where it compares, both sides. */
function say(cause: Cause | string): string {
  if (typeof cause === "string") return cause;
  const compares = cause.operator !== undefined && cause.operator !== "==" && !/^Expected |^The expression/.test(cause.message);
  if (!compares) return cause.message;
  const [first = "", ...rest] = cause.message.split("\n");
  return [`${first}: ${plain(cause.actual)}, expected ${plain(cause.expected)}`, ...rest].join("\n");
}
