import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, chown, mkdir, readFile, readdir, rename, writeFile } from "node:fs/promises";
import { createServer, connect } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { promisify } from "node:util";
import { tempDir } from "./temp.ts";

const run = promisify(execFile);
const executable = ["/usr/sbin/dovecot", "/usr/local/sbin/dovecot"].find((path) => existsSync(path));

/** Why tests with a real mail server can't run here; null: they can. */
export const dovecotMissing: string | null =
  executable && existsSync("/usr/lib/dovecot/lmtp")
    ? null
    : "SKIPPED: no Dovecot on this machine. Install it: apt-get install --no-install-recommends dovecot-imapd dovecot-lmtpd";

export interface Dovecot {
  /** For SMTP_URL: mail to any address is delivered. */
  lmtpUrl: string;
  /** TLS; any user. */
  imap: { host: string; port: number; password: string; caFile: string };
  /** What lies in an address' inbox, oldest first, as it came. */
  inbox(address: string): Promise<string[]>;
  /** Puts a whole mail into one of the folders besides the inbox, as a filter would. */
  put(address: string, folder: "Spam" | "All Mail", source: string | Buffer): Promise<void>;
  /** Whose IMAP connections are open now. */
  connections(): Promise<string[]>;
  /** Takes the server's connections down; it goes on listening. */
  dropConnections(): Promise<void>;
}

/** A real mail server on free ports, with its mail in a folder of its own; ended after the test. */
export async function givenDovecot(t: Pick<TestContext, "after">): Promise<Dovecot> {
  if (!executable) throw new Error(dovecotMissing ?? "no Dovecot");
  const folder = await tempDir(t, "dovecot");
  const [imapPort, lmtpPort] = [await freePort(), await freePort()];
  const certificate = join(folder, "cert.pem");
  await run("openssl", [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-days",
    "2",
    "-keyout",
    join(folder, "key.pem"),
    "-out",
    certificate,
    "-subj",
    "/CN=127.0.0.1",
    "-addext",
    "subjectAltName=IP:127.0.0.1,DNS:localhost",
  ]);
  const owner = await mailOwner();
  for (const name of ["run", "state", "mail"]) await mkdir(join(folder, name));
  // Mail belongs to somebody who is not root: Dovecot insists.
  await chmod(folder, 0o755);
  if (owner.uid !== userInfo().uid) await chown(join(folder, "mail"), owner.uid, owner.gid);
  const config = join(folder, "dovecot.conf");
  await writeFile(config, configuration({ folder, imapPort, lmtpPort, owner, certificate }));
  let files = 0;
  const child = spawn(executable, ["-F", "-c", config], { stdio: "ignore" });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit", { signal: AbortSignal.timeout(10_000) }).catch(() => child.kill("SIGKILL"));
  });
  for (const port of [imapPort, lmtpPort]) await listening(port, join(folder, "dovecot.log"));
  return {
    lmtpUrl: `lmtp://127.0.0.1:${lmtpPort}`,
    imap: { host: "127.0.0.1", port: imapPort, password: "secret", caFile: certificate },
    async inbox(address) {
      const box = join(folder, "mail", address, "new");
      const names = (await readdir(box).catch(() => [])).sort();
      return Promise.all(names.map(async (name) => readFile(join(box, name), "utf8")));
    },
    async put(address, name, source) {
      const box = join(folder, "mail", address, `.${name}`);
      files += 1;
      const file = `${Math.floor(Date.now() / 1000)}.${process.pid}_${files}.test`;
      // Maildir++: what lies in tmp is moved to new when it is whole.
      for (const part of ["", "cur", "new", "tmp"]) await mkdir(join(box, part), { recursive: true });
      await writeFile(join(box, "tmp", file), typeof source === "string" ? source.replace(/\r?\n/g, "\r\n") : source);
      if (owner.uid !== userInfo().uid) {
        for (const path of [
          join(folder, "mail", address),
          box,
          ...["cur", "new", "tmp"].map((part) => join(box, part)),
          join(box, "tmp", file),
        ])
          await chown(path, owner.uid, owner.gid);
      }
      await rename(join(box, "tmp", file), join(box, "new", file));
    },
    async connections() {
      const { stdout } = await run("doveadm", ["-c", config, "-f", "flow", "who", "-1"]);
      return [...stdout.matchAll(/username=(\S+).*(?:proto|service)=imap\b/g)].map(([, name = ""]) => name);
    },
    async dropConnections() {
      await run("doveadm", ["-c", config, "kick", "*"]);
    },
  };
}

interface Owner {
  uid: number;
  gid: number;
  user: string;
  group: string;
}

async function mailOwner(): Promise<Owner> {
  const { uid, gid, username } = userInfo();
  const id = async (...args: string[]): Promise<string> => (await run("id", args)).stdout.trim();
  if (uid !== 0) return { uid, gid, user: username, group: await id("-gn") };
  return { uid: Number(await id("-u", "nobody")), gid: Number(await id("-g", "nobody")), user: "nobody", group: await id("-gn", "nobody") };
}

function configuration({
  folder,
  imapPort,
  lmtpPort,
  owner,
  certificate,
}: {
  folder: string;
  imapPort: number;
  lmtpPort: number;
  owner: Owner;
  certificate: string;
}): string {
  return `base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = ${folder}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
default_login_user = ${owner.user}
default_internal_user = ${owner.user}
default_internal_group = ${owner.group}
first_valid_uid = 0
last_valid_uid = 0
first_valid_gid = 0
ssl = required
ssl_cert = <${certificate}
ssl_key = <${folder}/key.pem
disable_plaintext_auth = yes
mail_location = maildir:${folder}/mail/%u
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=${owner.uid} gid=${owner.gid} home=${folder}/mail/%u allow_all_users=yes
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Spam {
    special_use = \\Junk
    auto = create
  }
  mailbox "All Mail" {
    special_use = \\All
    auto = create
  }
}
service imap-login {
  chroot =
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = ${imapPort}
    ssl = yes
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${lmtpPort}
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
protocol lmtp {
  postmaster_address = postmaster@localhost
}
`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address ? address.port : 0;
}

async function listening(port: number, log: string): Promise<void> {
  const end = performance.now() + 15_000;
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const open = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) return;
    if (performance.now() > end)
      throw new Error(`Dovecot does not listen on ${port}: ${await readFile(log, "utf8").catch(() => "no log")}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
