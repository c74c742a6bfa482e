import { toFailureData } from "../contract/failures.ts";
import { probeAudio } from "./audio.ts";
import { wavToMp3 } from "./convert.ts";
import { fitCover } from "./cover.ts";
import { diskFailure } from "./disk.ts";
import type { JobCall, JobName, JobNews, JobResult, Jobs } from "./jobs.ts";
import { narrate } from "./narrate.ts";

type Work<Name extends JobName> = (
  input: Jobs[Name]["input"],
  onProgress: (share: number) => void,
  signal: AbortSignal,
) => Promise<Jobs[Name]["output"]>;

const work: { [Name in JobName]: Work<Name> } = {
  narrate,
  cover: async ({ inputPath, limits, outPath }) => fitCover(inputPath, limits, outPath),
  async convert(conversion, onProgress, signal) {
    await wavToMp3(conversion, onProgress, signal);
    return undefined;
  },
  probe: async ({ path }) => probeAudio(path),
};

/** A display needs no more. */
const PROGRESS_STEP = 0.01;

/** Runs inside a thread of the media pool: one job, to its end or until the port says cancel. Never throws. */
export async function run<Name extends JobName>({ name, input, port }: JobCall<Name>): Promise<JobResult<Name>> {
  const controller = new AbortController();
  const tell = (news: JobNews): void => port.postMessage(news);
  port.on("message", () => controller.abort());
  let told = 0;
  tell({ kind: "started" });
  try {
    const value = await work[name](
      input,
      (share) => {
        if (share - told < PROGRESS_STEP) return;
        told = share;
        tell({ kind: "progress", share });
      },
      controller.signal,
    );
    return { ok: true, value };
  } catch (error) {
    return { ok: false, failure: controller.signal.aborted ? null : toFailureData(diskFailure(error)) };
  } finally {
    port.close();
  }
}
