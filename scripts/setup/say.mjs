// @ts-check
/**
 * One line a thing, with its time. Everything goes to stderr: stdout belongs to results.
 *
 * @typedef {object} Say
 * @property {(title: string, what: string) => void} found
 * @property {(title: string, what: string, mend: string) => void} missing
 * @property {(title: string) => { well: (what: string) => void, badly: (why: string, mend: string) => void }} begin
 *
 * @param {{ write(text: string): unknown }} stream
 * @returns {Say}
 */
export function createSay(stream) {
  return {
    found: (title, what) => void stream.write(`set-up: ${title}: ${what}\n`),
    missing: (title, what, mend) => void stream.write(`set-up: ${title}: MISSING: ${what}\n        mend it: ${mend}\n`),
    begin(title) {
      const started = Date.now();
      const seconds = () => `${((Date.now() - started) / 1000).toFixed(1)} s`;
      stream.write(`set-up: ${title} … `);
      return {
        well: (what) => void stream.write(`${what} (${seconds()})\n`),
        badly: (why, mend) => void stream.write(`NOT DONE (${seconds()})\n        ${why}\n        mend it: ${mend}\n`),
      };
    },
  };
}

/** A failure with the command that mends it. */
export class Mendable extends Error {
  /** @param {string} message @param {string} mend */
  constructor(message, mend) {
    super(message);
    this.mend = mend;
  }
}
