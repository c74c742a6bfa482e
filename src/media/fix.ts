/** Something of the user's that was changed to fit the site; listed in the task's log, e.g. "cover 900x500 -> padded to 1400x1400". */
export interface Fix {
  readonly field: "title" | "about" | "cover" | "audio";
  readonly say: string;
}
