/** What a process that runs test files tells the one that reports. Plain data: errors are text already. */
export type TestMessage =
  | { kind: "begin"; file: string; name: string }
  | { kind: "result"; file: string; name: string; outcome: "passed" | "failed" | "skipped"; ms: number; detail: string }
  | { kind: "end" }
  /** Sent when the tests are over and the process does not end by itself. */
  | { kind: "lingering"; holds: string[] };
