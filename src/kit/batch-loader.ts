const MAX_BATCH = 50;
const MAX_LANES = 4;

interface Waiting<Asked, Found> {
  asked: Asked;
  answer: PromiseWithResolvers<Found>;
}

/**
 * Lookups that come while one runs wait for it and then go together: one query where there would be fifty when there is much to do, and no
 * wait when there is little. What a caller gets was looked up after it asked, never before.
 * @param load what was found for each, in the order asked; when it rejects, all of them do
 */
export function createBatchLoader<Asked, Found>(
  load: (asked: readonly Asked[]) => Promise<readonly Found[]>,
): (asked: Asked) => Promise<Found> {
  const waiting: Waiting<Asked, Found>[] = [];
  let lanes = 0;

  async function work(): Promise<void> {
    while (waiting.length > 0) await answerAll(waiting.splice(0, MAX_BATCH));
    lanes -= 1;
  }

  async function answerAll(batch: readonly Waiting<Asked, Found>[]): Promise<void> {
    try {
      const found = await load(batch.map(({ asked }) => asked));
      if (found.length !== batch.length) throw new Error(`${batch.length} lookups had ${found.length} answers`);
      batch.forEach(({ answer }, index) => answer.resolve(found[index] as Found));
    } catch (error) {
      for (const { answer } of batch) answer.reject(error);
    }
  }

  return async (asked) => {
    const answer = Promise.withResolvers<Found>();
    waiting.push({ asked, answer });
    // A further lane only for a full batch: half-full ones would cost more, and a lookup that takes long holds up no more than a batch.
    if (lanes === 0 || (waiting.length >= MAX_BATCH && lanes < MAX_LANES)) {
      lanes += 1;
      // Not before everything is read that has arrived with it.
      setImmediate(() => void work());
    }
    return answer.promise;
  };
}
