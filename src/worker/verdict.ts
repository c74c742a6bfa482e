import type { SendOutcome, SiteCopy } from "../contract/task.ts";
import type { GateReport } from "./gate.ts";

/**
 * What the evidence says about the irreversible request. "unsent" is only said where a repeat is surely harmless;
 * everything that is not sure is "unknown" and leads to a look, never to a second click.
 */
export type Verdict = {
  outcome: SendOutcome;
  /** The site refused what was in the request and said why; the next episode may do better. */
  refusal?: string;
  /** The site no longer knows us. */
  signedOut?: boolean;
};

/** Errors of a request that never got as far as a connection. On one that stood, the same words come from a read: then the site may have it. */
const nothingLeft =
  /\bconnect (ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)\b|\bgetaddrinfo (ENOTFOUND|EAI_AGAIN)\b|ERR_(CONNECTION_REFUSED|NAME_NOT_RESOLVED)\b/;

/**
 * An explicit 4xx is the site's own word that it did not do it, given after it had read the request. Not so: 408 and 425
 * (it may be working on it), 409 (mostly "it is published already"), 429 (written by a proxy that may have passed it on).
 */
const ambiguous4xx = new Set([408, 409, 425, 429]);
const contentRefusals = new Set([400, 413, 415, 422]);

/**
 * @param report `leaked`: requests that could have changed something without passing the gate
 * @param copy what `publish` returned, null when it failed or returned nothing; `thrown`: why it failed
 */
export function judge(report: GateReport, copy: SiteCopy | null, thrown: string, signInPage: RegExp): Verdict {
  const { seen, sent, closed, answer, error } = report;
  if (seen === 0) {
    if (thrown && report.leaked === 0) return { outcome: { kind: "unsent", why: `no request left the page: ${thrown}` } };
    // Something that does not match may have published all the same.
    const unmatched = "the publish request never passed the gate: publishRequest does not match";
    return { outcome: { kind: "unknown", why: thrown ? `${unmatched}, or the click failed (${thrown})` : unmatched } };
  }
  if (!sent) return { outcome: { kind: "unsent", why: `the gate was shut: ${closed}` } };
  if (!answer)
    return {
      outcome: nothingLeft.test(error)
        ? { kind: "unsent", why: firstLine(error) }
        : { kind: "unknown", why: `no answer to the publish request: ${firstLine(error)}` },
    };

  const { httpStatus, location, message } = answer;
  const answered = `the site answered ${httpStatus}${message ? `: ${message}` : ""}`;
  if (httpStatus === 401 || (location && signInPage.test(location)))
    return { outcome: { kind: "unsent", why: `${answered}; the session has ended` }, signedOut: true };
  if (httpStatus >= 500 || ambiguous4xx.has(httpStatus)) return { outcome: { kind: "unknown", why: answered } };
  if (httpStatus >= 400)
    return { outcome: { kind: "unsent", why: answered }, ...(contentRefusals.has(httpStatus) && { refusal: answered }) };
  if (copy) return { outcome: { kind: "proof", copy, httpStatus } };
  return { outcome: { kind: "unknown", why: `${answered}, but ${thrown || "the driver saw neither a link nor an id afterwards"}` } };
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]?.trim() ?? "";
}
