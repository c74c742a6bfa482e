import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { DockerfileParser, type Instruction } from "dockerfile-ast";
import { validate } from "dockerfile-utils";

const project = fileURLToPath(new URL("..", import.meta.url));
const text = readFileSync(join(project, "Dockerfile"), "utf8");
const instructions = DockerfileParser.parse(text).getInstructions();
const last = instructions.slice(instructions.findLastIndex((one) => one.getKeyword() === "FROM"));

function only(keyword: string): Instruction {
  const found = last.filter((one) => one.getKeyword() === keyword);
  assert.equal(found.length, 1, `one ${keyword} in the last stage`);
  return found[0]!;
}

function argumentsOf(keyword: string): string {
  return only(keyword).getArgumentsContent() ?? "";
}

describe("the image", () => {
  test("the linter finds nothing", () => {
    assert.deepEqual(
      validate(text).map(({ message, range }) => `line ${range.start.line + 1}: ${typeof message === "string" ? message : message.value}`),
      [],
    );
  });

  test("is built in one stage and run in another", () => {
    assert.equal(instructions.filter((one) => one.getKeyword() === "FROM").length, 2);
    assert.ok(
      !last.some((one) => one.getKeyword() === "RUN" && /npm/.test(one.getArgumentsContent() ?? "")),
      "nothing is installed by npm in the stage that runs",
    );
  });

  test("every file it copies exists and is let in by .dockerignore", () => {
    const letIn = new Set(
      readFileSync(join(project, ".dockerignore"), "utf8")
        .split("\n")
        .filter((line) => line.startsWith("!"))
        .map((line) => line.slice(1)),
    );
    for (const copy of instructions.filter((one) => one.getKeyword() === "COPY" && !/--from/.test(one.getTextContent()))) {
      for (const path of copy
        .getArguments()
        .slice(0, -1)
        .map((argument) => argument.getValue())) {
        assert.ok(existsSync(join(project, path)), `${path} does not exist`);
        assert.ok(letIn.has(path) || letIn.has(path.split("/")[0]!), `.dockerignore keeps ${path} out`);
      }
    }
  });

  test("runs as an ordinary user, under an init, as an argument list: signals arrive", () => {
    assert.equal(argumentsOf("USER"), "node");
    const entry = JSON.parse(argumentsOf("ENTRYPOINT")) as string[];
    assert.deepEqual(entry.slice(0, 3), ["tini", "--", "node"]);
    assert.ok(!entry.includes("-g"), "the init must not signal the browsers");
    assert.deepEqual(JSON.parse(argumentsOf("CMD")), ["farm"]);
    assert.equal(argumentsOf("STOPSIGNAL"), "SIGTERM");
  });

  test("writes to its volume and /tmp only", () => {
    assert.equal(argumentsOf("VOLUME"), "/data");
    const env = argumentsOf("ENV");
    for (const setting of ["PODCREW_DATA=/data", "TMPDIR=/tmp", "HOME=/tmp", "HOST=0.0.0.0", "NODE_ENV=production"])
      assert.ok(env.includes(setting), setting);
    const order = last.map((one) => one.getKeyword());
    assert.ok(!order.slice(order.indexOf("USER")).includes("RUN"), "nothing is made by the user who runs it");
  });

  test("carries no secret", () => {
    assert.doesNotMatch(text, /API_KEY|PODCREW_KEY=|PASSWORD|TOKEN/);
  });
});

describe("the seccomp profile", () => {
  interface Rule {
    names: string[];
    action: string;
    args?: unknown[];
  }
  const profile = JSON.parse(readFileSync(join(project, "scripts/docker/seccomp.json"), "utf8")) as {
    defaultAction: string;
    syscalls: Rule[];
  };
  const allowed = (name: string): boolean => profile.syscalls.some((rule) => rule.action === "SCMP_ACT_ALLOW" && rule.names.includes(name));

  test("refuses what it does not name", () => {
    assert.equal(profile.defaultAction, "SCMP_ACT_ERRNO");
    for (const name of [
      "mount",
      "umount2",
      "pivot_root",
      "bpf",
      "init_module",
      "kexec_load",
      "reboot",
      "swapon",
      "keyctl",
      "add_key",
      "open_by_handle_at",
      "perf_event_open",
      "userfaultfd",
      "io_uring_setup",
    ])
      assert.ok(!allowed(name), name);
  });

  test("lets Chromium make its sandbox", () => {
    for (const name of ["clone", "unshare", "setns", "chroot", "seccomp"]) assert.ok(allowed(name), name);
  });

  test("names no call twice", () => {
    const names = profile.syscalls.filter((rule) => !rule.args).flatMap((rule) => rule.names);
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
    );
  });
});

describe("the health check", () => {
  /** A port on which nobody listens any more. */
  async function freePort(): Promise<string> {
    await using gone = await answering(200);
    return gone.port;
  }

  async function health(ports: Record<string, string>): Promise<number | null> {
    const [TASK_PORT, MANAGER_PORT, STUDIO_PORT] = [await freePort(), await freePort(), await freePort()];
    const nowhere = { TASK_PORT, MANAGER_PORT, STUDIO_PORT };
    const child = spawn(process.execPath, [join(project, "scripts/docker/healthcheck.mjs")], {
      env: { PATH: process.env["PATH"], ...nowhere, ...ports },
      stdio: "ignore",
    });
    const [code] = (await once(child, "exit")) as [number | null];
    return code;
  }

  async function answering(status: number): Promise<{ port: string; [Symbol.asyncDispose]: () => Promise<void> }> {
    const server = createServer((_request, response) => response.writeHead(status).end());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return {
      port: String((server.address() as AddressInfo).port),
      async [Symbol.asyncDispose]() {
        server.closeAllConnections();
        server.close();
        await once(server, "close");
      },
    };
  }

  test("one listener that is well is enough", async () => {
    await using farm = await answering(200);
    assert.equal(await health({ TASK_PORT: farm.port }), 0);
  });

  test("nobody there is ill", async () => {
    assert.equal(await health({}), 1);
  });

  test("one ill among two is ill", async () => {
    await using farm = await answering(200);
    await using studio = await answering(500);
    assert.equal(await health({ TASK_PORT: farm.port, STUDIO_PORT: studio.port }), 1);
  });
});
