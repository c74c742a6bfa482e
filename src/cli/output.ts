let isReaderGone = false;

/**
 * A reader that has seen enough (`| head`) is no mistake: from then on nobody is told, and a command goes on to its end, since half
 * of an order helps nobody. What can't be written for another reason makes the exit code 2.
 */
export function watchOutput(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    isReaderGone = true;
    if (error.code === "EPIPE") return;
    process.exitCode = 2;
    process.stderr.write(`What the command says can't be written to stdout (${error.code}).\n`);
  });
  process.stderr.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") process.exitCode = 2;
  });
}

/** Nobody reads stdout any more: what only shows something may end. */
export function readerIsGone(): boolean {
  return isReaderGone;
}

/**
 * A pipe holds 64 KiB, and the end of the process would cut what does not fit. As with any command a reader (a pager, say) may take
 * its time, so this has no deadline; one that goes away ends it.
 */
export async function drainOutput(): Promise<void> {
  for (const stream of [process.stdout, process.stderr])
    await new Promise<void>((resolve) => {
      stream.write("", () => resolve());
    });
}
