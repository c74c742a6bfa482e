import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { test, type TestContext } from "node:test";
import { fetch } from "undici";
import { Failure } from "../../src/contract/failures.ts";
import { createAddressPolicy, isForbidden, type AddressPolicy } from "../../src/kit/addresses.ts";

const forbidden = (error: unknown): boolean => {
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    if (at instanceof Failure && at.code === "content.forbidden_address") return true;
  return false;
};

function policy(t: TestContext, ...allow: string[]): AddressPolicy {
  const made = createAddressPolicy(allow);
  t.after(async () => made.close());
  return made;
}

async function site(
  t: TestContext,
  answer: (path: string) => { status: number; location?: string },
): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const { status, location } = answer(request.url ?? "");
    response.writeHead(status, location ? { location } : {}).end("secret page");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { port: (server.address() as { port: number }).port, asked };
}

const inside = [
  "http://127.0.0.1/",
  "http://127.9.9.9:8700/",
  "http://localhost/",
  "http://10.1.2.3/",
  "http://172.16.0.1/",
  "http://172.31.255.255/",
  "http://192.168.1.1/",
  "http://100.64.0.1/",
  "http://169.254.169.254/latest/meta-data/",
  "http://0.0.0.0/",
  "http://0/",
  "http://255.255.255.255/",
  "http://224.0.0.1/",
  "http://2130706433/",
  "http://0x7f000001/",
  "http://0x7f.1/",
  "http://017700000001/",
  "http://127.1/",
  "http://[::1]/",
  "http://[::]/",
  "http://[::ffff:127.0.0.1]/",
  "http://[::ffff:a9fe:a9fe]/",
  "http://[0:0:0:0:0:ffff:c0a8:0101]/",
  "http://[::127.0.0.1]/",
  "http://[64:ff9b::10.0.0.1]/",
  "http://[2002:7f00:1::]/",
  "http://[fc00::1]/",
  "http://[fd12:3456::1]/",
  "http://[fe80::1]/",
  "http://[ff02::1]/",
  "http://user:pass@127.0.0.1/",
  "http://127.0.0.1./",
  "http://①②⑦.0.0.1/",
  "file:///etc/passwd",
  "ftp://example.com/x",
];
for (const url of inside) {
  test(`${url} is refused`, async (t) => {
    await assert.rejects(policy(t).check(url), forbidden);
  });
}

test("public addresses pass", async (t) => {
  const { check } = policy(t);
  for (const url of [
    "http://1.1.1.1/",
    "https://93.184.216.34:8443/x",
    "http://172.32.0.1/",
    "http://100.128.0.1/",
    "https://[2606:4700::1111]/",
    "http://[::ffff:8.8.8.8]/",
  ])
    await check(url);
  for (const address of ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "2002:808:808::1"])
    assert.equal(isForbidden(address), false, address);
});

test("a name that can't be looked up is no forbidden address; the fetch will say what is wrong with it", async (t) => {
  await policy(t).check("http://name.invalid/");
});

test("what is no address at all is the user's to correct", async (t) => {
  await assert.rejects(policy(t).check("not an address"), (error) => error instanceof Failure && error.code === "content.unreachable");
});

test("the dispatcher refuses by itself: addresses, names that lead inside, nothing reaches the server", async (t) => {
  const { port, asked } = await site(t, () => ({ status: 200 }));
  const { dispatcher } = policy(t);
  for (const host of ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f.1"])
    await assert.rejects(fetch(`http://${host}:${port}/`, { dispatcher }), forbidden, host);
  assert.deepEqual(asked, []);
});

test("a redirect to the inside is refused, from a host that is allowed too", async (t) => {
  const hidden = await site(t, () => ({ status: 200 }));
  const open = await site(t, () => ({ status: 302, location: `http://localhost:${hidden.port}/latest/meta-data/` }));
  const { dispatcher } = policy(t, `127.0.0.1:${open.port}`);
  await assert.rejects(fetch(`http://127.0.0.1:${open.port}/cover.jpg`, { dispatcher }), forbidden);
  assert.deepEqual([open.asked, hidden.asked], [["/cover.jpg"], []]);
});

test("allowed hosts are fetched: with port only that port, without port each", async (t) => {
  const { port } = await site(t, () => ({ status: 200 }));
  const byPort = policy(t, `LocalHost:${port}`);
  await byPort.check(`http://localhost:${port}/x`);
  assert.equal((await fetch(`http://localhost:${port}/x`, { dispatcher: byPort.dispatcher })).status, 200);
  await assert.rejects(byPort.check(`http://localhost:${port + 1}/`), forbidden);
  await assert.rejects(byPort.check(`http://127.0.0.1:${port}/`), forbidden);
  await policy(t, "nas.local", "127.0.0.1").check("http://127.0.0.1:9/");
  await policy(t, "[::1]:80").check("http://[::1]/");
});
