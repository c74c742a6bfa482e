import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Shows } from "./shows.ts";

/** Live. */
export interface LostAnswers {
  /** How many of the next publish requests are handled and get no answer: their connection is cut. */
  next: number;
}

/** Before the routes it is meant for. */
export function addLostAnswers(app: FastifyInstance, shows: Shows): LostAnswers {
  const lost: LostAnswers = { next: 0 };
  const before = new WeakMap<FastifyRequest, number>();
  app.addHook("onRequest", async (request) => void before.set(request, shows.history().length));
  app.addHook("onSend", async (request) => {
    if (lost.next === 0 || shows.history().length === before.get(request)) return;
    lost.next -= 1;
    request.raw.socket.destroy();
  });
  return lost;
}
