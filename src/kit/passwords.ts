import { argon2, randomBytes, timingSafeEqual, type Argon2Parameters } from "node:crypto";

/** OWASP's first choice: 19 MiB, two passes, one lane; about 60 ms. */
const COST = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 };

/** Each takes a thread of the pool that files and look-ups need too, and its memory. */
const AT_A_TIME = 2;
/** Later ones would only wait in vain. */
const MOST_WAITING = 100;
const WAIT_MS = 5000;

/** More passwords came than can be looked at. Nothing was looked at; it may be tried again after `retryAfterMs`. */
export class PasswordsBusy extends Error {
  override readonly name = "PasswordsBusy";
  /** What HTTP calls it. */
  readonly statusCode = 503;
  readonly retryAfterMs = WAIT_MS;

  constructor() {
    super("More people sign in than can be served; try again in some seconds.");
  }
}

let running = 0;
const waiting: { start: () => void; timer: NodeJS.Timeout }[] = [];

/** In the order in which they came. @throws PasswordsBusy */
async function turn(): Promise<void> {
  if (running < AT_A_TIME) {
    running += 1;
    return;
  }
  if (waiting.length >= MOST_WAITING) throw new PasswordsBusy();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const one = {
    start: resolve,
    timer: setTimeout(() => {
      waiting.splice(waiting.indexOf(one), 1);
      reject(new PasswordsBusy());
    }, WAIT_MS),
  };
  waiting.push(one);
  return promise;
}

/** The turn goes to the next one, or is given back. */
function pass(): void {
  const next = waiting.shift();
  if (!next) {
    running -= 1;
    return;
  }
  clearTimeout(next.timer);
  next.start();
}

async function derive(parameters: Argon2Parameters): Promise<Buffer> {
  await turn();
  try {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    argon2("argon2id", parameters, (error, key) => (error ? reject(error) : resolve(key)));
    return await promise;
  } finally {
    pass();
  }
}

/**
 * @returns `argon2id$<memory>$<passes>$<lanes>$<salt>$<key>`; the costs travel along, so that they may rise later.
 * @throws PasswordsBusy
 */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(16);
  return written(nonce, await derive({ message: password.normalize("NFC"), nonce, ...COST }));
}

/** @throws PasswordsBusy */
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

/** Checked where the e-mail is unknown, so that the answer takes as long as for a known one. No password has it. */
export const nobodysHash = written(randomBytes(16), randomBytes(COST.tagLength));

function written(nonce: Buffer, key: Buffer): string {
  return ["argon2id", COST.memory, COST.passes, COST.parallelism, nonce.toString("base64url"), key.toString("base64url")].join("$");
}
