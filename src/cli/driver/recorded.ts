import { driverText } from "./scaffold.ts";

/** The verbs that a recording is sorted into, in the order in which they are shown. */
export const recordedVerbs = ["signIn", "draft", "publish"] as const;
export type RecordedVerb = (typeof recordedVerbs)[number];

export interface Recording {
  /** Playwright's lines, as they were written at the end. */
  lines: readonly string[];
  /** How many of them there were when each verb but the first began; a verb that was never reached is missing. */
  marks: Partial<Record<RecordedVerb, number>>;
  /** Requests that changed something after the person said that publishing begins. */
  requests: readonly { method: string; url: string }[];
}

/** What is typed in a field of such a name, as the driver writes it. What was typed while recording is not kept where it may be a secret. */
const typed: Readonly<Record<"signIn" | "draft", readonly [RegExp, string][]>> = {
  signIn: [
    [/pass|mật khẩu|密碼|密码/i, "account.password"],
    [/e-?mail/i, "account.email"],
    [/code|otp|2fa|authenticator|mã|驗證碼|验证码/i, "await totp(account.twofa)"],
    [/user|login|account|name/i, "account.username"],
  ],
  draft: [[/title|tiêu đề|標題|标题|headline/i, "episode.title"]],
};
const richText = /ql-editor|ProseMirror|contenteditable|tinymce|description|about|show ?notes|content|body|mô tả|簡介|描述/i;
const schemas = { email: "z.email()", password: "z.string()", twofa: "z.string()", username: "z.string()" } as const;

/** The steps out of Playwright's script: one a line, without the browser around them. */
export function stepsOf(script: string): string[] {
  return script
    .split("\n")
    .map((line) => line.trim())
    .filter(
      (line) =>
        /^(await|const) .*page\d*\./.test(line) && !/^await page\d*\.close\(\)/.test(line) && !/= await context\.newPage/.test(line),
    );
}

/** A driver with the recorded steps in its verbs; what no recording can know is left as the scaffold has it. */
export function recordedDriver(site: string, origin: string, recording: Recording): string {
  const draft = recording.marks.draft ?? recording.lines.length;
  const publish = recording.marks.publish ?? recording.lines.length;
  const part = {
    signIn: recording.lines.slice(0, draft),
    draft: recording.lines.slice(draft, publish),
    publish: recording.lines.slice(publish),
  };
  const bodies = {
    signIn: [...rewrite(part.signIn, "signIn", origin), "await page.waitForURL(/dashboard/); // a page that only members see"],
    draft: [
      ...rewrite(part.draft, "draft", origin),
      "return /episodes\\/([^/]+)/.exec(page.url())?.[1]; // the draft's id, where the site has one",
    ],
    publish: [
      ...rewrite(part.publish, "publish", origin),
      'return { link: (await page.getByRole("link", { name: "Public page" }).getAttribute("href")) ?? "", id: draftId ?? "" }; // what the site shows then',
    ],
  };
  const used = Object.keys(schemas).filter((field) =>
    bodies.signIn.some((line) => line.includes(`account.${field}`)),
  ) as (keyof typeof schemas)[];
  const code = bodies.signIn.some((line) => line.includes("totp("));
  let text = driverText(site, origin);
  text = replaceBody(text, "signIn", bodies.signIn, `{ page, account${code ? ", totp" : ""}, writeText }`);
  text = replaceBody(text, "draft", bodies.draft, null);
  const writes = bodies.publish.some((line) => line.startsWith("await writeText("));
  text = replaceBody(text, "publish", bodies.publish, writes ? "{ page, writeText }, _episode, draftId" : null);
  if (used.length > 0)
    text = text.replace(
      /account: z\.object\(.*\),/,
      () => `account: z.object({ ${used.map((field) => `${field}: ${schemas[field]}`).join(", ")} }),`,
    );
  const [first] = recording.requests;
  if (first)
    text = text.replace(/ {2}publishRequest: .*,/, () =>
      [
        ...recording.requests.slice(0, 8).map(({ method, url }) => `  // recorded: ${method} ${url}`),
        `  publishRequest: ${patternOf(first)},`,
      ].join("\n"),
    );
  return text;
}

function replaceBody(text: string, verb: RecordedVerb, lines: readonly string[], given: string | null): string {
  return text.replace(
    new RegExp(`(  async ${verb}\\()([^]*?)(\\) \\{\\n)[^]*?(\\n  \\},\\n)`),
    (_all, start: string, params: string, open: string, end: string) =>
      [start, given ?? params, open, lines.map((line) => `    ${line}`).join("\n"), end].join(""),
  );
}

function rewrite(lines: readonly string[], verb: RecordedVerb, origin: string): string[] {
  return lines.flatMap((line, at) => {
    const [, target = "", action = "", value = ""] = /^await (.*)\.(\w+)\((.*)\);$/.exec(line) ?? [];
    // The recorder clicks into each field before it fills it in.
    const next = lines[at + 1] ?? "";
    if (action === "click" && ["fill", "setInputFiles"].some((then) => next.startsWith(`await ${target}.${then}(`))) return [];
    if (action === "goto") return [`await ${target}.goto(${value.replace(origin, "").replace(/^(['"])\1$/, "$1/$1")});`];
    if (action === "setInputFiles") return [`await ${target}.setInputFiles(${fileOf(value)});`];
    if (action !== "fill" && action !== "pressSequentially") return [line];
    const asTyped = action === "fill" ? `await writeText(${target}, ${value});` : line;
    if (verb === "publish") return [asTyped];
    const known = typed[verb].find(([name]) => name.test(wordsOf(target)))?.[1];
    if (known) return [`await writeText(${target}, ${known});`];
    if (verb === "signIn") return [`await writeText(${target}, ""); // say what goes here; what was typed is not kept`];
    return richText.test(target) ? [`await writeHtml(${target}, episode.aboutHtml);`] : [asTyped];
  });
}

/** What a person reads of a locator: its names, and not its roles. */
function wordsOf(target: string): string {
  const words = Array.from(target.matchAll(/(getByRole\()?'((?:[^'\\]|\\.)*)'/g), ([, role, text = ""]) => (role ? "" : text)).join(" ");
  return words.trim() || target;
}

function fileOf(value: string): string {
  if (/\.(mp3|m4a|wav|ogg|flac|aac)\b/i.test(value)) return "episode.audioPath";
  return /\.(png|jpe?g|webp|gif)\b/i.test(value) ? "episode.coverPath ?? []" : value;
}

/** An address with what changes from episode to episode left open. */
function patternOf({ method, url }: { method: string; url: string }): string {
  const path = new URL(url).pathname
    .split("/")
    .map((part) => (/\d|^.{20,}$/.test(part) ? "[^/]+" : part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")));
  return `{ method: "${method}", url: /${path.join("\\/")}$/ }`;
}
