import type { FastifyRequest, HTTPMethods } from "fastify";
import { isUuid } from "../kit/uuid.ts";
import type { Caller } from "./caller.ts";
import { ApiError } from "./errors.ts";
import type { WorkerAction } from "./history.ts";

export type WorkerRequest = FastifyRequest<{ Querystring: Record<string, string | string[] | undefined> }>;

/** One call of the worker API. */
export interface WorkerRoute {
  method: HTTPMethods;
  url: string;
  action: WorkerAction;
  answer(request: WorkerRequest, caller: Caller): Promise<object>;
}

/** @returns null for what can't be the id of anything */
export function taskIdOf(request: FastifyRequest): string | null {
  const { id } = (request.params ?? {}) as { id?: string };
  return id && isUuid(id) ? id : null;
}

/** @throws ApiError task_not_found */
export function idOf(request: FastifyRequest): string {
  const id = taskIdOf(request);
  if (id === null) throw new ApiError("task_not_found");
  return id;
}
