/** A real mail server, for codes that sites mail. Each test starts one of its own (test/support/dovecot.ts). */
export const site = { name: "dovecot", packages: ["dovecot-imapd", "dovecot-lmtpd"], measures: true } as const;
