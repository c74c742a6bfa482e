import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../contract/failures.ts";
import { UsageError } from "../kit/config.ts";
import { addSecret, pinSecrets } from "../kit/redact.ts";

/**
 * Secrets at rest. A sealed value is text: `v1.<key id>.<iv>.<ciphertext and tag>`, each part base64url, AES-256-GCM with
 * a random 12-byte IV. The additional data is where the value lives ("table:row:field"), so that a value moved to another
 * row does not open there.
 */
export interface Vault {
  /** Id of the key that seals. */
  readonly keyId: string;
  /** Ids of all keys that open. */
  readonly keyIds: readonly string[];
  /** "" stays "". @param aad "table:row:field" */
  seal(plain: string, aad: string): string;
  /**
   * "" stays "". The opened value is masked in logs from now on.
   * @throws UsageError naming the key id when that key was not given; Failure farm.invariant when the value was changed or moved
   */
  open(sealed: string, aad: string): string;
  /**
   * The same, but what goes through is not masked in logs: for values by the thousand that are neither used nor logged, which would
   * drive out those that are.
   */
  readonly bulk: Pick<Vault, "seal" | "open">;
}

export interface VaultOptions {
  /** 32 bytes in Base64. Wins over `keyFile`. */
  key?: string | undefined;
  /** A key a line: the first seals, all open. */
  keyFile?: string | undefined;
  dataDir: string;
  /** True: a key is made in `<dataDir>/vault.key` when none is given. False (fleet): no key, no start. */
  embedded: boolean;
}

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HOW_TO = "Make one with `openssl rand -base64 32` and give it as PODCREW_KEY, or in a file named by PODCREW_KEY_FILE";

/** @throws UsageError when there is no usable key */
export function openVault(options: VaultOptions): Vault {
  const keys = new Map(readKeys(options).map((key) => [idOf(key), key]));
  const [keyId] = keys.keys();
  const sealingKey = keys.get(keyId ?? "");
  if (!keyId || !sealingKey) throw new UsageError(`There is no vault key. ${HOW_TO}.`);
  const bulk: Vault["bulk"] = {
    seal: (plain, aad) => (plain === "" ? "" : `v1.${keyId}.${encrypt(sealingKey, plain, aad)}`),
    open(sealed, aad) {
      if (sealed === "") return "";
      const [version, id = "", iv = "", box = ""] = sealed.split(".");
      if (version !== "v1" || !iv || !box) throw new Failure("farm.invariant", `what stands at ${aad} is not a sealed value`);
      const key = keys.get(id);
      if (!key)
        throw new UsageError(
          `The secret at ${aad} was sealed with the vault key ${id}, which was not given (given: ${[...keys.keys()].join(", ")}). Add that key as a further line of the key file.`,
        );
      return decrypt(key, iv, box, aad);
    },
  };
  return {
    keyId,
    keyIds: [...keys.keys()],
    seal(plain, aad) {
      addSecret(plain);
      return bulk.seal(plain, aad);
    },
    open(sealed, aad) {
      const plain = bulk.open(sealed, aad);
      addSecret(plain);
      return plain;
    },
    bulk,
  };
}

function encrypt(key: Buffer, plain: string, aad: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(aad));
  const box = Buffer.concat([cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `${iv.toString("base64url")}.${box.toString("base64url")}`;
}

function decrypt(key: Buffer, iv: string, box: string, aad: string): string {
  try {
    const bytes = Buffer.from(box, "base64url");
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(iv, "base64url"), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(aad)).setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]).toString("utf8");
  } catch (cause) {
    throw new Failure("farm.invariant", `the secret at ${aad} was changed or moved since it was sealed`, { cause });
  }
}

/** Short, public, says nothing about the key. */
function idOf(key: Buffer): string {
  return createHash("sha256").update("podcrew vault key id\n").update(key).digest("hex").slice(0, 8);
}

function readKeys({ key, keyFile, dataDir, embedded }: VaultOptions): Buffer[] {
  if (key) return [parseKey(key, "PODCREW_KEY")];
  if (keyFile) return readKeyFile(keyFile);
  if (!embedded) throw new UsageError(`A shared database needs a vault key that all its processes share, and none was given. ${HOW_TO}.`);
  const own = join(dataDir, "vault.key");
  createKeyFile(own, dataDir);
  return readKeyFile(own);
}

function readKeyFile(path: string): Buffer[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new UsageError(`The vault key file ${path} can't be read (${(cause as NodeJS.ErrnoException).code}). ${HOW_TO}.`);
  }
  const lines = text.split("\n").map((line) => line.trim());
  const keys = lines.flatMap((line, index) => (line && !line.startsWith("#") ? [parseKey(line, `${path} line ${index + 1}`)] : []));
  if (keys.length === 0) throw new UsageError(`The vault key file ${path} is empty. ${HOW_TO}.`);
  return keys;
}

function parseKey(text: string, origin: string): Buffer {
  const bytes = Buffer.from(text, "base64");
  if (bytes.length !== KEY_BYTES)
    throw new UsageError(`${origin} does not hold a vault key: ${KEY_BYTES} bytes in Base64 are needed. ${HOW_TO}.`);
  pinSecrets(text);
  return bytes;
}

/** Whole or not at all, and never over an existing one: written aside, then linked to its name. */
function createKeyFile(path: string, dataDir: string): void {
  const aside = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    writeFileSync(aside, `${randomBytes(KEY_BYTES).toString("base64")}\n`, { mode: 0o600, flag: "wx", flush: true });
  } catch (cause) {
    throw new UsageError(
      `The data folder ${dataDir} can't be written (${(cause as NodeJS.ErrnoException).code}). Free space, repair its permissions, or choose another one: PODCREW_DATA=./other`,
    );
  }
  try {
    linkSync(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    unlinkSync(aside);
  }
}
