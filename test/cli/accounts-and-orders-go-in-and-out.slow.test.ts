import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { freePorts } from "../support/podcrew.ts";
import { givenGateway } from "./given-gateway.ts";
import { givenOwner } from "./given-owner.ts";

/** As `givenOwner`, with the environment as the second argument. */
async function given(t: TestContext) {
  const { run, client, ...rest } = await givenOwner(t);
  const withEnv = async (args: string[], env: Record<string, string> = {}) => run(args, { env });
  return { ...rest, run: withEnv, requests: client.requests };
}

const row = (n: number): string => `studio.example.com,user${n}@example.com,demo-password-${n}`;
const csv = (from: number, to: number): string =>
  ["website,email,password", ...Array.from({ length: to - from }, (_, n) => row(from + n))].join("\r\n");

test("accounts go in from CSV in batches, again without harm, and come out as CSV and JSON that go in again", async (t) => {
  const { data, run, write, read } = await given(t);
  await write("shows.csv", `${csv(0, 2500)}\r\nstudio.example.com,,no-login\r\n`);
  const first = await run(["groups", "import", "shows.csv"]);
  assert.deepEqual([first.code, first.err.split("\n").length], [1, 6], first.err);
  assert.match(
    first.err,
    /^1,000 of 2,501 rows: 1,000 imported\n2,000 of 2,501 rows: 2,000 imported\n2,501 of 2,501 rows: 2,500 imported, 1 failed\nRow 2,501: .*\nGroup \S+: 2,500 imported, 1 failed\.\n$/,
  );
  const { group } = JSON.parse(first.out) as { group: string };
  const again = await run(["groups", "import", "shows.csv"]);
  assert.deepEqual(JSON.parse(again.out), { group, imported: 0, overwritten: 0, duplicates: 2500, unsupported: 0, failed: 1 });
  assert.match(again.err, /Into the group shows that is there\./);

  for (const name of ["out.csv", "out.json"]) {
    const exported = await run(["groups", "export", group, "--out", name]);
    assert.equal(exported.code, 0, exported.err);
    assert.equal((await stat(join(data, name))).mode & 0o777, 0o600);
    assert.equal((await read(name)).includes("demo-password-"), false);
    assert.match(exported.err, /is written, without secrets/);
  }
  for (const name of ["secrets.json", "secrets.csv"])
    assert.match(
      (await run(["groups", "export", group, "--secrets", "--out", name])).err,
      /is written, with passwords or other secrets in it/,
    );
  assert.ok((await read("secrets.csv")).includes("demo-password-2499"));
  const copy = await run(["groups", "import", "secrets.csv", "--name", "Copy"]);
  assert.equal((JSON.parse(copy.out) as { imported: number }).imported, 2500, copy.err);
  const audit = await run(["audit", "--action", "accounts.export"]);
  assert.match(audit.out, /AT \(UTC\) +WHO +DID +HOW MANY +WHAT\n2026-11-21 /);
});

test("an import that is broken off says how far it came, and goes on when it is run again", async (t) => {
  const { run, write, manager } = await given(t);
  await write("shows.csv", csv(0, 2000));
  let left = 1;
  const gateway = await givenGateway(t, manager.url);
  gateway.judge((path) => (path.endsWith("/accounts/import") && left-- <= 0 ? "cut" : "pass"));
  const through = { MANAGER_URL: gateway.url };
  const broken = await run(["groups", "import", "shows.csv"], through);
  assert.equal(broken.code, 2);
  assert.match(broken.err, /gave no whole answer.*\n1,000 of 2,000 rows are through, in group \S+ Run the command again to go on/);
  left = Infinity;
  const whole = await run(["groups", "import", "shows.csv"], through);
  const { imported, duplicates } = JSON.parse(whole.out) as { imported: number; duplicates: number };
  assert.deepEqual([whole.code, imported, duplicates], [0, 1000, 1000], whole.err);
});

test("requests are ordered from a file and taken out again; links too", async (t) => {
  const { run, write, read, credit, requests } = await given(t);
  await write(
    "orders.csv",
    'name;auction_price;target;data\nWeek 47;50;2;"{""episodes"":[{""title"":""One"",""about"":""A text""}]}"\nWeek 48;60;1;\n',
  );
  const poor = await run(["request", "create", "podcast", "--file", "orders.csv"]);
  assert.equal(poor.code, 2);
  assert.match(poor.err, /not enough credits: 100 are needed.*podcrew credits add owner@/);
  await credit(160);
  const made = await run(["request", "create", "podcast", "--file", "orders.csv"]);
  assert.equal(made.code, 0, made.err);
  assert.match(made.err, /160 credits are reserved/);
  const ids = made.out.trim().split("\n");
  assert.equal(ids.length, 2);
  for (const name of ["requests.csv", "requests.json"]) {
    assert.equal((await run(["request", "export", "--out", name])).code, 0);
    await credit(160);
    const again = await run(["request", "create", "podcast", "--file", name]);
    assert.equal(again.out.trim().split("\n").length, 2, again.err);
    for (const id of again.out.trim().split("\n")) await requests.deleteRequest({ params: { type: "podcast", id } });
    await credit(-160);
  }
  const one = await run(["request", "export", ids[0] ?? ""]);
  assert.deepEqual(
    (JSON.parse(one.out) as { requests: { name: string; data: object }[] }).requests.map(({ name }) => name),
    ["Week 47"],
  );
  assert.match((await run(["request", "start", ids[0] ?? ""])).err, /group_id: the request has no group/);
  const links = await run(["links", ids[0] ?? "", "--out", "links.csv"]);
  assert.equal(links.code, 0, links.err);
  assert.match(await read("links.csv"), /^id,service_type/);
  await write("bad.csv", "name,auction_price\nWeek 49,5\n");
  assert.match((await run(["request", "create", "podcast", "--file", "bad.csv"])).err, /auction_price: podcast takes 50 to 100/);
});

