import { mount } from "../../twin/assets/twin.js";

mount();

/** Six boxes of one digit each: the next one is entered when one is full. */
const form = document.getElementById("code");
const boxes = [...form.querySelectorAll("input:not([name])")];
for (const [at, box] of boxes.entries()) {
  box.addEventListener("input", () => {
    form.elements.code.value = boxes.map(({ value }) => value).join("");
    if (box.value) boxes[at + 1]?.focus();
  });
}
