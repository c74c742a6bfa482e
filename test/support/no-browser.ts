import type { BrowserSettings } from "../../src/contract/task.ts";

/** For farms whose workers need none. */
export const noBrowser: BrowserSettings = {
  executablePath: null,
  headedExecutablePath: null,
  headed: false,
  sandbox: true,
  wsEndpoint: null,
  slowMoMs: 0,
  env: {},
  args: [],
};
