import assert from "node:assert/strict";
import { test } from "node:test";
import type { Failure } from "../../src/contract/failures.ts";
import { diskFailure, isDiskError } from "../../src/media/disk.ts";

const thrown = (code: string, syscall: string): Error => Object.assign(new Error(`${code}: ${syscall}`), { code, syscall });

test("a full, read-only, forbidden or broken folder is the farm's disk; a connection that is forbidden is not", () => {
  for (const code of ["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EIO"]) {
    assert.ok(isDiskError(thrown(code, "write")), code);
    assert.equal((diskFailure(thrown(code, "write")) as Failure).code, "farm.disk");
  }
  assert.ok(isDiskError(Object.assign(new Error("could not extend file"), { code: "53100" })), "PostgreSQL's disk_full");
  for (const other of [thrown("EPERM", "connect"), thrown("EACCES", "connect"), thrown("ENOENT", "open"), new Error("EIO"), "ENOSPC"]) {
    assert.ok(!isDiskError(other), String(other));
    assert.equal(diskFailure(other), other);
  }
});
