import { lookup as systemLookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { Agent, type Dispatcher } from "undici";
import { Failure } from "../contract/failures.ts";

/**
 * Which addresses may be fetched on behalf of somebody else (an image_url, an audio_url): none inside a private network, on
 * this machine, or of a cloud's metadata service, unless the operator allows the host (ALLOW_PRIVATE).
 */
export interface AddressPolicy {
  /**
   * For undici's `fetch`: looks up, checks and connects in one step, so that a name can't be checked with one address and
   * reached at another; a redirect connects through it too.
   */
  readonly dispatcher: Dispatcher;
  /** The same check before anything is sent, for a clear failure. @throws Failure content.forbidden_address */
  check(url: string | URL): Promise<void>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** Not globally reachable, by IANA's special-purpose registries. */
const forbidden = new BlockList();
const forbiddenRanges: readonly [string, number][] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  ["::", 127],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["3fff::", 20],
  ["5f00::", 16],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
];
for (const [network, prefix] of forbiddenRanges) forbidden.addSubnet(network, prefix, network.includes(":") ? "ipv6" : "ipv4");

/** "host:port", also where the port is the default one: a host without its port means all of its services. */
export function hostAndPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === "https:" ? "443" : "80")}`;
}

/** @param allowPrivate `host` (any port) or `host:port`; IPv6 in brackets */
export function createAddressPolicy(allowPrivate: readonly string[]): AddressPolicy {
  const allowed = new Set(allowPrivate.map((entry) => entry.trim().toLowerCase()));
  const isAllowed = (url: URL): boolean => allowed.has(url.hostname) || allowed.has(hostAndPort(url));

  const open = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS } });
  const guarded = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS, lookup: guardedLookup } });

  const dispatcher = open.compose(() => (options, handler) => {
    const url = new URL(String(options.origin));
    const refusal = isAllowed(url) ? null : refuseHost(url);
    if (refusal) throw refusal;
    return (isAllowed(url) ? open : guarded).dispatch(options, handler);
  });

  return {
    dispatcher,
    async check(address) {
      const url = parse(address);
      if (isAllowed(url)) return;
      const refusal = refuseHost(url);
      if (refusal) throw refusal;
      await new Promise<void>((resolve, reject) => {
        guardedLookup(url.hostname, { all: true }, (error) => (error instanceof Failure ? reject(error) : resolve()));
      });
    },
    async close() {
      await Promise.all([open.destroy(), guarded.destroy()]);
    },
  };
}

function parse(address: string | URL): URL {
  const url = URL.parse(String(address));
  if (!url) throw new Failure("content.unreachable", `"${String(address).slice(0, 200)}" is not an address`);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new Failure("content.forbidden_address", `${url.protocol}// is not fetched, only http:// and https://`);
  return url;
}

/** An address written as such; URL has made the plain form of 2130706433, 0x7f.1 and 017700000001 already. A socket does not ask `lookup` for these. */
function refuseHost(url: URL): Failure | null {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return isIP(host) !== 0 && isForbidden(host) ? refusal(host) : null;
}

/** What the socket asks: one answer that is forbidden forbids the name, for somebody mixes in what must not be reached. */
const guardedLookup: LookupFunction = (hostname, options, callback) => {
  systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, []);
    const bad = addresses.find(({ address }) => isForbidden(address));
    if (bad) return callback(refusal(`${hostname} is ${bad.address}`), []);
    const [first] = addresses;
    if (options.all || !first) return callback(null, addresses);
    return callback(null, first.address, first.family);
  });
};

function refusal(what: string): Failure {
  return new Failure("content.forbidden_address", what);
}

/** @param address plain IPv4 or IPv6 */
export function isForbidden(address: string): boolean {
  if (isIP(address) === 4) return forbidden.check(address, "ipv4");
  const inner = embeddedIPv4(address);
  return forbidden.check(address, "ipv6") || (inner !== null && forbidden.check(inner, "ipv4"));
}

/** The IPv4 address inside ::ffff:a.b.c.d (mapped), ::a.b.c.d (compatible), 64:ff9b::a.b.c.d (NAT64) and 2002:AABB:CCDD:: (6to4). */
function embeddedIPv4(address: string): string | null {
  const groups = expand(address);
  const leading = groups.slice(0, 6).join(":");
  const pair = ["0:0:0:0:0:65535", "0:0:0:0:0:0", "100:65435:0:0:0:0"].includes(leading)
    ? groups.slice(6)
    : groups[0] === 0x2002
      ? groups.slice(1, 3)
      : null;
  if (!pair) return null;
  const [high = 0, low = 0] = pair;
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** Eight numbers. URL writes any IPv6 form in the shortest one, with hexadecimal groups only. */
function expand(address: string): number[] {
  const [plain = ""] = address.split("%");
  const short = new URL(`http://[${plain}]`).hostname.slice(1, -1);
  const [head = "", tail] = short.split("::");
  const numbers = (text: string): number[] => (text ? text.split(":").map((group) => Number.parseInt(group, 16)) : []);
  if (tail === undefined) return numbers(head);
  const [before, behind] = [numbers(head), numbers(tail)];
  return [...before, ...Array.from({ length: 8 - before.length - behind.length }, () => 0), ...behind];
}
