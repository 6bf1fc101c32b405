// The AsyncAPI initiative's own parser over our document: it must find no error, and a message for each version of each event type.
const fs = require('fs');
const path = require('path');
const { Parser, fromFile } = require('@asyncapi/parser');

const ERROR = 0;
const file = process.argv[2];
const folder = path.dirname(file);
const types = fs.readdirSync(folder).filter((name) => name.includes('.') && fs.existsSync(path.join(folder, name, 'v1.json')));
const versions = types.flatMap((name) => fs.readdirSync(path.join(folder, name)).filter((version) => /^v\d+\.json$/.test(version)));

(async () => {
  const { document, diagnostics } = await fromFile(new Parser(), file).parse();
  const errors = diagnostics.filter((found) => found.severity === ERROR);
  errors.forEach((found) => console.error(`${found.path.join('/')}: ${found.message}`));
  const messages = document ? document.messages().length : 0;
  if (errors.length > 0 || messages !== versions.length) {
    console.error(`${errors.length} error(s), ${messages} message(s) in place of ${versions.length}`);
    process.exit(1);
  }
  console.log(`asyncapi: ${messages} messages, no error ok\n1 passed, 0 failed`);
})();
