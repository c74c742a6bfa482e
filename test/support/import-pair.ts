import type { TestContext } from "node:test";
import type { TaskView } from "../../src/manager/task-list.ts";
import { givenDovecot, type Dovecot } from "./dovecot.ts";
import { wholePodcrew, type Whole, type WholeAccount } from "./whole.ts";

/** Two accounts of one studio, with real mailboxes: one posts, the other imports what it posted. */
export interface ImportPair {
  whole: Whole;
  mail: Dovecot;
  owner: WholeAccount;
  importer: WholeAccount;
  /** Both tasks of one request. @returns the secondary's id, and how the primary ended */
  request(title: string): Promise<{ primary: TaskView; secondary: string }>;
}

export async function givenImportPair(t: TestContext, { locked = false } = {}): Promise<ImportPair> {
  const mail = await givenDovecot(t);
  const whole = await wholePodcrew(t, { mail, settings: { settleSeconds: 3 } });
  const [owner, importer] = [await whole.account({ locked }), await whole.account()];
  return {
    whole,
    mail,
    owner,
    importer,
    async request(title) {
      const { manager, studio } = whole;
      const episodes = [{ title, about: "<p>A short text that is read aloud.</p>" }];
      const made = await manager.makeTask({ account: owner, website: studio.url, episodes, maxRetries: 0 });
      const { taskId: secondary } = await manager.makeImport({
        requestId: made.requestId,
        account: importer,
        website: studio.url,
        maxRetries: 0,
      });
      return { primary: await whole.reaches(made.taskId, ["completed"]), secondary };
    },
  };
}
