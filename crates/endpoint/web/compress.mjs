// Writes each file of the pages in the codings that browsers take, beside it: made once, here, at the highest level, and not
// by every service that starts. Files that are compressed already (fonts) are left.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const worth = /\.(html|js|css|svg|txt|json)$/;
const files = ["dist", "dist-agency"]
  .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && worth.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name))
  .sort();
for (const file of files) {
  const plain = readFileSync(file);
  const br = brotliCompressSync(plain, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length },
  });
  const gz = gzipSync(plain, { level: 9 });
  // A coding that saves nothing is not worth its file.
  if (br.length < plain.length * 0.9) writeFileSync(`${file}.br`, br);
  if (gz.length < plain.length * 0.9) writeFileSync(`${file}.gz`, gz);
}
