/** Of all Swift servers: what the names of files are hashed with. */
export const swiftFile = `[swift-hash]
swift_hash_path_suffix = podcrew
`;

interface Server {
  port: number;
  /** Holds swift.conf, the rings and `devices/disk`. */
  folder: string;
  user: string;
}

const common = ({ port, folder, user }: Server): string => `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = ${user}
swift_dir = ${folder}
devices = ${folder}/devices
mount_check = false
`;

/** One of the three that keep data: "account", "container", "object". */
export function serverFile(name: string, server: Server): string {
  return `${common(server)}
[pipeline:main]
pipeline = healthcheck ${name}-server
[app:${name}-server]
use = egg:swift#${name}
[filter:healthcheck]
use = egg:swift#healthcheck
`;
}

const filters = ["catch_errors", "healthcheck", "listing_formats", "s3api", "copy", "slo", "dlo"] as const;

/** The one that clients speak with. Its sign-in insists on a cache; that none answers there does not matter to it. */
export function proxyFile({ key, ...server }: Server & { key: { keyId: string; secret: string } }): string {
  return `${common(server)}
[pipeline:main]
pipeline = catch_errors healthcheck cache listing_formats s3api tempauth copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:9
[filter:tempauth]
use = egg:swift#tempauth
user_${key.keyId.replace(":", "_")} = ${key.secret} .admin
${filters.map((name) => `[filter:${name}]\nuse = egg:swift#${name}\n`).join("")}`;
}

/** rings.py <folder> account=<port> …: where data lie, one partition on one disk. */
export const ringsScript = `import sys
from array import array
from swift.common.ring import RingData
folder = sys.argv[1]
for one in sys.argv[2:]:
    name, port = one.split("=")
    disk = {"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port), "replication_ip": "127.0.0.1",
            "replication_port": int(port), "device": "disk", "weight": 1.0, "meta": ""}
    RingData([array("H", [0])], [disk], 32).save("%s/%s.ring.gz" % (folder, name))
`;
