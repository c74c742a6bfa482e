import { html, page } from "../twin/page.ts";
import type { Episode, Show } from "../twin/shows.ts";

const lang = "zh-Hant";

const wrongs: Readonly<Record<string, string>> = {
  wrong: "帳號或密碼錯誤",
  locked: "登入失敗次數過多，請稍後再試",
};

export function signIn(problem: string): string {
  const alert = wrongs[problem] ? html`<p role="alert">${wrongs[problem]}</p>` : "";
  return page({
    lang,
    title: "登入 | Firstory Studio",
    body: html`<h1>登入</h1>
      !${alert}
      <form method="post" action="/login">
        <label>電子郵件 <input type="email" name="email" required /></label>
        <label>密碼 <input type="password" name="password" required /></label>
        <button>登入</button>
      </form>`,
  });
}

export function code(wrong: boolean): string {
  return page({
    lang,
    title: "輸入驗證碼 | Firstory Studio",
    body: html`<h1>輸入驗證碼</h1>
      <p>我們已將驗證碼寄到你的電子郵件信箱。</p>
      !${wrong ? html`<p role="alert">驗證碼錯誤或已失效</p>` : ""}
      <form method="post" action="/login/code">
        <label>驗證碼 <input name="code" inputmode="numeric" autocomplete="one-time-code" /></label>
        <button>確認</button>
      </form>
      <form method="post" action="/login/code/again"><button>重新寄送</button></form>`,
  });
}

export function challenge(): string {
  return page({ lang, title: "Firstory Studio", body: html`<h1>請證明你不是機器人</h1>` });
}

export function notFound(): string {
  return page({ lang, title: "找不到頁面", body: html`<h1>找不到頁面</h1>` });
}

export function dashboard(shows: readonly Show[]): string {
  return page({
    lang,
    title: "Firstory Studio",
    body: html`<h1>我的節目</h1>
      <ul>
        !${shows.map(({ id, title }) => html`<li><a href="/dashboard/${id}">${title}</a></li>`)}
      </ul>`,
  });
}

/** The side bar of a show. */
function bar({ id }: Show): string {
  return html`<nav>
    <details open>
      <summary>節目</summary>
      <a href="/dashboard/${id}/episodes">集數管理</a>
    </details>
    <a href="/dashboard/${id}/distribution">發佈平台</a>
    <a href="/dashboard/${id}/upload">上傳單集</a>
  </nav>`;
}

export function show(show: Show): string {
  return page({
    lang,
    title: show.title,
    body: html`!${bar(show)}
      <h1>${show.title}</h1>`,
  });
}

/** Two tabs; their rows come from a call of their own, a moment later. */
export function episodes(show: Show): string {
  return page({
    lang,
    title: "集數管理",
    scripts: ["/site/assets/episodes.js"],
    mounted: true,
    body: html`!${bar(show)}
      <h1>集數管理</h1>
      <div role="tablist">
        <button role="tab" id="tab-published" aria-controls="published" aria-selected="true">已發佈</button>
        <button role="tab" id="tab-draft" aria-controls="draft" aria-selected="false">草稿</button>
      </div>
      <section role="tabpanel" id="published" aria-labelledby="tab-published" data-show="${show.id}">載入中</section>
      <section role="tabpanel" id="draft" aria-labelledby="tab-draft" data-show="${show.id}" hidden></section>`,
  });
}

/** The form of a new episode, of a draft or of a published episode, and behind 下一步 the page with 立即發佈. */
export function editor(show: Show, episode: Episode | null): string {
  const published = episode?.state === "published";
  const steps = published
    ? html`<button type="button" id="save">儲存變更</button>`
    : html`<button type="button" id="save" disabled>儲存草稿</button>
        <button type="button" id="next" disabled>下一步</button> !${episode ? html`<button type="button" id="remove">刪除</button>` : ""}`;
  return page({
    lang,
    title: "單集",
    styles: ["/quill/quill.snow.css"],
    scripts: ["/quill/quill.js", "/site/assets/editor.js"],
    mounted: true,
    body: html`!${bar(show)}
      <form id="editor" data-show="${show.id}" data-id="${episode?.id ?? ""}" data-audio="${episode?.audio?.id ?? ""}">
        <section id="details">
          <h1>上傳單集</h1>
          <p>標題 <input type="text" id="title" value="${episode?.title ?? ""}" /></p>
          <p>
            音檔 <input type="file" id="audio" accept="audio/*" /> <span id="audio-state">${episode?.audio ? "上傳完成" : "選擇檔案"}</span>
          </p>
          <p>圖片 <input type="file" id="cover" accept="image/*" /> <span id="cover-state">選擇圖片</span></p>
          <div id="about">!${episode?.about ?? ""}</div>
          !${steps}
        </section>
        <section id="review" hidden>
          <h1>發佈設定</h1>
          <button type="button" id="publish">立即發佈</button>
        </section>
        <p role="status" id="said"></p>
      </form>
      <div role="dialog" aria-label="刪除草稿" id="sure" hidden>
        <p>確定要刪除嗎？</p>
        <button type="button" id="yes">確定</button> <button type="button" id="no">取消</button>
      </div>`,
  });
}

/** The feed's address is nowhere to be read: an icon copies it. */
export function distribution(show: Show): string {
  return page({
    lang,
    title: "發佈平台",
    scripts: ["/site/assets/distribution.js"],
    mounted: true,
    body: html`!${bar(show)}
      <h1>發佈平台</h1>
      <p>RSS <button type="button" aria-label="複製" data-copy="/rss/user/${show.id}">⧉</button> <span role="status"></span></p>`,
  });
}

/** What listeners see. */
export function story(episode: Episode): string {
  return page({
    lang,
    title: episode.title,
    body: html`<article>
      <h1>${episode.title}</h1>
      <div class="about">!${episode.about}</div>
    </article>`,
  });
}
