// How @bucketline/client loads a package that an app may leave out. Bundlers refuse an `import` of what is not installed; a `require` inside of `try`
// they take for optional, put it into the bundle where it is there, and leave it to fail at run time where it is not.

/**
 * The file that stands for the package. Names are given one by one, because Node reads them out of the text before it runs.
 *
 * @param name the package
 * @param names what the client takes of it
 */
export function optionalPackage(name, names) {
  const given = names.map((each) => `exports.${each} = found.${each};\n`).join("");
  return `"use strict";\nlet found;\ntry {\n  found = require("${name}");\n} catch (error) {\n  throw error;\n}\n${given}`;
}
