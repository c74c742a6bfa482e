/** The forms in which a value tends to leak. Each is looked for as it stands. */
export function formsOf(value: string): Set<string> {
  const bytes = Buffer.from(value);
  const json = JSON.stringify(value).slice(1, -1);
  const url = encodeURIComponent(value);
  const form = new URLSearchParams({ v: value }).toString().slice(2);
  const forms = [
    value,
    json,
    // JSON inside a JSON line.
    JSON.stringify(json).slice(1, -1),
    // What util.inspect prints.
    json.replaceAll("'", "\\'").replaceAll('\\"', '"'),
    url,
    lowerEscapes(url),
    form,
    lowerEscapes(form),
    html(value, "&#39;", "&#34;"),
    html(value, "&#x27;", "&quot;"),
    html(value, "'", "&quot;"),
    html(value, "'", '"'),
    html(value, "&#39;", "&quot;"),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    ...base64Forms(bytes),
  ];
  return new Set(forms);
}

function lowerEscapes(text: string): string {
  return text.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
}

function html(text: string, apostrophe: string, quote: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', quote).replaceAll("'", apostrophe);
}

/**
 * Base64 and base64url, alone and inside a longer text (`user:password` of Basic authentication): there the value begins at
 * one of three offsets, and the characters at both ends also hold bits of its neighbours, so they are left out.
 */
function base64Forms(bytes: Buffer): string[] {
  const inside = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  });
  const all = [bytes.toString("base64"), ...inside];
  return [...all, ...all.map((text) => text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""))];
}
