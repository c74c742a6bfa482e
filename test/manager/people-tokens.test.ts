import assert from "node:assert/strict";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { SignJWT, type JWTHeaderParameters, type JWTPayload } from "jose";
import { requestJson } from "../../src/kit/http.ts";
import { withOwner, type OwnerScene } from "./backlink-support.ts";

interface Pair {
  token: string;
  refresh_token: string;
}

async function pairOf(scene: OwnerScene, person: { email: string; password: string } = scene.owner): Promise<Pair> {
  const { email, password } = person;
  const { status, body } = await requestJson(`${scene.manager.url}/api/v1/auth/login`, { method: "POST", json: { email, password } });
  assert.equal(status, 200);
  return body as Pair;
}

async function refresh(scene: OwnerScene, refresh_token: string) {
  const { status, body } = await requestJson(`${scene.manager.url}/api/v1/auth/refresh`, { method: "POST", json: { refresh_token } });
  return { status, body: body as Pair & { code?: string } };
}

async function ask(scene: OwnerScene, token: string): Promise<[number, string]> {
  const { status, body } = await requestJson(`${scene.manager.url}/api/v1/auth/me`, { headers: { authorization: `Bearer ${token}` } });
  return [status, (body as { code?: string }).code ?? ""];
}

/** The manager's own key, as nobody outside it has. */
async function signingKey({ store, vault }: OwnerScene): Promise<Buffer> {
  const { rows } = await store.raw("select id, sealed_key from manager.signing_keys");
  const [{ id, sealed_key }] = rows as [{ id: string; sealed_key: string }];
  return Buffer.from(vault.open(sealed_key, `signing_keys:${id}:sealed_key`), "base64url");
}

const part = (token: string, index: number): unknown => JSON.parse(Buffer.from(token.split(".")[index] ?? "", "base64url").toString());

withOwner("a token says what it is, for whom, by whom and for how long; anything else that its key signs opens nothing", async (scene) => {
  const { token } = await pairOf(scene);
  const [header, claims] = [part(token, 0) as JWTHeaderParameters, part(token, 1) as JWTPayload];
  assert.deepEqual(header, { alg: "HS256", kid: "1", typ: "at+jwt" });
  assert.deepEqual(
    [claims.iss, claims.aud, claims.sub, claims.exp! - claims.iat!],
    ["podcrew-manager", "podcrew-api", scene.owner.id, 3600],
  );
  const key = await signingKey(scene);
  const sign = async (more: JWTPayload, head: Partial<JWTHeaderParameters> = {}) =>
    new SignJWT({ ...claims, ...more }).setProtectedHeader({ ...header, ...head }).sign(key);
  assert.deepEqual(await ask(scene, await sign({})), [200, ""], "the rest is refused for what is changed, and for nothing else");
  const refused: Record<string, string> = {
    issuer: await sign({ iss: "somebody" }),
    audience: await sign({ aud: "podcrew-studio" }),
    type: await sign({}, { typ: "JWT" }),
    algorithm: await sign({}, { alg: "HS512" }),
    "no end": await sign({ exp: undefined }),
    "nobody's": await sign({ sub: undefined }),
    "somebody unknown's": await sign({ sub: randomUUID() }),
    "of no sign-in": await sign({ jti: randomUUID() }),
    "not yet": await sign({ nbf: claims.iat! + 60 }),
  };
  for (const [what, one] of Object.entries(refused)) assert.deepEqual(await ask(scene, one), [401, "invalid_token"], what);
  assert.deepEqual(await ask(scene, await sign({ exp: claims.iat! })), [401, "token_expired"]);
});

withOwner("no token chooses how it is checked: none, a public key as a secret, a key that it brings along", async (scene) => {
  const { token } = await pairOf(scene);
  const [header, claims] = [part(token, 0) as JWTHeaderParameters, part(token, 1) as JWTPayload];
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = Buffer.from(publicKey.export({ type: "spki", format: "pem" }));
  const jwk = publicKey.export({ format: "jwk" }) as NonNullable<JWTHeaderParameters["jwk"]>;
  const signed = async (head: JWTHeaderParameters, key: Parameters<SignJWT["sign"]>[0]) =>
    new SignJWT(claims).setProtectedHeader(head).sign(key);
  const forged = [
    ...["none", "None", "NONE"].map((alg) => `${encoded({ ...header, alg })}.${token.split(".")[1]}.`),
    await signed({ ...header, alg: "HS256" }, pem),
    await signed({ ...header, alg: "RS256", jwk }, privateKey),
    await signed({ ...header, kid: "../../dev/null" }, new Uint8Array(32)),
    await signed({ ...header, kid: "' union select ''" }, new Uint8Array(32)),
  ];
  for (const one of forged) assert.deepEqual(await ask(scene, one), [401, "invalid_token"], JSON.stringify(part(one, 0)));
});

