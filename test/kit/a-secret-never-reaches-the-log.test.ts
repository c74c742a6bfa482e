import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { createLog, type Log } from "../../src/kit/log.ts";
import { addSecret, redact } from "../../src/kit/redact.ts";

function captured(format: "json" | "pretty"): { log: Log; text: () => string } {
  const stream = new PassThrough();
  let text = "";
  stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return { log: createLog({ level: "debug", format, stream }), text: () => text };
}

const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");

/** Each way in which a value gets into a text, as other software writes it. */
const encodings: Record<string, (secret: string) => string> = {
  plain: (secret) => secret,
  "URL-encoded": (secret) => encodeURIComponent(secret),
  "URL-encoded, lower case": (secret) => encodeURIComponent(secret).replaceAll(/%../g, (escape) => escape.toLowerCase()),
  "form-encoded": (secret) => new URLSearchParams({ p: secret }).toString().slice(2),
  Base64: (secret) => Buffer.from(secret).toString("base64"),
  base64url: (secret) => Buffer.from(secret).toString("base64url"),
  hex: (secret) => Buffer.from(secret).toString("hex"),
  "hex, upper case": (secret) => Buffer.from(secret).toString("hex").toUpperCase(),
  JSON: (secret) => JSON.stringify(secret).slice(1, -1),
  "JSON in JSON": (secret) => JSON.stringify(JSON.stringify(secret)).slice(3, -3),
  HTML: escapeHtml,
};

const secrets = fc
  .oneof(
    fc.string({ minLength: 6, maxLength: 40 }),
    fc.string({ minLength: 6, maxLength: 40, unit: "binary" }),
    fc.stringMatching(/^[A-Za-z0-9+/=&<>"'\\%@ -]{6,40}$/),
  )
  .filter((secret) => secret.trim().length >= 6 && secret.isWellFormed());

test("a random secret is in no line, in no encoding, wherever it was put, in both formats", () => {
  fc.assert(
    fc.property(secrets, fc.constantFrom(...Object.keys(encodings)), (secret, encoding) => {
      addSecret(secret);
      const leak = encodings[encoding]?.(secret) ?? "";
      for (const format of ["json", "pretty"] as const) {
        const { log, text } = captured(format);
        log.info(`signing in with ${leak} now`);
        log.child({ account: leak }).warn("nested", { deep: { list: [{ value: leak }] } });
        log.error("failed", { error: new Error(`refused ${leak}`, { cause: new Error(leak) }) });
        log.debug(inspect({ secret }), { [leak]: 1 });
        const said = text();
        assert.ok(said.includes("[secret]"));
        // Of a needle without a letter or digit nothing can be learned.
        for (const needle of new Set([leak, secret, JSON.stringify(leak).slice(1, -1)]))
          if (/[A-Za-z0-9]{4}/.test(needle)) assert.ok(!said.includes(needle), `${JSON.stringify(needle)} is in ${said}`);
      }
    }),
    { numRuns: 300 },
  );
});

test("a secret inside a longer Base64 text is cut out of it, at each alignment", () => {
  fc.assert(
    fc.property(secrets, fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (secret, before, behind) => {
      addSecret(secret);
      for (const encoding of ["base64", "base64url"] as const) {
        const seen = redact(`Authentication: ${Buffer.from(`${before}${secret}${behind}`).toString(encoding)} .`);
        const left = Buffer.from(seen.replace("Authentication: ", "").replaceAll("[secret]", "").replace(" .", ""), encoding).toString(
          "latin1",
        );
        assert.ok(seen.includes("[secret]"), seen);
        if (secret.length >= 8) assert.ok(!left.includes(Buffer.from(secret).toString("latin1").slice(1, -1)), seen);
      }
    }),
    { numRuns: 300 },
  );
});

const shapes: [string, string][] = [
  ["Bearer", "authorization: Bearer abcdefgh12345678"],
  ["Basic", "Authorization: Basic dXNlcjphYmNkZWZnaDEyMzQ1Njc4"],
  ["a database address", "postgres://podcrew:abcdefgh12345678@db:5432/x"],
  ["a mail server's address", "smtp://user:abcdefgh12345678@mail:587"],
  ["an authenticator address", "otpauth://totp/x?secret=ABCDEFGH12345678&issuer=y".replace("12345678", "ABCDEFGH")],
  ["an API key", "pck_Abc123abcdefgh12345678"],
  ["a JSON field", '{"app_password":"abcdefgh12345678"}'],
  ["a site's API token in JSON", '{"api_token":"abcdefgh12345678","apiToken":"abcdefgh12345678"}'],
  ["a site's API token in an address", "GET https://api.example.com/v1/podcast?access_token=abcdefgh12345678&limit=1"],
  ["a site's API token in a header", "Authorization: Token token=abcdefgh12345678"],
  ["a JSON field in JSON", JSON.stringify({ body: JSON.stringify({ password: "abcdefgh12345678" }) })],
  ["a cookie", "set-cookie: session=abcdefgh12345678; Path=/"],
  ["a form", "email=a@b.example&password=abcdefgh12345678&x=1"],
  ["a token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcdefgh12345678"],
];
for (const [what, text] of shapes) {
  test(`${what} is masked although nobody named it a secret`, () => {
    assert.doesNotMatch(redact(text), /abcdefgh|12345678|ABCDEFGH|dXNlcjphYmNk/);
    assert.match(redact(text), /\[secret\]/);
  });
}

test("ordinary lines stay as they are", () => {
  const line = "posted 3 episodes of https://studio.example.com/shows/tea-time in 12.4 s (task 3f2a, account podcrew-studio:17)";
  assert.equal(redact(line), line);
});

test("ten thousand live secrets don't slow a line down", () => {
  for (let i = 0; i < 10_000; i++) addSecret(`synthetic-value-${i}-${i * 7919}`);
  const line = "nothing to see here, ".repeat(20);
  const startedAt = performance.now();
  for (let i = 0; i < 100; i++) redact(line);
  assert.ok(performance.now() - startedAt < 1000);
});
