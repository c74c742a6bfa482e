import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { findBrowser } from "../src/kit/find-browser.ts";
import { freePorts } from "./support/podcrew.ts";

/** What somebody gets who installs the package, in an empty folder and without this repository. */
const project = fileURLToPath(new URL("..", import.meta.url));
const temp = mkdtempSync(join(tmpdir(), "podcrew-package-"));
const source = join(temp, "source");
const empty = join(temp, "empty");
const manifest = JSON.parse(readFileSync(join(project, "package.json"), "utf8")) as { version: string; files: string[] };

/** Two of them fit into the time that the suite gives a test to say something. */
const INSTALL_TRY_MS = 80_000;

function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
  timeout = 150_000,
): { status: number | null; stdout: string; stderr: string } {
  const clean = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_CHANNEL|NODE_TEST|PODCREW_|DATABASE_URL|MANAGER_URL)/.test(name)),
  );
  return spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    timeout,
    env: { ...clean, PATH: `${dirname(process.execPath)}:${process.env["PATH"]}`, ...env },
  });
}

/** One as the package brings it; ended with the test. */
async function startManager(t: TestContext, data: string): Promise<{ url: string; email: string; password: string }> {
  const [port] = await freePorts(1);
  const child = spawn(join(empty, "node_modules/.bin/podcrew"), ["manager"], {
    cwd: empty,
    env: {
      PATH: `${dirname(process.execPath)}:${process.env["PATH"]}`,
      PODCREW_DATA: data,
      MANAGER_PORT: String(port),
      LOG_FORMAT: "json",
    },
    stdio: ["ignore", "inherit", "pipe"],
  });
  t.after(async () => {
    const ended = once(child, "close");
    child.kill("SIGKILL");
    await ended;
  });
  const listens = Promise.withResolvers<void>();
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    if (said.includes("The manager listens")) listens.resolve();
  });
  child.once("close", () => listens.reject(new Error(`the manager ended: ${said}`)));
  await listens.promise;
  return JSON.parse(readFileSync(join(data, "manager.json"), "utf8")) as { url: string; email: string; password: string };
}

/** What answers are is known to the compiler, and what is no parameter too. */
const typedConsumer = `
import { ApiRefusal, createClient, type ApiClient } from "podcrew/client";
declare const process: { env: Record<string, string | undefined>; stdout: { write(text: string): void } };
const { CONSUMER_URL: url = "", CONSUMER_EMAIL: email = "", CONSUMER_PASSWORD: password = "" } = process.env;
const client: ApiClient = createClient({ url, email, password });
const { user } = await client.auth.me();
const role: "owner" | "operator" | "viewer" = user.role;
await client.accounts.createGroup({ body: { name: "Mornings of typed.js", service_type: "podcast" } });
const { data, total } = await client.accounts.listGroups({ query: { limit: 100, search: "typed" } });
const names: string[] = data.map((group) => group.name);
// @ts-expect-error a name is no number
const wrong: number | undefined = data[0]?.name;
// @ts-expect-error no such parameter
void (() => client.accounts.listGroups({ query: { colour: "red" } }));
// @ts-expect-error no such service
void (() => client.accounts.createGroup({ body: { name: "x", service_type: "radio" } }));
const refusal = await client.accounts.readGroup({ params: { id: "7b0e7e0c-53b4-4a0c-8d5f-0f6f3a7d1c11" } }).catch((error: unknown) => error);
if (role === "owner" && total === 1 && refusal instanceof ApiRefusal)
  process.stdout.write(\`\${user.email} made \${names[0]}, and was refused: \${refusal.status} \${refusal.code}\`);
`;

const plainConsumer = `
import { createClient } from "podcrew/client";
const { CONSUMER_URL: url, CONSUMER_EMAIL: email, CONSUMER_PASSWORD: password } = process.env;
const { auth, accounts } = createClient({ url, email, password });
await accounts.createGroup({ body: { name: "Mornings of plain.mjs", service_type: "podcast" } });
const { data } = await accounts.listGroups({ query: { search: "plain" } });
const refusal = await accounts.readGroup({ params: { id: "7b0e7e0c-53b4-4a0c-8d5f-0f6f3a7d1c11" } }).catch((error) => error);
process.stdout.write(\`\${(await auth.me()).user.email} made \${data[0].name}, and was refused: \${refusal.status} \${refusal.code}\`);
`;

