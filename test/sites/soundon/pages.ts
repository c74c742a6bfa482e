import { html, page } from "../twin/page.ts";
import type { Episode, Show } from "../twin/shows.ts";

const lang = "zh-Hant";

const wrongs: Readonly<Record<string, string>> = {
  wrong: "登入失敗：帳號或密碼錯誤",
  locked: "登入失敗次數過多，請稍後再試",
};

export function signIn(problem: string): string {
  return page({
    lang,
    title: "登入 | SoundOn",
    body: html`<h1>登入</h1>
      !${wrongs[problem] ? html`<div role="alert">${wrongs[problem]}</div>` : ""}
      <form method="post">
        <label>電子郵件 <input type="email" name="email" id="login-form_email" /></label>
        <label>密碼 <input type="password" name="password" id="login-form_password" /></label>
        <button class="ant-btn ant-btn-primary so-login-page__submit" type="submit"><span>登 入</span></button>
      </form>`,
  });
}

export function challenge(): string {
  return page({ lang, title: "SoundOn", body: html`<h1>請確認你不是機器人</h1>` });
}

export function notFound(): string {
  return page({ lang, title: "找不到頁面", body: html`<h1>找不到頁面</h1>` });
}

export function podcasts(shows: readonly Show[]): string {
  return page({
    lang,
    title: "我的 Podcast | SoundOn",
    body: html`<h1>我的 Podcast</h1>
      !${shows.map(({ id, title }) => html`<h4 class="ant-list-item-meta-title"><a href="/app/podcasts/${id}/episodes">${title}</a></h4>`)}`,
  });
}

/** A table that says "no data" while it loads, under a spinner, as Ant Design's does. */
export function episodes(show: Show): string {
  return page({
    lang,
    title: "單集列表 | SoundOn",
    scripts: ["/site/assets/episodes.js"],
    mounted: true,
    body: html`<h3>單集列表</h3>
      <button type="button" class="ant-btn ant-btn-primary" id="new"><span>新增單集</span></button>
      <div class="ant-table" data-show="${show.id}">
        <div class="ant-spin ant-spin-spinning" id="spinner">…</div>
        <table>
          <thead>
            <tr>
              <th>單集</th>
              <th>狀態</th>
            </tr>
          </thead>
          <tbody id="rows">
            <tr class="ant-table-placeholder">
              <td colspan="2"><div class="ant-empty">無此資料</div></td>
            </tr>
          </tbody>
        </table>
      </div>`,
  });
}

const yesOrNo = (id: string, label: string): string =>
  html`<fieldset id="${id}">
    <legend>${label}</legend>
    <label><input type="radio" name="${id}" value="active" checked /> 是</label>
    <label><input type="radio" name="${id}" value="inactive" /> 否</label>
  </fieldset>`;

export function editor(show: Show): string {
  return page({
    lang,
    title: "建立單集 | SoundOn",
    styles: ["/quill/quill.snow.css"],
    scripts: ["/quill/quill.js", "/site/assets/editor.js"],
    mounted: true,
    body: html`<div class="ant-row ant-row-space-between mb-md">
        <h3>建立單集</h3>
        <button type="button" class="ant-btn" id="keep"><span>暫存草稿</span></button>
        <button type="button" class="ant-btn ant-btn-primary" id="publish"><span>發 布</span></button>
      </div>
      <div role="tablist">
        <button type="button" role="tab" aria-selected="true">單集資訊</button> <button type="button" role="tab" id="more">更多</button>
      </div>
      <form id="editor" data-show="${show.id}">
        <section>
          <div class="so-audio-uploader">
            <input type="file" id="audio" accept=".mp3" />
            <div class="so-audio-uploader__area">將 mp3 檔案拖曳到這裡</div>
          </div>
          <label for="title">標題</label>
          <input type="text" id="title" />
          <div id="about"></div>
          <label><input type="radio" name="type" value="public" checked /> 一般單集</label>
          <label><input type="radio" name="type" value="soundon_exclusive" /> SoundOn 獨家</label>
          !${yesOrNo("daiStatus", "片頭動態廣告")} !${yesOrNo("daiMiddleStatus", "片中動態廣告")}
        </section>
        <section id="others" hidden>
          <input type="file" id="cover" accept="image/*" hidden />
          <button type="button" class="ant-btn" id="choose"><span>上傳封面圖片</span></button>
        </section>
      </form>
      <div class="ant-modal" role="dialog" aria-label="上傳封面圖片" id="crop" hidden>
        <p>上傳封面圖片</p>
        <div class="ant-modal-footer">
          <button type="button" class="ant-btn" id="crop-no"><span>取 消</span></button>
          <button type="button" class="ant-btn ant-btn-primary" id="crop-yes"><span>上 傳</span></button>
        </div>
      </div>
      <div class="ant-modal" role="dialog" aria-label="發布單集" id="sure" hidden>
        <p>確定要發布這個單集嗎？</p>
        <div class="ant-modal-footer">
          <button type="button" class="ant-btn" id="no"><span>取 消</span></button>
          <button type="button" class="ant-btn ant-btn-primary" id="yes"><span>確 認</span></button>
        </div>
      </div>
      <div class="ant-message" role="status" id="said"></div>`,
  });
}

/** What the studio shows of an episode: here its publish button has become one that edits. */
export function episode(show: Show, { title, state }: Episode): string {
  return page({
    lang,
    title: `${title} | SoundOn`,
    body: html`<div class="ant-row ant-row-space-between mb-md">
        <h3>${title}</h3>
        <button type="button" class="ant-btn ant-btn-primary"><span>編 輯</span></button>
      </div>
      <p>${state === "published" ? "已發布" : "草稿"}</p>
      <a href="/app/podcasts/${show.id}/episodes">單集列表</a>`,
  });
}

/** What listeners see. */
export function player({ title, about }: Episode): string {
  return page({
    lang,
    title,
    body: html`<article>
      <h1>${title}</h1>
      <div class="about">!${about}</div>
    </article>`,
  });
}
