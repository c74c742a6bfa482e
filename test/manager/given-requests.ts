import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { z } from "zod";
import type { link, request, ServiceType } from "../../src/contract/backlink-api.ts";
import type { WorkerTask } from "../../src/contract/worker-api.ts";
import type { OwnerScene } from "./backlink-support.ts";
import { link as posted, type TestFarm } from "./support.ts";

export type ShownRequest = z.output<typeof request>;
export type ShownLink = z.output<typeof link>;

/** Adds credits to the owner's. */
export async function fund({ manager, owner }: OwnerScene, amount: number): Promise<void> {
  await manager.addCredits({ email: owner.email, amount });
}

/** What the owner has left. */
export async function balance({ manager, owner }: OwnerScene): Promise<number> {
  const response = await fetch(`${manager.url}/api/v1/auth/me`, { headers: { authorization: `Bearer ${owner.token}` } });
  return ((await response.json()) as { credits: number }).credits;
}

/** A group with an account on each of the sites, in this order; one site may come several times. @returns its id */
export async function groupOn(scene: OwnerScene, sites: readonly string[], type: ServiceType = "podcast"): Promise<string> {
  const accounts = sites.map((website, index) => ({ website, username: `user-${index + 1}`, password: "demo-password" }));
  const answer = await scene.api("POST", "/groups", { json: { name: "Tea", service_type: type, accounts } });
  assert.equal(answer.status, 201, answer.text);
  return answer.body.group.id as string;
}

export const episodes = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ title: `Episode ${index + 1}`, about: `<p>${index + 1}</p>` }));

/** Ordered, not started. Two episodes for two units of 50 unless said otherwise. */
export async function order(scene: OwnerScene, body: Record<string, unknown> = {}, type: ServiceType = "podcast"): Promise<ShownRequest> {
  const json = { name: "Campaign", auction_price: 50, target: 2, data: { episodes: episodes(2) }, ...body };
  return scene.ask("createRequest", { params: { type }, json });
}

export async function read(
  scene: OwnerScene,
  { id, service_type: type }: Pick<ShownRequest, "id" | "service_type">,
): Promise<ShownRequest> {
  return scene.ask("readRequest", { params: { type, id } });
}

type Act = "start" | "stop" | "restart";

export async function act(scene: OwnerScene, { id, service_type: type }: Pick<ShownRequest, "id" | "service_type">, what: Act) {
  return scene.api("POST", `/${type}/${id}/${what}`);
}

/** Ordered and started. */
export async function running(scene: OwnerScene, body: Record<string, unknown>, type: ServiceType = "podcast"): Promise<ShownRequest> {
  const made = await order(scene, body, type);
  const answer = await act(scene, made, "start");
  assert.equal(answer.status, 200, answer.text);
  return answer.body as ShownRequest;
}

export async function linksOf(
  scene: OwnerScene,
  { id, service_type: type }: Pick<ShownRequest, "id" | "service_type">,
): Promise<ShownLink[]> {
  const { data } = await scene.ask("listLinks", { params: { type, id }, query: { limit: 100, order: "asc" } });
  return data;
}

/** Pulls what there is and starts it. */
export async function begin(farm: TestFarm): Promise<WorkerTask[]> {
  const tasks = await farm.pull("?limit=1000");
  for (const { id } of tasks) assert.equal((await farm.start(id)).status, 200);
  return tasks;
}

export async function complete(farm: TestFarm, id: string): Promise<void> {
  const answer = await farm.complete(id, { link_post: `${posted}?${id}` });
  assert.equal(answer.status, 200, answer.text);
}

/** For good: no other try follows. */
export async function failForGood(farm: TestFarm, id: string): Promise<void> {
  const answer = await farm.fail(id, { error_message: `the account is closed (${randomUUID()})`, retry: false });
  assert.equal(answer.status, 200, answer.text);
}
