// Writes the licences of what is bundled beside it: whoever gives the program on gives these on, too.
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
const names = Object.entries(lock.packages)
  .filter(([path, entry]) => path && !entry.dev)
  .map(([path]) => path)
  .sort();
const parts = [];
for (const path of names) {
  if (!existsSync(`${path}/package.json`)) continue;
  const { name, version, license } = JSON.parse(readFileSync(`${path}/package.json`, "utf8"));
  const file = readdirSync(path).find((f) => /^(licen[sc]e|copying)(\.|$)/i.test(f));
  const text = file ? readFileSync(`${path}/${file}`, "utf8").replaceAll("\r\n", "\n").trim() : "(no file of its own)";
  parts.push({ head: `${name} ${version}: ${license}`, text });
}
// Most have the same text but for a line: it is given once for all that have it to the letter.
const texts = new Map();
for (const { head, text } of parts) texts.set(text, [...(texts.get(text) ?? []), head]);
const rule = "\n\n" + "-".repeat(80) + "\n\n";
const body = [...texts].map(([text, heads]) => `${heads.join("\n")}\n\n${text}`).join(rule);
for (const folder of ["dist", "dist-agency"]) writeFileSync(`${folder}/licences.txt`, `Software and fonts in these pages, and their licences\n\n${body}\n`);
