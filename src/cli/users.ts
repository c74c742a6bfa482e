import { roles } from "../contract/auth-api.ts";
import { UsageError, type Config } from "../kit/config.ts";
import type { Manager } from "../manager/manager.ts";
import { givenPassword } from "./given-password.ts";
import { withManager } from "./keys.ts";
import { table } from "./table.ts";

const PASSWORD_BYTES = 15;

/** The password comes by stdin, or one is made and shown this once. */
export async function addUser(config: Config, email: string, { role, owner }: { role: string; owner?: string }): Promise<number> {
  const known = roles.find((one) => one === role);
  if (!known) throw new UsageError(`--role ${role} is none; it is one of ${roles.join(", ")}.`);
  const { password, isNew } = await givenPassword(PASSWORD_BYTES);
  return withManager(config, async (manager) => {
    await requireFirstOwner(manager);
    const user = await manager.users.create({ email, password, role: known, owner });
    process.stderr.write(`${user.email} is an ${user.role}${user.owner ? ` for ${user.owner}` : ""}.\n`);
    if (isNew) process.stderr.write("The password is shown this once:\n");
    if (isNew) process.stdout.write(`${password}\n`);
    return 0;
  });
}

/** Its password is written for the commands by the manager's first start, which makes none where somebody is there. @throws UsageError */
async function requireFirstOwner({ users }: Manager): Promise<void> {
  if ((await users.list()).length === 0)
    throw new UsageError("Nobody is here yet. Start `podcrew up` once: it makes the first owner. Then stop it, and run this again.");
}

export async function listUsers(config: Config): Promise<number> {
  return withManager(config, async (manager) => {
    const users = await manager.users.list();
    const rows = users.map(({ email, role, owner, createdAt }) => [email, role, owner ?? "", createdAt.toISOString().slice(0, 10)]);
    process.stdout.write(`${table([["E-MAIL", "ROLE", "WORKS FOR", "SINCE"], ...rows])}\n`);
    return 0;
  });
}

/** Works at once, also for who is signed in. */
export async function changeRole(config: Config, email: string, role: string): Promise<number> {
  const known = roles.find((one) => one === role);
  if (!known) throw new UsageError(`${role} is no role; it is one of ${roles.join(", ")}.`);
  return withManager(config, async (manager) => {
    const changed = await manager.users.setRole(email, known);
    process.stderr.write(changed ? `${email} is an ${role} now.\n` : noUser(email));
    return changed ? 0 : 1;
  });
}

/** It comes by stdin, or one is made and shown this once. */
export async function changePassword(config: Config, email: string): Promise<number> {
  const { password, isNew } = await givenPassword(PASSWORD_BYTES);
  return withManager(config, async (manager) => {
    const changed = await manager.users.setPassword(email, password);
    process.stderr.write(changed ? `${email} has a new password, and is signed out everywhere.\n` : noUser(email));
    if (changed && isNew) process.stdout.write(`${password}\n`);
    return changed ? 0 : 1;
  });
}

const noUser = (email: string): string => `There is no user ${email}; \`podcrew user list\` shows all.\n`;

export async function removeUser(config: Config, email: string): Promise<number> {
  return withManager(config, async (manager) => {
    const removed = await manager.users.remove(email);
    process.stderr.write(removed ? `${email} is gone, with all that was theirs.\n` : noUser(email));
    return removed ? 0 : 1;
  });
}

/** @param amount a whole number; negative takes some back */
export async function addCredits(config: Config, email: string, amount: string, note = ""): Promise<number> {
  return withManager(config, async (manager) => {
    await requireFirstOwner(manager);
    const balance = await manager.addCredits({ email, amount: Number(amount), note });
    process.stderr.write(`${email} has ${balance.toLocaleString("en")} credits now.\n`);
    return 0;
  });
}
