import type { BrowserContext } from "playwright";

/** Fields whose text a pop-up took, and those of them that were still empty when the driver went on. */
export interface Taken {
  fields: string[];
  leftEmpty: Set<string>;
}

/** From its next document on, each page shows a modal pop-up, once, for 300 ms, as soon as a text field has the focus: it takes what is typed. */
export async function openPopUps(context: BrowserContext): Promise<Taken> {
  const taken: Taken = { fields: [], leftEmpty: new Set() };
  await context.exposeFunction("podcrewFieldTaken", (name: string, isLeftEmpty: boolean) => {
    if (isLeftEmpty) taken.leftEmpty.add(name);
    else taken.fields.push(name);
  });
  await context.addInitScript(popUpInPage);
  return taken;
}

/** Runs in the page. */
function popUpInPage(): void {
  const texts = ["text", "email", "password", "search", "tel", "url", "textarea"];
  const { podcrewFieldTaken: tell } = globalThis as unknown as { podcrewFieldTaken(name: string, isLeftEmpty: boolean): Promise<void> };
  let field: HTMLInputElement | HTMLTextAreaElement | undefined;
  let isTaken = false;
  const name = (): string => field?.labels?.[0]?.textContent?.trim() || field?.name || field?.id || "a field";
  document.addEventListener("focusin", ({ target }) => {
    if (field || !(target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement) || !texts.includes(target.type)) return;
    field = target;
    const dialog = document.createElement("dialog");
    const own = document.createElement("input");
    own.addEventListener("input", () => {
      isTaken = true;
      void tell(name(), false);
    });
    dialog.append(own);
    document.body.append(dialog);
    dialog.showModal();
    setTimeout(() => dialog.remove(), 300);
  });
  // What is pressed next takes the form as it is.
  const goesOn = ({ target }: Event): void => {
    if (isTaken && field?.isConnected && field !== target && field.value === "") void tell(name(), true);
  };
  document.addEventListener("click", goesOn, { capture: true });
}
