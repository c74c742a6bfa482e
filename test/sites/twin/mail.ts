import { createTransport } from "nodemailer";
import type { ImapServer } from "../../../src/kit/mail-server.ts";
import { dovecotMissing, givenDovecot } from "../../support/dovecot.ts";
import { createAfters } from "./afters.ts";

export interface Letter {
  from: string;
  to: string;
  subject: string;
  text: string;
  html?: string;
}

/** How a twin's letters leave it. */
export interface Mail {
  send(letter: Letter): Promise<void>;
}

/** Letters that go nowhere and can be read by the test. */
export function createMailSink(): Mail & { letters: Letter[] } {
  const letters: Letter[] = [];
  return { letters, send: async (letter) => void letters.push(letter) };
}

/** A mail server for a whole bench. */
export interface PostOffice {
  mail: Mail;
  /** Where the letters are read, with `appPassword`, by the address as user; null: there is no real mail server on this machine. */
  imap: ImapServer | null;
  appPassword: string;
  close(): Promise<void>;
}

/** A real Dovecot, where this machine has one; else a sink, and no twin can ask for a mailed code. */
export async function openPostOffice(): Promise<PostOffice> {
  if (dovecotMissing !== null) return { mail: createMailSink(), imap: null, appPassword: "", close: async () => undefined };
  const afters = createAfters();
  const dovecot = await givenDovecot(afters);
  const { hostname: host, port } = new URL(dovecot.lmtpUrl);
  const transport = createTransport({ host, port: Number(port), lmtp: true, ignoreTLS: true });
  const { password, ...server } = dovecot.imap;
  return {
    mail: { send: async (letter) => void (await transport.sendMail(letter)) },
    imap: { ...server, tls: true },
    appPassword: password,
    async close() {
      transport.close();
      await afters.run();
    },
  };
}
