import { z } from "zod";

/** Where the studio keeps its media: on its own disk, or in a bucket of a store that speaks S3. */
export type MediaAddress = { readonly kind: "disk" } | ({ readonly kind: "s3" } & BucketAddress);

export interface BucketAddress {
  readonly bucket: string;
  /** What all keys begin with: "" or "folder/". */
  readonly prefix: string;
  /** Origin of the store, e.g. "https://s3.eu-central-1.amazonaws.com". */
  readonly endpoint: string;
  readonly region: string;
  /** path: the bucket is the first part of the path. host: it is the first part of the host name. */
  readonly style: "path" | "host";
}

const known = ["endpoint", "region", "style"];

/** `disk`, or `s3://BUCKET[/FOLDER]?endpoint=URL&region=NAME&style=path|host`; without an endpoint it is Amazon's. */
export const mediaAddress = z
  .union([z.string(), z.custom<MediaAddress>((given) => typeof given === "object" && given !== null && "kind" in given)])
  .transform((given, context): MediaAddress => {
    if (typeof given !== "string") return given;
    if (given === "disk") return { kind: "disk" };
    const address = parseBucket(given);
    if (typeof address !== "string") return { kind: "s3", ...address };
    context.addIssue({ code: "custom", message: address });
    return z.NEVER;
  });

/** @returns the address, or what is wrong with it */
function parseBucket(text: string): BucketAddress | string {
  const url = URL.parse(text);
  if (url?.protocol !== "s3:") return "neither disk nor an s3:// address";
  if (url.username || url.password) return "the key does not belong into the address: set MEDIA_STORE_KEY_ID and MEDIA_STORE_SECRET";
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.hostname))
    return "the bucket's name has 3 to 63 lower-case letters, digits, dots and dashes";
  if (!/^(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*\/?$/.test(url.pathname)) return "the folder has letters, digits, dots, dashes and underscores";
  const folder = url.pathname.replace(/^\/+|\/+$/g, "");
  const unknown = [...url.searchParams.keys()].find((name) => !known.includes(name));
  if (unknown) return `"${unknown}" is unknown; there are ${known.join(", ")}`;
  const region = url.searchParams.get("region") || "us-east-1";
  const given = url.searchParams.get("endpoint");
  const endpoint = URL.parse(given ?? `https://s3.${region}.amazonaws.com`);
  if (!endpoint || !/^https?:$/.test(endpoint.protocol) || endpoint.pathname !== "/" || endpoint.username)
    return "the endpoint is not the origin of an http:// or https:// address";
  const style = url.searchParams.get("style") ?? (given ? "path" : "host");
  if (style !== "path" && style !== "host") return "the style is path or host";
  return { bucket: url.hostname, prefix: folder && `${folder}/`, endpoint: endpoint.origin, region, style };
}
