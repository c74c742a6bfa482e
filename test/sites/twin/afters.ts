import type { TestContext } from "node:test";

/** What a test's `after` is to helpers, for those who have no test: runs in order, also what is added meanwhile. */
export interface Afters extends Pick<TestContext, "after"> {
  run(): Promise<void>;
}

export function createAfters(): Afters {
  const hooks: (() => unknown)[] = [];
  return {
    after: (hook) => void (hook && hooks.push(hook as () => unknown)),
    async run() {
      for (let hook = hooks.shift(); hook; hook = hooks.shift()) await hook();
    },
  };
}
