import type { MessagePort } from "node:worker_threads";
import { createBirpc } from "birpc";
import { z } from "zod";
import { nextEpisode, type CoordinatorCalls, type WorkerCalls } from "../contract/task.ts";

/** `next` waits until an episode's files are ready, and a long text takes its time to be narrated. */
const ANSWER_WITHIN_MS = 30 * 60_000;

const word = <Shape extends z.ZodRawShape>(shape: Shape) => z.object({ ...shape, why: z.string() });
const answers = {
  looked: word({ go: z.boolean() }),
  arm: word({ armed: z.boolean() }),
  gate: word({ pass: z.boolean() }),
  maySubmitCredentials: word({ allowed: z.boolean() }),
  mayOpenMailbox: word({ allowed: z.boolean() }),
};

export interface CoordinatorPort {
  calls: CoordinatorCalls;
  close(): void;
}

/** The coordinator as the other end of a port. Its answers are checked on arrival. */
export function connectCoordinator(port: MessagePort, own: Omit<WorkerCalls, "ping">): CoordinatorPort {
  const rpc = createBirpc<CoordinatorCalls, WorkerCalls>(
    { ...own, ping: () => undefined },
    {
      post: (data: unknown) => port.postMessage(data),
      on: (listener) => void port.on("message", listener),
      off: (listener) => void port.off("message", listener),
      timeout: ANSWER_WITHIN_MS,
    },
  );
  return {
    calls: {
      next: async () => nextEpisode.parse(await rpc.next()),
      looked: async (...seen) => answers.looked.parse(await rpc.looked(...seen)),
      drafted: async (ref, draftId) => rpc.drafted(ref, draftId),
      discarded: async (episodeId, draftId) => rpc.discarded(episodeId, draftId),
      arm: async (ref) => answers.arm.parse(await rpc.arm(ref)),
      gate: async (ref) => answers.gate.parse(await rpc.gate(ref)),
      sent: async (ref, outcome) => rpc.sent(ref, outcome),
      episodeFailed: async (ref, failure) => rpc.episodeFailed(ref, failure),
      maySubmitCredentials: async () => answers.maySubmitCredentials.parse(await rpc.maySubmitCredentials()),
      credentialsJudged: async (verdict) => rpc.credentialsJudged(verdict),
      takeTotpStep: async (seedHash, step) => z.boolean().parse(await rpc.takeTotpStep(seedHash, step)),
      takeMailedCode: async (codeHash) => z.boolean().parse(await rpc.takeMailedCode(codeHash)),
      mayOpenMailbox: async (whose) => answers.mayOpenMailbox.parse(await rpc.mayOpenMailbox(whose)),
      mailboxRefused: async (needed, whose) => rpc.mailboxRefused(needed, whose),
      sessionChecked: async (known) => rpc.sessionChecked(known),
      saveSession: async (state, cookie, how) => rpc.saveSession(state, cookie, how),
      feed: async (linkRss) => rpc.feed(linkRss),
      step: (name, detail) => void rpc.step.asEvent(name, detail),
    },
    close: () => {
      rpc.$close();
      port.close();
    },
  };
}
