import assert from "node:assert/strict";
import { test } from "node:test";
import { isPublishRequest } from "../../src/driver/publish-request.ts";

const publish = { method: "POST", url: "https://studio.example.com/api/episodes/7/publish", body: null };
const pattern = { method: "POST", url: /\/api\/episodes\/\d+\/publish$/ } as const;

test("method and address decide", () => {
  assert.equal(isPublishRequest(pattern, publish), true);
  assert.equal(isPublishRequest(pattern, { ...publish, method: "GET" }), false);
  assert.equal(isPublishRequest(pattern, { ...publish, url: "https://studio.example.com/api/episodes/7" }), false);
  assert.equal(isPublishRequest(pattern, { ...publish, url: `${publish.url}/preview` }), false);
});

test("where everything goes to one address, the body decides", () => {
  const graphql = { method: "POST", url: /\/graphql$/, body: /"publishEpisode"/ } as const;
  const request = { method: "POST", url: "https://studio.example.com/graphql" };
  assert.equal(isPublishRequest(graphql, { ...request, body: '{"operationName":"publishEpisode"}' }), true);
  assert.equal(isPublishRequest(graphql, { ...request, body: '{"operationName":"saveDraft"}' }), false);
  assert.equal(isPublishRequest(graphql, { ...request, body: null }), false);
});

test("the same request is the same, however often it is asked about", () => {
  for (let time = 0; time < 3; time++) assert.equal(isPublishRequest(pattern, publish), true);
});
