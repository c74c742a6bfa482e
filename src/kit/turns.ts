/** So many at a time, in the order in which they came. @returns waits for a turn, and gives what ends it; ended twice does no harm */
export function createTurns(most: number): () => Promise<() => void> {
  let running = 0;
  const waiting: (() => void)[] = [];

  return async () => {
    if (running < most) running += 1;
    else {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push(resolve);
      await promise;
    }
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      // The turn goes to the next one, or is given back.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    };
  };
}
