import { isIPv6 } from "node:net";

const anywhere: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "127.0.0.1" };

/** Where a listener is asked on its own machine. @param bound its HOST; all addresses are asked at the loopback one */
export function urlHere(bound: string, port: number): string {
  const host = anywhere[bound] ?? bound;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
