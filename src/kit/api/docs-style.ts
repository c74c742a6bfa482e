/** Of the page for readers: one column on a phone, the contents beside it where there is room, and either light or dark. */
export const DOCS_STYLE = `
  :root { color-scheme: light dark; --back: light-dark(#fff, #14171b); --raised: light-dark(#f5f7f8, #1c2026); --line: light-dark(#e0e4e8, #30363d); --text: light-dark(#1b2026, #e6e9ed); --soft: light-dark(#59636e, #9aa4b1); --accent: light-dark(#0b6b5d, #5fd0be); --get: light-dark(#1f5fae, #7cb7ff); --put: light-dark(#865400, #f2c14e); --delete: light-dark(#b3261e, #ff8a80); }
  * { box-sizing: border-box; }
  html { scroll-padding-top: 16px; scroll-behavior: smooth; }
  body { margin: 0; font: 15px/1.55 system-ui, sans-serif; display: grid; grid-template-columns: 300px minmax(0, 1fr); background: var(--back); color: var(--text); }
  a { color: var(--accent); }
  a:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
  nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 24px 20px; border-right: 1px solid var(--line); font-size: 13px; }
  nav > strong { display: block; font-size: 16px; margin-bottom: 12px; }
  nav > div:nth-of-type(2) { margin-bottom: 18px; }
  nav > div > a { font-weight: 600; color: inherit; text-decoration: none; }
  nav ul { list-style: none; margin: 4px 0 18px; padding: 0; }
  nav li a { display: flex; gap: 8px; padding: 3px 0; color: var(--soft); text-decoration: none; white-space: nowrap; }
  nav li a > span:last-child { overflow: hidden; text-overflow: ellipsis; }
  nav a:hover { color: var(--accent); }
  main { padding: 32px 48px 96px; max-width: 1040px; }
  h1 { margin: 0 0 8px; font-size: 30px; } h2 { margin: 64px 0 8px; font-size: 23px; } h3 { margin: 0 0 6px; font-size: 16px; font-weight: 600; }
  h3 a { color: inherit; text-decoration: none; } h3 a:hover { color: var(--accent); }
  p { margin: 0 0 12px; max-width: 72ch; }
  article { border-top: 1px solid var(--line); padding: 22px 0 14px; }
  article:target { box-shadow: -4px 0 var(--accent); padding-left: 14px; margin-left: -14px; }
  small { color: var(--soft); font-size: 13px; }
  code { font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; overflow-wrap: anywhere; }
  pre { margin: 8px 0 12px; padding: 12px 14px; overflow-x: auto; background: var(--raised); border: 1px solid var(--line); border-radius: 8px; }
  pre code { overflow-wrap: normal; }
  .method { flex: none; display: inline-block; width: 50px; font: 600 11px/1.8 ui-monospace, SFMono-Regular, Menlo, monospace; color: var(--get); }
  .method.post { color: var(--accent); } .method.put { color: var(--put); } .method.delete { color: var(--delete); }
  summary { cursor: pointer; color: var(--soft); font-size: 13px; font-weight: 600; margin: 10px 0 4px; width: fit-content; }
  summary:hover { color: var(--accent); }
  table { border-collapse: collapse; width: 100%; margin: 0 0 10px; }
  th, td { text-align: left; vertical-align: top; padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); font-weight: 400; font-size: 13px; overflow-wrap: anywhere; }
  th { width: 34%; } td:nth-child(2) { width: 30%; color: var(--soft); }
  .refusals th { width: 190px; } .refusals td:nth-child(2) { width: 60px; }
  .before { color: var(--soft); } .needed { color: var(--delete); }
  .or td { color: var(--soft); font-style: italic; }
  @media (max-width: 860px) {
    html { scroll-padding-top: 60px; }
    body { display: block; }
    nav { z-index: 1; display: flex; gap: 18px; height: auto; padding: 12px 16px; overflow-x: auto; background: var(--back); border: 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
    nav > strong, nav ul { display: none; } nav > div:nth-of-type(2) { margin: 0; }
    main { padding: 20px 16px 64px; }
    h1 { font-size: 25px; } h2 { margin-top: 48px; }
    tr { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 12px; padding: 6px 0; border-bottom: 1px solid var(--line); }
    th, td, th:first-child, td:nth-child(2), .refusals th, .refusals td:nth-child(2) { width: auto; border: 0; padding: 0; }
    td:nth-child(2) { text-align: right; max-width: 46vw; } td:nth-child(3) { grid-column: 1 / -1; } td:empty { display: none; }
  }
  @media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
  @media print { nav { display: none; } body { display: block; } details::details-content { content-visibility: visible; } }
`;
