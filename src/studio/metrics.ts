import { Counter, Histogram, Registry } from "prom-client";

export interface StudioMetrics {
  readonly registry: Registry;
  readonly signIns: Counter<"result">;
  readonly publishes: Counter<"outcome">;
  readonly uploadedBytes: Counter<"kind">;
  readonly requestSeconds: Histogram<"method" | "status">;
}

/** A registry of its own: several parts may live in one process. */
export function createMetrics(): StudioMetrics {
  const registry = new Registry();
  const registers = [registry];
  return {
    registry,
    signIns: new Counter({ name: "studio_sign_ins_total", help: "Tries to sign in, by result", labelNames: ["result"], registers }),
    publishes: new Counter({
      name: "studio_publish_requests_total",
      help: "Publish requests handled, by outcome",
      labelNames: ["outcome"],
      registers,
    }),
    uploadedBytes: new Counter({
      name: "studio_uploaded_bytes_total",
      help: "Bytes taken in, by kind of file",
      labelNames: ["kind"],
      registers,
    }),
    requestSeconds: new Histogram({
      name: "studio_request_seconds",
      help: "Time to answer",
      labelNames: ["method", "status"],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
      registers,
    }),
  };
}
