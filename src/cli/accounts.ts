import type { Config } from "../kit/config.ts";
import { createLog } from "../kit/log.ts";
import { openStudio, type Studio } from "../studio/studio.ts";
import { givenPassword } from "./given-password.ts";
import { storeStage, type Parts } from "./parts.ts";
import { startStages } from "./stages.ts";

/** Makes somebody who may sign in to the studio; there is no sign-up page. Secrets go to stdout as one JSON object, once. */
export async function createAccount(config: Config, email: string, options: Record<string, unknown>): Promise<number> {
  const { password, isNew } = await givenPassword(12);
  const parts: Parts = {};
  const log = createLog({ level: "warn", format: config.logFormat });
  const stop = await startStages([storeStage(config, log, parts)], log);
  let studio: Studio | null = null;
  try {
    if (!parts.store || !parts.vault) throw new Error("the store is not open");
    studio = await openStudio({
      store: parts.store,
      vault: parts.vault,
      log,
      config: {
        host: "127.0.0.1",
        port: 0,
        allowedHosts: [],
        publicUrl: config.publicStudioUrl,
        dataDir: config.data,
        smtpUrl: config.smtpUrl,
        mailFrom: config.mailFrom,
        timeZone: config.timeZone,
      },
    });
    const { id, totpSecret } = await studio.accounts.create({
      email,
      password,
      secondFactor: options["secondFactor"] as "none" | "totp" | "mail",
      locale: options["language"] as "en" | "vi",
    });
    const show = options["show"] as string | undefined;
    if (show) await studio.shows.create({ ownerId: id, name: show, title: (options["title"] as string | undefined) ?? show });
    process.stdout.write(
      `${JSON.stringify({ id, email, ...(isNew && { password }), ...(totpSecret && { totpSecret }), ...(show && { show }) }, null, 2)}\n`,
    );
    return 0;
  } finally {
    await studio?.close();
    await stop();
  }
}
