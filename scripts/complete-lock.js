// Run after `npm install` against a registry that mirrors only some platforms: adds the other platforms' variants of native
// packages to package-lock.json. npm leaves out what it cannot find, and `npm ci` then refuses the lock file everywhere.
import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));
const PLATFORM = /(?:binding-|\/)(android|darwin|freebsd|linux|openharmony|win32)-([a-z0-9]+)(?:-(\w+))?$/;
let added = 0;

for (const [parent, { optionalDependencies = {}, dev, engines }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const [, os, cpu, flavour] = PLATFORM.exec(name) ?? [];
    if (!os || isLocked(parent, name, version)) continue;
    const libc = { gnu: "glibc", musl: "musl" }[flavour];
    lock.packages[placeFor(parent, name)] = {
      version,
      cpu: [cpu === "arm" ? "arm" : cpu],
      ...(dev && { dev }),
      ...(os === "linux" && libc && { libc: [libc] }),
      optional: true,
      os: [os],
      ...(engines && { engines }),
    };
    added += 1;
  }
}

lock.packages = Object.fromEntries(Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, "en")));
writeFileSync(path, `${JSON.stringify(lock, undefined, 2)}\n`);
console.log(`${added} platform packages added to package-lock.json`);

/** Where its parent finds it: below itself, or below whatever its parent lies in. */
function isLocked(parent, name, version) {
  const above = parent.split("/node_modules/").map((_, depth, all) => all.slice(0, depth + 1).join("/node_modules/"));
  return ["", ...above].some(
    (place) => lock.packages[`${place && `${place}/`}node_modules/${name}`]?.version === version,
  );
}

/** At the top, unless another version has that place: then below its parent. */
function placeFor(parent, name) {
  return lock.packages[`node_modules/${name}`] ? `${parent}/node_modules/${name}` : `node_modules/${name}`;
}
