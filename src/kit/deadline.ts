/** Thrown when a wait ends without its event; `what` is the reason that a person reads. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** A longer timer would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Waits for `work`, at most `ms`; `work` gets a signal that fires when the time is up. */
export async function withDeadline<T>(ms: number, what: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => {
      const error = new DeadlineError(`${what} took longer than ${(ms / 1000).toFixed(1)} s`);
      controller.abort(error);
      late.reject(error);
    },
    Math.min(ms, LONGEST_TIMER_MS),
  );
  try {
    return await Promise.race([work(controller.signal), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
