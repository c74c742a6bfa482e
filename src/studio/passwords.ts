import { argon2, randomBytes, timingSafeEqual, type Argon2Parameters } from "node:crypto";

/** OWASP's first choice: 19 MiB, two passes, one lane; about 60 ms. */
const COST = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 };

async function derive(parameters: Argon2Parameters): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  argon2("argon2id", parameters, (error, key) => (error ? reject(error) : resolve(key)));
  return promise;
}

/** @returns `argon2id$<memory>$<passes>$<lanes>$<salt>$<key>`; the costs travel along, so that they may rise later. */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(16);
  const key = await derive({ message: password.normalize("NFC"), nonce, ...COST });
  return ["argon2id", COST.memory, COST.passes, COST.parallelism, nonce.toString("base64url"), key.toString("base64url")].join("$");
}

export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const [name, memory, passes, parallelism, salt, expected] = hash.split("$");
  if (name !== "argon2id" || !salt || !expected) return false;
  const wanted = Buffer.from(expected, "base64url");
  const key = await derive({
    message: password.normalize("NFC"),
    nonce: Buffer.from(salt, "base64url"),
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    tagLength: wanted.length,
  });
  return timingSafeEqual(key, wanted);
}

let nobodys: Promise<string> | undefined;

/** Checked where the e-mail is unknown, so that the answer takes as long as for a known one. */
export async function nobodysHash(): Promise<string> {
  return (nobodys ??= hashPassword(randomBytes(16).toString("hex")));
}