describe("the packed package", () => {
  before(() => {
    mkdirSync(source);
    mkdirSync(empty);
    for (const name of readdirSync(project)) {
      if (["node_modules", "dist", ".git", ".node", "coverage", "test"].includes(name) || name.startsWith(".podcrew")) continue;
      cpSync(join(project, name), join(source, name), { recursive: true });
    }
    symlinkSync(join(project, "node_modules"), join(source, "node_modules"));
  });
  after(() => rmSync(temp, { recursive: true, force: true }));

  test("is built and packed with what it needs, and without what only we need", () => {
    const build = run(process.execPath, [join(source, "scripts/build.ts")], source);
    assert.equal(build.status, 0, build.stderr + build.stdout);
    for (const path of globSync("dist/**/*.js", { cwd: source }))
      if (!path.endsWith("kit/crashpoint.js")) assert.doesNotMatch(readFileSync(join(source, path), "utf8"), /crashpoint/, path);
    const pack = run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", temp, "--loglevel=error"], source);
    assert.equal(pack.status, 0, pack.stderr);
    const answer = JSON.parse(pack.stdout) as { files: { path: string }[] }[] | Record<string, { files: { path: string }[] }>;
    const paths = Object.values(answer).flatMap((one) => one.files.map((file) => file.path));
    for (const path of [
      "package.json",
      "README.md",
      "dist/src/cli/main.js",
      "dist/src/driver/index.js",
      "dist/src/driver/index.d.ts",
      "dist/src/kit/api-client.d.ts",
      "dist/src/worker/entry.js",
      "dist/drivers/podcrew-studio.js",
      "dist/src/studio/assets/studio.css",
    ])
      assert.ok(paths.includes(path), `${path} is missing`);
    assert.deepEqual(
      paths.filter((path) => /^(test|scripts\/(?!docker)|dist\/test)|\.test\.|(?<!\.d)\.ts$|\.npmrc|\.podcrew/.test(path)),
      [],
    );
  });

  test("installs into an empty folder and runs", async (t) => {
    writeFileSync(join(empty, "package.json"), '{"name":"somebody","private":true,"type":"module"}');
    const tarball = join(temp, `podcrew-${manifest.version}.tgz`);
    const flags = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts", "--no-json", "--loglevel=error"];
    const tryInstall = () => run("npm", ["install", ...flags, tarball], empty, {}, INSTALL_TRY_MS);
    let install = tryInstall();
    // A registry that is slow today: what the first try has brought is in npm's cache.
    if (install.status === null) install = tryInstall();
    if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT/.test(install.stderr)) return t.skip("the npm registry can't be reached from here");
    assert.equal(install.status, 0, install.stderr + install.stdout);

    await t.test("podcrew --version says the version", () => {
      assert.equal(run(join(empty, "node_modules/.bin/podcrew"), ["--version"], empty).stdout.trim(), manifest.version);
    });

    await t.test("podcrew doctor finds nothing wrong", () => {
      const browser = findBrowser();
      const doctor = run(join(empty, "node_modules/.bin/podcrew"), ["doctor"], empty, {
        ...browser?.env,
        PODCREW_DATA: join(temp, "data"),
        ...(browser && { PODCREW_BROWSER: browser.executable }),
      });
      assert.equal(doctor.status, 0, doctor.stdout + doctor.stderr);
      assert.match(doctor.stdout, /node .*24\./);
      assert.match(doctor.stdout, /database/);
    });

    await t.test("the drivers that come along load from JavaScript", () => {
      const list = run(join(empty, "node_modules/.bin/podcrew"), ["driver", "list"], empty, { PODCREW_DATA: join(temp, "data") });
      assert.match(list.stdout, /podcrew-studio/, list.stderr);
    });

    await t.test("a driver's author can import podcrew/driver, with its types", () => {
      writeFileSync(
        join(empty, "driver.ts"),
        'import { defineDriver, type Driver } from "podcrew/driver";\nexport const make: (driver: never) => Driver = defineDriver;\n',
      );
      const types = run(
        process.execPath,
        [
          join(project, "node_modules/typescript/bin/tsc"),
          "--noEmit",
          "--module",
          "nodenext",
          "--target",
          "es2024",
          "--lib",
          "es2025,dom,dom.iterable",
          "--skipLibCheck",
          "--strict",
          "driver.ts",
        ],
        empty,
      );
      assert.equal(types.status, 0, types.stdout);
      const load = run(
        process.execPath,
        ["-e", 'import("podcrew/driver").then((driver) => console.log(typeof driver.defineDriver))'],
        empty,
      );
      assert.equal(load.stdout.trim(), "function", load.stderr);
    });

    await t.test("a program can import podcrew/client, with its types, and call a manager", async (t) => {
      const data = join(temp, "manager");
      const { url, email, password } = await startManager(t, data);
      writeFileSync(join(empty, "typed.ts"), typedConsumer);
      const types = run(
        process.execPath,
        [
          join(project, "node_modules/typescript/bin/tsc"),
          ..."--noEmitOnError --module nodenext --moduleResolution nodenext --target es2024 --lib es2024,dom,dom.iterable --strict --exactOptionalPropertyTypes".split(
            " ",
          ),
          "--types",
          "",
          "typed.ts",
        ],
        empty,
      );
      assert.equal(types.status, 0, types.stdout);
      writeFileSync(join(empty, "plain.mjs"), plainConsumer);
      for (const program of ["typed.js", "plain.mjs"]) {
        const answer = run(process.execPath, [program], empty, { CONSUMER_URL: url, CONSUMER_EMAIL: email, CONSUMER_PASSWORD: password });
        assert.equal(answer.stdout.trim(), `${email} made Mornings of ${program}, and was refused: 404 not_found`, answer.stderr);
      }
    });
    return undefined;
  });
});
