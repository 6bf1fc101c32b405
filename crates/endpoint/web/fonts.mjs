// Cuts the Urdu fonts to what Urdu is written with, so that a page in Urdu keeps within its weight (users.md 5.4).
//
// The whole Arabic block of a Nastaliq is 160 kB, most of it letters of other languages and their joining forms.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import subsetFont from "subset-font";

const letters = "ءآأؤئابپتٹثجچحخدڈذرڑزژسشصضطظعغفقکگلمنںوہھۂۃیےۓةهيكى";
const marks = "ًٌٍَُِّْٰٖٗٔٓ";
const punctuation = "؛،؟۔٪٫٬«»…’‘“”–—×÷†";
const digits = "۰۱۲۳۴۵۶۷۸۹";
const joiners = "\u200c\u200d\u200e\u200f";
const latin = " !\"#%&'()*+,-./0123456789:;<=>?@[]_|~";
const urdu = letters + marks + punctuation + digits + joiners + latin;

const wanted = [
  ["noto-naskh-arabic", "noto-naskh-arabic-arabic-400-normal", "naskh-400"],
  ["noto-naskh-arabic", "noto-naskh-arabic-arabic-700-normal", "naskh-700"],
  ["noto-nastaliq-urdu", "noto-nastaliq-urdu-arabic-700-normal", "nastaliq-700"],
];

await mkdir("src/fonts", { recursive: true });
for (const [family, from, to] of wanted) {
  const font = await readFile(`node_modules/@fontsource/${family}/files/${from}.woff2`);
  const cut = await subsetFont(font, urdu, { targetFormat: "woff2" });
  await writeFile(`src/fonts/${to}.woff2`, cut);
  console.log(`${to}: ${font.length} → ${cut.length} bytes`);
}
