import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Role } from "../../src/contract/auth-api.ts";
import { createClient } from "../../src/kit/api-client.ts";
import { openScene } from "../manager/support.ts";
import { podcrew } from "../support/podcrew.ts";
import { givenPglite } from "../support/store.ts";
import { tempDir } from "../support/temp.ts";

interface RunOptions {
  env?: Record<string, string>;
  /** Runs the command by another one, for example a shell that pipes its output on. */
  through?: string[];
}

/** A manager with an owner, and the command as they run it. */
export async function givenOwner(t: TestContext) {
  const { manager, farm } = await openScene(t, await givenPglite(t));
  const person = async (role: Role, owner?: string) => {
    const [email, password] = [`${role}@example.com`, randomBytes(12).toString("hex")];
    await manager.users.create({ email, password, role, owner });
    return { MANAGER_EMAIL: email, MANAGER_PASSWORD: password };
  };
  const owner = await person("owner");
  const data = await tempDir(t, "cli");
  /** Started, in a folder of its own. */
  const start = (args: string[], { env = {}, through = [] }: RunOptions = {}) =>
    podcrew(t, args, { env: { PODCREW_DATA: data, MANAGER_URL: manager.url, ...owner, ...env }, cwd: data, through });
  return {
    manager,
    data,
    start,
    farm: farm("farm-1"),
    client: createClient({ url: manager.url, email: owner.MANAGER_EMAIL, password: owner.MANAGER_PASSWORD }),
    /** To its end. */
    run: async (args: string[], options: RunOptions = {}) => {
      const child = start(args, options);
      return { code: await child.ended(), out: child.stdout(), err: child.stderr() };
    },
    write: async (name: string, text: string) => writeFile(join(data, name), text),
    read: async (name: string) => readFile(join(data, name), "utf8"),
    helper: async (role: "viewer" | "operator") => person(role, owner.MANAGER_EMAIL),
    credit: async (amount: number) => manager.addCredits({ email: owner.MANAGER_EMAIL, amount }),
  };
}
