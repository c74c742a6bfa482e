import { createHash } from "node:crypto";
import { html } from "ghtml";

const PIXELS = 1400;
const MAX_LINES = 4;

/** Pairs that keep white letters readable: ground, circles. */
const palettes = [
  ["#0f4c5c", "#e36414"],
  ["#2d3047", "#e0a458"],
  ["#3d405b", "#e07a5f"],
  ["#1b4332", "#95d5b2"],
  ["#4a1942", "#f2b5d4"],
  ["#22223b", "#c9ada7"],
  ["#13315c", "#8da9c4"],
  ["#5f0f40", "#fb8b24"],
] as const;

/** A calm picture for a show that has none: its name over rings, as sound spreads. The same seed gives the same picture. */
export function coverSvg(title: string, seed: string): string {
  const hash = createHash("sha256").update(seed).digest();
  const [ground, ink] = palettes[(hash[0] ?? 0) % palettes.length] ?? palettes[0];
  const x = 300 + ((hash[1] ?? 0) / 255) * 800;
  const rings = Array.from(
    { length: 9 },
    (_, ring) =>
      `<circle cx="${x.toFixed(0)}" cy="340" r="${70 + ring * 105}" fill="none" stroke="${ink}" stroke-width="${26 - ring * 2}" opacity="${(0.9 - ring * 0.09).toFixed(2)}"/>`,
  );
  const lines = wrap(title);
  // Bold letters are at most 0.7 of their height wide in the widest font that may be on the machine.
  const size = Math.min(lines.length > 3 ? 112 : 136, (PIXELS - 220) / (0.7 * Math.max(...lines.map((line) => line.length))));
  const first = PIXELS - 120 - (lines.length - 1) * size * 1.12;
  const words = lines.map(
    (line, index) => html`<text x="110" y="${(first + index * size * 1.12).toFixed(0)}" font-size="${size.toFixed(0)}">${line}</text>`,
  );
  return html`<svg xmlns="http://www.w3.org/2000/svg" width="${PIXELS}" height="${PIXELS}" viewBox="0 0 ${PIXELS} ${PIXELS}">
    <defs>
      <linearGradient id="shade" x1="0" y1="0" x2="0" y2="1">
        <stop offset="0.35" stop-color="${ground}" stop-opacity="0" />
        <stop offset="0.75" stop-color="${ground}" stop-opacity="0.96" />
      </linearGradient>
    </defs>
    <rect width="${PIXELS}" height="${PIXELS}" fill="${ground}" />
    !${rings}
    <circle cx="${x.toFixed(0)}" cy="340" r="34" fill="${ink}" />
    <rect width="${PIXELS}" height="${PIXELS}" fill="url(#shade)" />
    <g font-family="Inter, 'Helvetica Neue', 'DejaVu Sans', 'Noto Sans', sans-serif" font-weight="700" fill="#ffffff">!${words}</g>
  </svg>`;
}

function wrap(title: string): string[] {
  const lines: string[] = [];
  for (const word of title.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && `${last} ${word}`.length <= 16) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word.length > 18 ? `${word.slice(0, 17)}…` : word);
  }
  return lines.length > MAX_LINES ? [...lines.slice(0, MAX_LINES - 1), `${lines[MAX_LINES - 1] ?? ""}…`] : lines;
}
