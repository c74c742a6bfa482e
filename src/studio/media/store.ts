import type { Readable } from "node:stream";

/**
 * Where the studio keeps the files that the world may fetch. A file is named after its content (media/names.ts), appears whole or
 * not at all, and never changes; so whoever puts the same again changes nothing but its time.
 */
export interface MediaStore {
  /** For people and logs, e.g. "/srv/podcrew/studio/media"; without any secret. */
  readonly place: string;
  /** What it is made of, where it is more than one place. */
  readonly layers?: readonly MediaStore[];
  /** Keeps a file for good: once this is done, also a power cut leaves it. What is there under the name and has the size stays and counts as put now. */
  put(file: NewFile): Promise<void>;
  /** null: there is none */
  head(name: string): Promise<MediaFile | null>;
  /** @param range absent: the whole file. @returns null when there is none */
  read(name: string, range?: ByteRange): Promise<Readable | null>;
  /** Lends the file as one on this machine. @returns null when there is none */
  withLocalFile<T>(name: string, use: (path: string) => Promise<T>): Promise<T | null>;
  /** A file that is gone already is no error. */
  remove(name: string): Promise<void>;
  /** Everything that is there, in no order. */
  list(): AsyncIterable<MediaFile>;
  /** Why it can't be used now; null: it can. */
  check(): Promise<string | null>;
  close(): Promise<void>;
}

export interface NewFile {
  name: string;
  /** A finished file, flushed to the disk; it stays where it is. */
  fromPath: string;
  bytes: number;
  /** Of its content, hex. */
  sha256: string;
}

export interface MediaFile {
  name: string;
  bytes: number;
  /** When it was put the last time. */
  changedAt: Date;
}

/** Both ends count. */
export interface ByteRange {
  start: number;
  end: number;
}
