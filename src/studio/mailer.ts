import { createTransport, type Transporter } from "nodemailer";
import { UsageError } from "../kit/config.ts";

export interface Mail {
  to: string;
  subject: string;
  text: string;
  html: string;
}

export interface Mailer {
  /** @throws when the mail server does not take it within 20 s */
  send(mail: Mail): Promise<void>;
  close(): void;
}

const TIMEOUT_MS = 20_000;
const ports = { "smtp:": 25, "smtps:": 465, "lmtp:": 24 } as const;

/** @throws UsageError when the address is of another kind */
export function createMailer(smtpUrl: string, from: string): Mailer {
  const url = new URL(smtpUrl);
  if (!Object.hasOwn(ports, url.protocol))
    throw new UsageError(
      `SMTP_URL=${url.protocol}//${url.host} is not a mail server's address. Use smtp://, smtps:// or lmtp://, for example smtp://mail.example.com:587.`,
    );
  const protocol = url.protocol as keyof typeof ports;
  const transport: Transporter = createTransport({
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port) || ports[protocol],
    secure: protocol === "smtps:",
    lmtp: protocol === "lmtp:",
    // A delivery agent on this machine has no certificate worth checking.
    ignoreTLS: protocol === "lmtp:",
    ...(url.username && { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
  });
  return {
    async send(mail) {
      await transport.sendMail({ from: { name: "Podcrew Studio", address: from }, ...mail });
    },
    close: () => transport.close(),
  };
}
