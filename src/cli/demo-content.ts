import type { WorkerEpisode } from "../contract/worker-api.ts";

export const demoShow = {
  name: "small-hours-radio",
  title: "Small Hours Radio",
  description: "Short letters about podcasting, read aloud when the house is quiet.",
};

/** Fixed ids, so that a farm knows them again. @param studioUrl the pictures come from the studio's own assets: wide ones, so that the farm has something to fix */
export function demoEpisodes(studioUrl: string): WorkerEpisode[] {
  return [
    {
      id: "0d3a0000-0000-4000-8000-000000000101",
      title: "Episode 1: A light for every harbour",
      about: `<article><h1>A light for every harbour</h1><p>Every show has a home, and most shows have <strong>several</strong>. Tonight we walk along the coast and look at how one story reaches many harbours.</p><p>You write it once. Somebody else rows out, lights the lamp, and writes down that it is lit. By morning, the ships know.</p><p>Links: <a href="https://podcastindex.org/">the open index of podcasts</a>.</p></article>`,
      image_url: `${studioUrl}/assets/demo/harbour.jpg`,
      language: "en",
    },
    {
      id: "0d3a0000-0000-4000-8000-000000000102",
      title: "Tập 2: Đèn lồng và những câu chuyện kể một lần",
      about: `<article><p>Xin chào các bạn. Tối nay chúng ta nói về một lời hứa nhỏ: <em>mỗi tập chỉ được đăng đúng một lần</em>, không thiếu và không thừa.</p><p>Khi đường truyền đứt giữa chừng, ta không bấm lại ngay. Ta nhìn, ta chờ, rồi mới quyết định.</p><ul><li>Nhìn trước khi đăng</li><li>Ghi lại trước khi bấm</li><li>Kiểm tra sau khi xong</li></ul></article>`,
      image_url: `${studioUrl}/assets/demo/lanterns.jpg`,
      language: "vi",
    },
    {
      id: "0d3a0000-0000-4000-8000-000000000103",
      title: "Episode 3: Three questions before you press Publish",
      about: `<article><p>Before the button turns green, ask three things. Is it already there? May I still do this? And if the lights go out now, who will know?</p><ol><li>Look first.</li><li>Write down what you are about to do.</li><li>Then do it, once.</li></ol><p>That is all. Good night, and see you on the air.</p></article>`,
      image_url: `${studioUrl}/assets/demo/desk.jpg`,
      language: "en",
    },
  ];
}