withOwner("of ten exchanges of one refresh token at once at most one succeeds, and then the sign-in has ended", async (scene) => {
  const { refresh_token } = await pairOf(scene);
  const answers = await Promise.all(Array.from({ length: 10 }, async () => refresh(scene, refresh_token)));
  const good = answers.filter(({ status }) => status === 200);
  assert.equal(good.length, 1);
  assert.ok(answers.every(({ status, body }) => status === 200 || body.code === "invalid_token"));
  assert.deepEqual(await ask(scene, good[0]!.body.token), [401, "invalid_token"]);
  assert.equal((await refresh(scene, good[0]!.body.refresh_token)).status, 401);
});

withOwner("a refresh token lives thirty days, each exchange as long anew, and is kept as a hash", async (scene) => {
  let pair = await pairOf(scene);
  for (let round = 0; round < 3; round += 1) {
    scene.clock.forwardMinutes(29 * 24 * 60);
    const { status, body } = await refresh(scene, pair.refresh_token);
    assert.equal(status, 200);
    pair = body;
  }
  assert.equal((await ask(scene, pair.token))[0], 200);
  const { rows } = await scene.store.raw("select * from manager.refresh_tokens");
  assert.equal(JSON.stringify(rows).includes(pair.refresh_token), false);
  scene.clock.forwardMinutes(30 * 24 * 60);
  assert.equal((await refresh(scene, pair.refresh_token)).status, 401);
});

withOwner("a new role and a new password work at once, also for tokens that are out", async (scene) => {
  const operator = await scene.addUser("operator");
  const make = async () => scene.api("POST", "/groups", { token: operator.token, json: { name: "Mornings", service_type: "podcast" } });
  assert.equal((await make()).status, 201);
  assert.equal(await scene.manager.users.setRole(operator.email, "viewer"), true);
  assert.equal((await make()).status, 403);
  assert.equal((await scene.api("GET", "/groups", { token: operator.token })).status, 200);
  for (const [email, role] of [
    [operator.email, "owner"],
    [scene.owner.email, "viewer"],
  ] as const)
    await assert.rejects(scene.manager.users.setRole(email, role), /only operators and viewers/);
  const pair = await pairOf(scene, operator);
  assert.equal(await scene.manager.users.setPassword(operator.email, "demo-password-of-today"), true);
  assert.equal((await refresh(scene, pair.refresh_token)).status, 401);
  for (const token of [operator.token, pair.token]) assert.deepEqual(await ask(scene, token), [401, "invalid_token"]);
  await pairOf(scene, { email: operator.email, password: "demo-password-of-today" });
  assert.deepEqual(
    [await scene.manager.users.setRole("x@y", "viewer"), await scene.manager.users.setPassword("x@y", "0123456789")],
    [false, false],
  );
});

withOwner("a new password ends each sign-in, also one that is just being made or exchanged", async (scene) => {
  const operator = await scene.addUser("operator");
  let password = operator.password;
  for (let round = 0; round < 6; round++) {
    scene.clock.forwardMinutes(1);
    const [before, after] = [password, `demo-password-${round}`];
    const pair = await pairOf(scene, { email: operator.email, password: before });
    const signingIn = ["a", "b", "c"].map(async () =>
      requestJson(`${scene.manager.url}/api/v1/auth/login`, { method: "POST", json: { email: operator.email, password: before } }),
    );
    const exchanging = (async () => {
      const answers = [await refresh(scene, pair.refresh_token)];
      for (let last = answers[0]; last?.status === 200 && answers.length < 100; last = answers.at(-1))
        answers.push(await refresh(scene, last.body.refresh_token));
      return answers;
    })();
    assert.equal(await scene.manager.users.setPassword(operator.email, after), true);
    const [logins, exchanges] = [await Promise.all(signingIn), await exchanging];
    for (const { status, body } of [...logins, ...exchanges]) {
      assert.ok(status === 200 || status === 401, `${status} ${JSON.stringify(body)}`);
      if (status === 200) assert.deepEqual(await ask(scene, (body as Pair).token), [401, "invalid_token"], `round ${round}`);
    }
    password = after;
  }
});
