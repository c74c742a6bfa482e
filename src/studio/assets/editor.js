import { call, pause, upload } from "./api.js";

const POLL_MS = 250;
const TITLE_MAX = 200;

const root = document.getElementById("editor");
const words = JSON.parse(root.dataset.texts);
const find = (selector) => root.querySelector(selector);
const title = find("#title");
const machineVoice = find("#machine-voice");
const saved = find("[data-saved]");
const problem = find("[data-problem]");
const outage = find("[data-outage]");
/** This studio keeps no drafts: the form is published as it stands. */
const direct = "direct" in root.dataset;
const { base, show } = root.dataset;
let { guid } = root.dataset;
let dirty = !guid;

// ---- Text

const quill = new Quill("#about", {
  theme: "snow",
  placeholder: words.descriptionPlaceholder,
  formats: ["header", "bold", "italic", "underline", "strike", "link", "list", "indent", "blockquote", "code-block", "code"],
  modules: {
    toolbar: [
      [{ header: [2, 3, false] }],
      ["bold", "italic", "underline", "link"],
      [{ list: "ordered" }, { list: "bullet" }],
      ["blockquote", "clean"],
    ],
  },
});
quill.root.setAttribute("aria-label", words.description);
quill.root.setAttribute("role", "textbox");
quill.root.setAttribute("aria-multiline", "true");
const start = find("#about-start").innerHTML;
if (start) quill.clipboard.dangerouslyPasteHTML(start, "silent");
// Pasting moves the cursor here; the title comes first.
quill.blur();

/**
 * The editor's own lists are flat (`<ol><li data-list="bullet" class="ql-indent-1">`); podcast apps want real ones.
 * Not Quill's getSemanticHTML: that turns every space into a non-breaking one.
 */
function semanticHtml() {
  const copy = quill.root.cloneNode(true);
  for (const mark of copy.querySelectorAll(".ql-ui")) mark.remove();
  for (const flat of copy.querySelectorAll("ol")) {
    const built = document.createDocumentFragment();
    const open = [];
    for (const item of flat.children) {
      const depth = Number(/ql-indent-(\d)/.exec(item.className)?.[1] ?? 0);
      const tag = item.dataset.list === "bullet" ? "ul" : "ol";
      open.length = Math.min(open.length, depth + 1);
      if (open[depth] && open[depth].localName !== tag) open.length = depth;
      while (open.length <= depth) {
        const list = document.createElement(tag);
        (open.at(-1)?.lastElementChild ?? built).append(list);
        if (open.length < depth && !list.lastElementChild) list.append(document.createElement("li"));
        open.push(list);
      }
      const clean = document.createElement("li");
      clean.append(...item.childNodes);
      open.at(-1).append(clean);
    }
    flat.replaceWith(built);
  }
  for (const block of copy.querySelectorAll(".ql-code-block-container")) {
    const pre = document.createElement("pre");
    pre.textContent = [...block.children].map((line) => line.textContent).join("\n");
    block.replaceWith(pre);
  }
  return copy.innerHTML;
}

function countTitle() {
  const length = [...title.value.trim()].length;
  const count = find("[data-count]");
  count.textContent = `${length} / ${TITLE_MAX}`;
  count.classList.toggle("over", length > TITLE_MAX);
}

const touched = () => {
  dirty = true;
  saved.textContent = "";
};
title.addEventListener("input", () => (countTitle(), touched()));
machineVoice.addEventListener("change", touched);
quill.on("text-change", (_change, _before, source) => source !== "silent" && touched());
countTitle();

// ---- Saying what happened

/** A refusal is about the episode; an outage is not, and looks different. */
const isOutage = (error) => error.name !== "StudioError" || error.status >= 500;
const outageText = (error) => (error.name === "StudioError" ? words.studioTrouble : words.networkTrouble);

function put(element, message) {
  element.hidden = !message;
  element.textContent = message;
}

/** @param error null: all is well again */
function tell(error, [refused, out] = [problem, outage]) {
  const lost = error !== null && isOutage(error);
  put(refused, error !== null && !lost ? error.message : "");
  put(out, lost ? outageText(error) : "");
  if (error) saved.textContent = "";
}

/** Runs one call of a button; trouble becomes the alert, and the button waits meanwhile. */
async function run(button, work) {
  tell(null);
  button.disabled = true;
  try {
    await work();
    return true;
  } catch (error) {
    tell(error);
    return false;
  } finally {
    button.disabled = false;
  }
}

// ---- Saving

/** One save at a time: two at once would make two drafts. */
let saving = Promise.resolve();

const fields = () => ({
  title: title.value,
  about: semanticHtml(),
  audio: asset("audio"),
  cover: asset("cover"),
  machineVoice: machineVoice.checked,
});

function save() {
  const next = saving
    .catch(() => undefined)
    .then(async () => {
      saved.textContent = words.saving;
      const body = fields();
      dirty = false;
      try {
        const answer = guid ? await call("PUT", `${base}/${guid}`, body) : await call("POST", base, body);
        if (!guid) {
          guid = answer.guid;
          history.replaceState(null, "", answer.edit);
          const remove = find("[data-delete]");
          if (remove) remove.hidden = false;
        }
        saved.textContent = answer.state === "draft" ? words.draftSaved : words.changesSaved;
      } catch (error) {
        dirty = true;
        saved.textContent = "";
        throw error;
      }
    });
  saving = next;
  return next;
}

