// Makes one file of Express and all that it needs, and one of their licences, in the folder named.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const [target] = process.argv.slice(2);
const { version } = manifest("node_modules/express");

const { metafile } = await build({
  entryPoints: ["node_modules/express/index.js"],
  outfile: join(target, "index.js"),
  banner: { js: `// Express ${version} in one file: made by requirements/express, not to be edited.` },
  bundle: true,
  platform: "node",
  target: "node18",
  legalComments: "none", // LICENSES.txt has the whole texts.
  metafile: true,
});

const packageOf = (file) => file.match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//)[1];
const packages = [...new Set(Object.keys(metafile.inputs).map(packageOf))].sort();
writeFileSync(join(target, "LICENSES.txt"), packages.map(licence).join("\n"));

function licence(folder) {
  const { name, version, license } = manifest(folder);
  // Packages spell the file's name in their own ways; one without is not taken.
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
  const text = readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n").trim();
  return `${"=".repeat(80)}\n${name} ${version} (${license})\n\n${text}\n`;
}

function manifest(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}
