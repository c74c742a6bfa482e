import type { MediaFile, MediaStore } from "./store.ts";

/** A store in front of the one that was used before: new files go to the first, those that it has not yet come from the second. */
export function inFrontOf(first: MediaStore, before: MediaStore): MediaStore {
  return {
    place: first.place,
    layers: [first, before],
    put: async (file) => first.put(file),
    head: async (name) => (await first.head(name)) ?? before.head(name),
    read: async (name, range) => (await first.read(name, range)) ?? before.read(name, range),
    withLocalFile: async (name, use) => ((await before.head(name)) ? before : first).withLocalFile(name, use),
    async remove(name) {
      await first.remove(name);
      await before.remove(name);
    },
    async *list(): AsyncIterable<MediaFile> {
      yield* first.list();
      yield* before.list();
    },
    check: async () => (await first.check()) ?? before.check(),
    async close() {
      await first.close();
      await before.close();
    },
  };
}
