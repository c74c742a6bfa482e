/**
 * A real second process on a data folder, for tests that kill it.
 *   node store-holder.ts <dataDir> hold    opens the store, prints "open", waits for ever
 *   node store-holder.ts <dataDir> write   writes row after row, printing each number once it is committed
 *   node store-holder.ts <databaseUrl> take   takes a job from the queue, prints its id, waits for ever without a heartbeat
 */
import { openQueue } from "../../src/store/queue.ts";
import { openStore } from "../../src/store/store.ts";
import { createLog } from "../../src/kit/log.ts";

const [place = "", task] = process.argv.slice(2);
const log = createLog({ level: "info", format: "pretty" });
const say = (text: string | number): void => void process.stdout.write(`${text}\n`);

const store = await openStore(
  place.startsWith("postgres:") ? { dataDir: "/nowhere", databaseUrl: place, log } : { dataDir: place, log, lockWaitMs: 500 },
);
if (task === "hold") say("open");
if (task === "take") {
  const queue = await openQueue(store, log);
  for (const job of await queue.take(5)) say(job.id);
}
if (task === "write") {
  await store.raw("create table public.rows (n int primary key)");
  for (let n = 0; ; n++) {
    await store.raw("insert into public.rows values ($1)", [n]);
    say(n);
  }
}
setInterval(() => undefined, 60_000);
