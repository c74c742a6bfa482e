/** What a contestant is given to do, and how it speaks with the bench: one message each way, over the IPC channel. */
export interface BenchTask {
  id: string;
  email: string;
  password: string;
  totpSecret: string;
  show: string;
  episodes: { id: string; title: string; about: string; audioPath: string; coverPath: string }[];
}

export interface BenchJob {
  studioUrl: string;
  tasks: BenchTask[];
  concurrency: number;
  dataDir: string;
  /** Where the files are. */
  mediaDir: string;
}

/**
 * A contestant's life: it gets its job, makes ready, says so, waits for the start, works, says that it is done, and stays
 * until it is ended, so that its whole tree can be measured.
 * @param prepare returns the work
 */
export async function compete(prepare: (job: BenchJob) => Promise<() => Promise<void>>): Promise<void> {
  const job = await message<BenchJob>();
  const work = await prepare(job);
  process.send?.("ready");
  await message<"go">();
  await work();
  process.send?.("done");
  await message<"end">();
  process.exit();
}

async function message<T>(): Promise<T> {
  return new Promise((resolve) => process.once("message", (value) => resolve(value as T)));
}
