import type { z } from "zod";
import type { Production } from "../../contract/podops-api.ts";
import type { EpisodeResource, showInput } from "../../contract/podops-resource.ts";
import { UsageError, type Config } from "../../kit/config.ts";
import type { PodopsClient } from "../../kit/podops-client.ts";
import { harmless, styled, table } from "../table.ts";
import { counted } from "../progress.ts";
import { askStudio, refusedWith } from "./studio-client.ts";

export interface CreateOptions {
  title?: string;
  summary?: string;
  language?: string;
  author?: string;
  email?: string;
  category?: string[];
  explicit?: boolean;
  serial?: boolean;
  cover?: string;
  as?: string;
  json?: boolean;
}

/** A production and its show. One that is there already stays as it is; only what was said anew is changed. */
export async function createShow(config: Config, name: string, options: CreateOptions): Promise<number> {
  const { studio, url } = await askStudio(config, options.as);
  const { guid } = await studio.createProduction({ body: { name, ...(options.title && { title: options.title }) } });
  const cover = options.cover === undefined ? null : await studio.upload(name, { path: options.cover });
  const body = await showBody(studio, name, options, { cover: cover?.name ?? null, ownPage: `${url}/s/${name}` });
  await studio.createResource({ params: { prod: name, kind: "show", id: guid }, query: { f: "true" }, body });
  const answer = { guid, name, feed: `${url}/feeds/${name}.xml`, page: `${url}/s/${name}` };
  if (options.json) process.stdout.write(`${JSON.stringify(answer)}\n`);
  else process.stdout.write(`${name} is there: ${answer.page}\nIts feed: ${answer.feed}\n`);
  return 0;
}

async function showBody(
  studio: PodopsClient,
  name: string,
  options: CreateOptions,
  { cover, ownPage }: { cover: string | null; ownPage: string },
): Promise<z.input<typeof showInput>> {
  const there = await showOf(studio, name);
  const { title, summary, author, email, category, language, explicit, serial } = options;
  // A show is written whole: what was not said anew is said as it is.
  const said = {
    ...there?.description,
    // The studio's own page is answered where none was set; sent back it would be pinned.
    ...(there?.description.link.uri === ownPage && { link: undefined }),
    title: title ?? there?.description.title ?? name,
    summary: summary ?? there?.description.summary ?? "",
    ...(category && { category: category.map((one) => ({ name: one })) }),
    ...(author !== undefined && { author }),
    ...(email !== undefined && { owner: { name: author ?? there?.description.owner.name ?? "", email } }),
  };
  const labels = {
    ...there?.metadata.labels,
    ...(language !== undefined && { language }),
    ...(explicit !== undefined && { explicit: "true" as const }),
    ...(serial !== undefined && { type: "serial" as const }),
  };
  const image = cover === null ? there?.image && { uri: there.image.guid } : { uri: cover };
  return { kind: "show", metadata: { ...there?.metadata, name, labels }, description: said, ...(image && { image }) };
}

async function showOf(studio: PodopsClient, prod: string) {
  const { resources } = await studio.listResources({ params: { prod, kind: "show" } });
  return resources.find((one) => one.kind === "show") ?? null;
}

/** All shows, with what is out and what is not. */
export async function listShows(config: Config, { as, json }: { as?: string; json?: boolean }): Promise<number> {
  const { studio, url } = await askStudio(config, as);
  const { productions } = await studio.listProductions();
  const shows = await Promise.all(
    productions.map(async (one) => ({ ...one, feed: `${url}/feeds/${one.name}.xml`, episodes: await episodeStates(studio, one) })),
  );
  if (json) process.stdout.write(`${JSON.stringify(shows)}\n`);
  else {
    const rows = shows.map(({ name, title, latest_publish_date, episodes, feed }) => [
      name,
      title,
      counted(episodes) || styled("dim", "no episodes"),
      latest_publish_date === 0 ? styled("dim", "never") : new Date(latest_publish_date * 1000).toISOString().slice(0, 10),
      feed,
    ]);
    process.stdout.write(`${table([["NAME", "TITLE", "EPISODES", "LATEST", "FEED"], ...rows])}\n`);
  }
  return 0;
}

async function episodeStates(studio: PodopsClient, { guid }: Production): Promise<Partial<Record<EpisodeResource["state"], number>>> {
  const { resources } = await studio.listResources({ params: { prod: guid, kind: "episode" } });
  const states: Partial<Record<EpisodeResource["state"], number>> = {};
  for (const one of resources) if (one.kind === "episode") states[one.state] = (states[one.state] ?? 0) + 1;
  return states;
}

/** Publishes what is due and writes the feed; with `check` it only says whether it would. @returns 1 when something keeps it from that */
export async function buildShow(
  config: Config,
  name: string,
  { as, check, json }: { as?: string; check?: boolean; json?: boolean },
): Promise<number> {
  const { studio } = await askStudio(config, as);
  try {
    const built = await studio.build({ body: { guid: name }, ...(check && { query: { v: "true" } }) });
    if (json) process.stdout.write(`${JSON.stringify(built)}\n`);
    else if ("feed" in built) process.stdout.write(`${harmless(name)} is built: ${built.feed}\n`);
    else process.stdout.write(`${harmless(name)} can be built.\n`);
    return 0;
  } catch (error) {
    if (refusedWith(error) !== 400 || !(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}
