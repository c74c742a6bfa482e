/** Characters that XML 1.0 forbids in any form (no escape brings them back), and noncharacters. */
// oxlint-disable-next-line no-control-regex -- these are the characters to find
const forbidden = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u0084\u0086-\u009F\uFDD0-\uFDEF\uFFFE\uFFFF]/g;

/** Text that may stand in an XML document: forbidden control characters and lone surrogates gone, all else untouched. */
export function xmlText(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(forbidden, "")
    .replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "");
}
