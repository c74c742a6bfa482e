/**
 * The one six-digit code of a mail, for drivers that name no pattern. Order numbers, phone numbers, promotions and dates have
 * six digits, too: a number is a code by the words around it, and two that are equally good are none.
 */
export type LikelyCode = { kind: "one"; code: string } | { kind: "none" | "several" };

/** 123456, 123 456, 123-456, 1 2 3 4 5 6, G-123456; no part of a longer number, an amount, an address or a word. */
const NUMBER =
  /(?<!\d[ .,:/-]?|[#$€£¥+=@&_/]|[A-Za-z])(?<!(?<!\bG)-)(?:\d{6}|\d{3}[ -]\d{3}|\d(?:[ \n]{1,3}\d){5})(?![\w%€]|[.,:/-]\d| \d)/g;
const CODE_WORD =
  /\b(?:codes?|passcode|pass ?code|otp|pin|one-time password|token|códigos?|codigo|codice|código|kod|kode|koodi|kód|einmalpasswort|zugangscode)\b|(?:mã|код|пароль|验证码|校验码|驗證碼|認証コード|確認コード|コード|인증번호|인증 코드|รหัส)/giu;
const OTHER_WORD =
  /\b(?:(?:promo(?:tion(?:al)?)?|discount|coupon|voucher|gift|referral|zip|postal|post|area|country|dial(?:l?ing)?|booking|order|product|error|status|source|customer|support|invite|qr|bar)[ -]?codes?|orders?|invoice|receipt|reference|ref|ticket|case|phone|telephone|tel|fax|call|hotline|mobile|booking|tracking|customer|listeners?|downloads?|plays|episodes?|followers|pedido|factura|commande|facture|bestellung|rechnung|telefon|ordine)\b|(?:mã (?:đơn hàng|giảm giá|khuyến mãi|vận đơn|bưu chính|khách hàng)|đơn hàng|hóa đơn|điện thoại|заказ|телефон|订单|電話|电话|注文)/giu;
const BEFORE = 90;
const AFTER = 45;

export function likelyCode({ subject, bodies }: { subject: string; bodies: readonly string[] }): LikelyCode {
  const points = new Map<string, number>();
  for (const text of [subject, ...bodies]) {
    for (const match of text.matchAll(NUMBER)) {
      const code = match[0].replace(/\D/g, "");
      const found = score(text, match.index, match.index + match[0].length);
      points.set(code, Math.max(points.get(code) ?? found, found));
    }
  }
  const best = Math.max(...points.values());
  const codes = [...points].filter(([, found]) => found === best && found > 0).map(([code]) => code);
  return codes.length === 1 ? { kind: "one", code: codes[0] ?? "" } : { kind: codes.length === 0 ? "none" : "several" };
}

/** 4: a code by its words; 1: stands alone; below 1: something else. The word that is nearest before it counts, else one right after. */
function score(text: string, from: number, to: number): number {
  const before = text.slice(Math.max(0, from - BEFORE), from);
  const after = text.slice(to, to + AFTER).split("\n", 1)[0] ?? "";
  const [code, other] = [lastEnd(before, CODE_WORD), lastEnd(before, OTHER_WORD)];
  const alone = /(?:^|\n)[ \t]*$/.test(before) && /^[ \t]*$/.test(after);
  const sentenceBegins = Math.max(before.lastIndexOf("\n"), before.search(/[.!?]\s[^.!?]*$/));
  // "Order 1 is on its way. 123456 is your code": what another sentence is about does not count against it.
  const follows = firstWord(after);
  if (follows === "code" && Math.max(code, other) <= sentenceBegins) return 4;
  if (other >= 0 && other >= code) return other > sentenceBegins || alone ? -1 : 0;
  if (code >= 0) return code > sentenceBegins || alone ? 4 : 2;
  if (follows === "code") return 4;
  return alone ? 1 : 0;
}

function lastEnd(text: string, words: RegExp): number {
  let end = -1;
  for (const match of text.matchAll(words)) end = match.index + match[0].length;
  return end;
}

function firstWord(text: string): "code" | "other" | null {
  const [code, other] = [text.search(CODE_WORD), text.search(OTHER_WORD)];
  if (code < 0) return other < 0 ? null : "other";
  return other >= 0 && other <= code ? "other" : "code";
}
