import assert from "node:assert/strict";
import { test } from "node:test";
import { likelyCode } from "../../src/driver/likely-code.ts";
import { htmlText } from "../../src/driver/read-code.ts";

const read = (body: string, subject = "Hello"): string => {
  const found = likelyCode({ subject, bodies: [body] });
  return found.kind === "one" ? found.code : found.kind;
};

for (const [what, body] of [
  ["after its word", "Your sign-in code is 104233. It is good for 10 minutes."],
  ["on a line of its own", "Verification code:\n\n104233\n\nOrder 482913 is on its way."],
  ["before its word", "104233 is your Studio verification code. Order 482913 is paid."],
  ["in two groups", "Use code 104 233 within 10 minutes."],
  ["with a dash", "Use code 104-233 within 10 minutes."],
  ["as Google writes it", "G-104233 is your verification code."],
  ["in Vietnamese", "Mã đơn hàng: 482913\nMã xác minh của bạn: 104233"],
  ["in Chinese", "您的验证码104233，请勿告诉他人。订单 482913"],
  ["beside an order", "Order #482913\nOrder number 482914\nYour code: 104233"],
  ["beside a phone number", "Your code is 104233. Questions? Call +44 20 123456 or 555 123 456, tel. 123456."],
  ["beside a promotion", "Promo code: 482913. Sign-in code: 104233."],
  ["beside an amount and a day", "Code 104233. You paid $482913 on 2026-11-21, ref. 20261121, 482913.50 in all, 482913% more."],
] as const) {
  test(`a code is told from other numbers: ${what}`, () => assert.equal(read(body), "104233"));
}

for (const [what, body] of [
  ["an order", "Thank you! Order number 482913 is on its way."],
  ["a promotion", "Use promo code 482913 for 20 % off."],
  ["an audience", "Join 250000 listeners of your favourite show!"],
  ["a longer number", "Code 1042331, or 10423"],
  ["a word", "Code A104233B"],
] as const) {
  test(`a number is no code: ${what}`, () => assert.equal(read(body), "none"));
}

test("two numbers that are equally good are none: a wrong code costs a try", () => {
  assert.equal(read("Your code is 104233. Your code is 482913."), "several");
  assert.equal(read("Your code is 104233. Your code is 104233."), "104233");
});

test("HTML is read as a person sees it", () => {
  const seen = (html: string): string => read(htmlText(html));
  assert.equal(seen("<style>p { color: #482913 }</style><p>Your code: <b>104</b><b>233</b></p>"), "104233");
  assert.equal(seen("<p>Your code</p><table><tr><td>1</td><td>0</td><td>4</td><td>2</td><td>3</td><td>3</td></tr></table>"), "104233");
  assert.equal(seen("<p>Your code:&nbsp;&#49;&#x30;4233</p>"), "104233");
  assert.equal(seen("<table><tr><td>Step 2</td><td>Code</td><td>104233</td></tr></table>"), "104233");
});
