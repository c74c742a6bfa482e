import { styleText } from "node:util";
import { UsageError } from "../../kit/config.ts";
import { checkFeed, type FeedReport } from "../../media/check-feed.ts";
import { harmless } from "../table.ts";
import { checkCover, checkDelivery, checkRecordings, mergeFindings, type Finding } from "./check-answers.ts";
import { fetchFeed, parseFeedOf, type FetchedFeed } from "./fetch-feed.ts";
import { countFindings, renderFindings } from "./report.ts";

export interface ValidateOptions {
  /** How many episodes' recordings are asked for, the newest first; "all", or a whole number. */
  media: string;
  json?: boolean;
}

const MAX_PAGES = 1000;

/** What directories and players would say to a feed, whoever made it. @param address http(s), or a file @returns 1 when something is an error */
export async function validateFeed(address: string, { media, json }: ValidateOptions): Promise<number> {
  const wanted = recordingsWanted(media);
  const first = await fetchFeed(address);
  const report = checkFeed(first.xml, first.url ? { url: first.url } : {});
  const pages = await readPages(first, report);
  const findings = [
    ...checkDelivery(first),
    ...mergeFindings(pages.flatMap((page) => page.findings)),
    ...(await checkFiles(first, report, wanted)),
  ];
  const { errors, warnings, hints, text } = countFindings(findings);
  const episodes = pages.reduce((sum, page) => sum + page.episodes, 0);
  const about = { address, url: first.url, title: report.title, episodes, pages: pages.length, bytes: first.bytes };
  if (json) process.stdout.write(`${JSON.stringify({ ...about, valid: errors === 0, errors, warnings, hints, findings })}\n`);
  else {
    const size = `${Math.max(1, Math.round(first.bytes / 1000)).toLocaleString("en")} kB`;
    const facts = [
      `${episodes.toLocaleString("en")} episodes`,
      ...(pages.length > 1 ? [`${pages.length.toLocaleString("en")} pages`] : []),
      ...(first.headers ? [`${size} in ${Math.round(first.tookMs)} ms`] : [size]),
    ];
    const head = styleText("bold", harmless(report.title || first.url || address));
    process.stdout.write(`${[`${head}: ${facts.join(", ")}`, renderFindings(findings), `${text}.`].filter(Boolean).join("\n")}\n`);
  }
  return errors > 0 ? 1 : 0;
}

/** @throws UsageError */
function recordingsWanted(media: string): number {
  if (media === "all") return Infinity;
  if (/^\d{1,6}$/.test(media)) return Number(media);
  throw new UsageError(`--media ${media} is neither a whole number nor "all" (for example --media 20).`);
}

/** Each page once. */
async function readPages(first: FetchedFeed, report: FeedReport): Promise<FeedReport[]> {
  const [reports, seen] = [[report], new Set([first.url])];
  for (let { older } = report; older !== null && !seen.has(older) && seen.size < MAX_PAGES;) {
    seen.add(older);
    const page = await fetchFeed(older);
    const next = checkFeed(page.xml, { url: page.url });
    reports.push(next);
    older = next.older;
  }
  return reports;
}

async function checkFiles(feed: FetchedFeed, report: FeedReport, wanted: number): Promise<Finding[]> {
  // What is no feed names no files.
  if (report.episodes === 0 && !report.valid) return [];
  const parsed = parseFeedOf(feed);
  return [...(await checkCover(parsed)), ...(await checkRecordings((parsed.items ?? []).slice(0, wanted)))];
}