test("an order says what is there when it goes no further; flags win over the file", async (t) => {
  const { run, write, credit, requests, helper } = await given(t);
  await write("order.csv", "name;target;service_type\n'=Week 47;2;podcast\n");
  const order = ["request", "create", "podcast", "--file", "order.csv"];
  const operator = await helper("operator");
  assert.match(
    (await run([...order, "--price", "50"], operator)).err,
    /Ask the owner for whom operator@\S+ works; .*credits add OWNER AMOUNT/,
  );
  await credit(1000);
  assert.match(
    (await run(["request", "create", "blog20", ...order.slice(3), "--price", "50"])).err,
    /of the type "podcast", and blog20 ones/,
  );
  const { out, err, code } = await run([...order, "--price", "50", "--start"]);
  const [id = ""] = out.trim().split("\n");
  assert.equal(code, 2);
  assert.match(err, new RegExp(`no group.*\nThe request ${id} is ordered and holds 100 credits, .*\`podcrew request start ${id}\``));
  const [price, target] = [55, 3];
  const { out: other } = await run([...order, "--name", "Week 48", "--price", String(price), "--target", String(target)]);
  const made = await requests.readRequest({ params: { type: "podcast", id: other.trim() } });
  assert.deepEqual([made.name, made.auction_price, made.target], ["Week 48", price, target]);
  assert.equal((await requests.readRequest({ params: { type: "podcast", id } })).name, "=Week 47");
  await write("nameless.json", '{"data":{}}');
  const named = await run(["request", "create", "podcast", "--file", "nameless.json", "--name", "Week 49", "--price", "50"]);
  assert.equal(named.code, 0, named.err);
});

test("README's own order is made and started, and a farm gets a text to read out", async (t) => {
  const { run, write, credit, data, client, farm } = await givenOwner(t);
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const [, json = ""] = /^echo '(.*)' > request\.json$/m.exec(readme) ?? [];
  await write("request.json", json);
  await write("accounts.csv", "website,email,password\nstudio.example.com,me@example.com,demo-password\n");
  await credit(60);
  const { group } = JSON.parse((await run(["groups", "import", "accounts.csv", "--name", "My shows"])).out) as { group: string };
  const made = await run(["request", "create", "podcast", "--file", "request.json", "--group", group, "--start"]);
  assert.equal(made.code, 0, made.err);
  assert.match(made.err, /^60 credits are reserved/m);
  const [task] = await farm.pull();
  assert.ok(task?.data_content[0]?.about, `nothing to read out: ${json}`);

  const silent = { name: "Silent", auction_price: 60, data: { episodes: [{ title: "One" }] } };
  await write("silent.json", JSON.stringify(silent));
  const refused = await run(["request", "create", "podcast", "--file", join(data, "silent.json")]);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /data\.episodes\.0: .*neither a text to read out \(about\) nor audio \(audio_url\)/);
  assert.equal((await client.requests.listProjects()).total, 1, "nothing is ordered");
});

test("what goes wrong is one sentence, and the command ends with 2", async (t) => {
  const { run, write, helper } = await given(t);
  const [port] = await freePorts(1);
  const foreign = createServer((_request, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"));
  foreign.listen(0, "127.0.0.1");
  await once(foreign, "listening");
  t.after(() => foreign.close());
  await write("empty.csv", "website,email\n");
  await write("misspelt.csv", "website,email,pasword\na,b,c\n");
  await write("other.csv", "site,mail\na,b\n");
  await write("broken.json", "{");
  const asViewer = await helper("viewer");
  const cases: [string[], Record<string, string>, RegExp][] = [
    [["groups", "list"], { MANAGER_PASSWORD: "demo-of-last-year" }, /does not let owner@\S+ in: .* Check MANAGER_EMAIL/],
    [["groups", "list"], { MANAGER_URL: `http://127.0.0.1:${port}` }, /No manager answers at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)/],
    [["groups", "list"], { MANAGER_URL: `http://127.0.0.1:${(foreign.address() as { port: number }).port}` }, /is no Podcrew manager/],
    [["audit"], asViewer, /it takes an owner.*signed in as viewer@/],
    [["groups", "export", "7b0e7e0c-53b4-4a0c-8d5f-0f6f3a7d1c11"], {}, /nothing of yours under this id/],
    [["groups", "import", "empty.csv"], {}, /empty\.csv has no rows/],
    [["groups", "import", "other.csv"], {}, /the first line holds no names of columns; accounts have website, username/],
    [
      ["groups", "import", "misspelt.csv"],
      {},
      /a column "pasword", which accounts don't have; they have website, username, email, password,/,
    ],
    [["groups", "import", "broken.json"], {}, /broken\.json is no JSON/],
    [["links", "7b0e7e0c-53b4-4a0c-8d5f-0f6f3a7d1c11"], {}, /There is no request/],
  ];
  for (const [args, env, says] of cases)
    await t.test(`${args.join(" ")} ${Object.keys(env).join(" ")}`, async () => {
      const { code, err } = await run(args, env);
      assert.equal(code, 2, err);
      assert.match(err, says);
      assert.doesNotMatch(err, /\n {4}at /, "no stack");
    });
});