const saveIfNeeded = async () => {
  await saving.catch(() => undefined);
  if (dirty || !guid) await save();
};

find("[data-save]")?.addEventListener("click", (event) => run(event.currentTarget, save));

// ---- Files

const asset = (kind) => find(`[data-upload="${kind}"]`).dataset.asset;

for (const box of root.querySelectorAll("[data-upload]")) {
  const kind = box.dataset.upload;
  const input = box.querySelector("input");
  const bar = box.querySelector('[role="progressbar"]');
  const status = box.querySelector(".upload-status");
  const say = (text, state) => {
    box.dataset.state = state;
    status.className = `upload-status ${state}`;
    status.setAttribute("role", state === "refused" || state === "outage" ? "alert" : "status");
    status.textContent = text;
  };
  const progress = (percent) => {
    bar.hidden = false;
    bar.setAttribute("aria-valuenow", String(percent));
    bar.firstElementChild.style.width = `${percent}%`;
  };

  async function watch(answer) {
    let now = answer;
    while (now.state === "processing" && box.dataset.asset === now.guid) {
      say(words.processingAudio, "processing");
      await pause(POLL_MS);
      now = await call("GET", `/shows/${show}/assets/${now.guid}`);
    }
    if (box.dataset.asset !== now.guid) return;
    if (now.state === "refused") {
      box.dataset.asset = "";
      say(now.message, "refused");
      return;
    }
    box.querySelector("[data-facts]").textContent = now.length ?? "";
    say(kind === "audio" ? words.audioReady : words.coverReady, "ready");
  }

  async function take(file) {
    touched();
    tell(null);
    box.dataset.asset = "";
    box.querySelector("[data-file]").textContent = file.name;
    box.querySelector("[data-facts]").textContent = "";
    progress(0);
    say(words.uploading, "uploading");
    try {
      const answer = await upload(`/shows/${show}/assets`, kind, file, progress);
      box.dataset.asset = answer.guid;
      bar.hidden = true;
      const preview = box.querySelector("[data-preview]");
      if (preview && answer.thumb) {
        preview.src = answer.thumb;
        preview.hidden = false;
      }
      await watch(answer);
    } catch (error) {
      box.dataset.asset = "";
      if (isOutage(error)) say(error.name === "StudioError" ? words.uploadUnanswered : words.uploadFailed, "outage");
      else say(error.message || words.uploadFailed, "refused");
    } finally {
      bar.hidden = true;
      input.value = "";
    }
  }

  input.addEventListener("change", () => input.files[0] && take(input.files[0]));
  box.addEventListener("dragover", (event) => (event.preventDefault(), box.classList.add("over")));
  box.addEventListener("dragleave", () => box.classList.remove("over"));
  box.addEventListener("drop", (event) => {
    event.preventDefault();
    box.classList.remove("over");
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });
  // A page that was opened while the studio still processed.
  if (box.dataset.state === "processing")
    watch({ guid: box.dataset.asset, state: "processing" }).catch((error) =>
      say(words.uploadFailed, isOutage(error) ? "outage" : "refused"),
    );
}

// ---- Publishing

const dialog = (name) => document.getElementById(`${name}-dialog`);

find("[data-publish]")?.addEventListener("click", (event) =>
  run(event.currentTarget, async () => {
    if (!direct) await saveIfNeeded();
    dialog("publish").showModal();
  }),
);

find("[data-publish-now]").addEventListener("click", (event) =>
  run(event.currentTarget, async () => {
    try {
      const { link } = await (direct ? call("POST", base, fields()) : call("POST", `${base}/${guid}/publish`));
      showPublished(link);
    } finally {
      dialog("publish").close();
    }
  }),
);

function showPublished(link) {
  const banner = find("#published-banner").content.cloneNode(true);
  banner.querySelector("a").href = link;
  find("[data-banner]").replaceChildren(banner);
  for (const name of ["publish", "schedule", "delete"]) find(`[data-${name}]`)?.remove();
  saved.textContent = "";
  if (direct) find(".dock").remove();
  root.dataset.state = "published";
  find("[data-banner] h2").focus();
  scrollTo({ top: 0, behavior: "smooth" });
}

find("[data-schedule]")?.addEventListener("click", (event) =>
  run(event.currentTarget, async () => {
    await saveIfNeeded();
    dialog("schedule").showModal();
  }),
);

find("[data-schedule-now]").addEventListener("click", async (event) => {
  const button = event.currentTarget;
  const places = [find("[data-schedule-problem]"), find("[data-schedule-outage]")];
  tell(null, places);
  button.disabled = true;
  try {
    await call("POST", `${base}/${guid}/schedule`, { at: find("#publish-at").value });
    location.assign(base);
  } catch (error) {
    tell(error, places);
  } finally {
    button.disabled = false;
  }
});

find("[data-unschedule]")?.addEventListener("click", (event) =>
  run(event.currentTarget, async () => {
    await call("POST", `${base}/${guid}/unschedule`);
    location.reload();
  }),
);

find("[data-delete]")?.addEventListener("click", () => dialog("delete").showModal());
find("[data-delete-now]").addEventListener("click", (event) =>
  run(event.currentTarget, async () => {
    dialog("delete").close();
    await call("DELETE", `${base}/${guid}`);
    location.assign(base);
  }),
);
