// @ts-check
/**
 * The container's health: every listener of ours that is up says "ok", and at least one is up. Which ones there are
 * depends on the command (farm, manager, studio, up).
 */
const ports = [process.env["TASK_PORT"] ?? 50_809, process.env["MANAGER_PORT"] ?? 8700, process.env["STUDIO_PORT"] ?? 8710];

const answers = await Promise.all(
  ports.map(async (port) => {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(4000) });
      return answer.ok ? "well" : "ill";
    } catch (error) {
      const { code } = /** @type {{ cause?: { code?: string } }} */ (error).cause ?? {};
      return code === "ECONNREFUSED" ? "absent" : "ill";
    }
  }),
);
process.exitCode = answers.includes("well") && !answers.includes("ill") ? 0 : 1;
