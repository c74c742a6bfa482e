import type { TestContext } from "node:test";
import type { ApiRoute } from "../../src/contract/api-route.ts";
import type { authRoutes } from "../../src/contract/auth-api.ts";
import type { accountRoutes, requestRoutes } from "../../src/contract/backlink-api.ts";
import type { contentRoutes, mediaRoutes } from "../../src/contract/content-api.ts";
import type { workerApiRoutes } from "../../src/contract/worker-routes.ts";
import { sections } from "../../src/manager/api/sections.ts";
import { samples } from "./content/media-samples.ts";
import { withContent, type ApiAnswer, type As, type ContentScene } from "./content/support.ts";
import { given, validCalls, type ValidCall } from "./valid-calls.ts";

/** What holds of all routes alike is tested on all that stand in the tables: a new one is held to it by itself. */

export type RouteName = keyof (typeof authRoutes &
  typeof accountRoutes &
  typeof requestRoutes &
  typeof contentRoutes &
  typeof mediaRoutes &
  typeof workerApiRoutes);

export interface NamedRoute extends ApiRoute {
  name: RouteName;
  prefix: string;
  section: string;
}

/** All that the manager answers, in the order of its document. */
export const everyRoute: readonly NamedRoute[] = sections.flatMap(({ title, prefix, routes }) =>
  Object.entries<ApiRoute>(routes).map(([name, route]) => ({ ...route, name: name as RouteName, prefix, section: title })),
);

/** @returns the path at the host */
export function pathOf({ prefix, path }: NamedRoute, params: ValidCall["params"] = {}): string {
  return prefix + path.replaceAll(/:(\w+)/g, (_, name: string) => params[name] ?? "");
}

export interface Sent {
  as?: As;
  json?: unknown;
  /** Sent as it is. */
  body?: string | FormData;
}

export interface EveryRouteScene extends ContentScene {
  /** Somebody who is an owner too, and has nothing. */
  stranger: As;
  /** Who may call the route. */
  caller(route: NamedRoute): As;
  /** A valid call of the route; what it is about is `as`'s. */
  valid(route: NamedRoute, as?: As): Promise<ValidCall>;
  /** A call of the route. What is not said is as the valid call has it. */
  send(route: NamedRoute, call: ValidCall, sent?: Sent): Promise<ApiAnswer>;
}

export function withEveryRoute(name: string, run: (scene: EveryRouteScene, t: TestContext) => Promise<void>): void {
  withContent(name, async (scene, t) => run(await openScene(scene), t));
}

async function openScene(scene: ContentScene): Promise<EveryRouteScene> {
  const stranger = await scene.addUser("owner");
  for (const { email } of [scene.owner, stranger]) await scene.keeper.addCredits({ email, amount: 1_000_000 });
  const worker: As = { "x-api-key": scene.apiKey, "x-worker-id": "farm-1" };
  const caller: EveryRouteScene["caller"] = ({ needs }) => (needs === "open" ? {} : needs === "worker" ? worker : scene.owner.as);
  return {
    ...scene,
    stranger: stranger.as,
    caller,
    valid: async ({ name }, as = scene.owner.as) => validCalls[name](given(scene, as, worker)),
    async send(route, { params, query, body }, { as = caller(route), ...sent } = {}) {
      const search = new URLSearchParams(query).toString();
      const what = Object.keys(sent).length > 0 ? sent : route.file === "sent" ? { body: aFile() } : body ? { json: body } : {};
      return scene.api(route.method, pathOf(route, params).slice("/api/v1".length) + (search && `?${search}`), { as, ...what });
    },
  };
}

function aFile(): FormData {
  const form = new FormData();
  form.set("file", new Blob([samples.png]), "a.png");
  return form;
}
