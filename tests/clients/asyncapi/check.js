// The AsyncAPI initiative's own parser over our document: it must find no error, and a message for each event type.
const fs = require('fs');
const path = require('path');
const { Parser, fromFile } = require('@asyncapi/parser');

const ERROR = 0;
const file = process.argv[2];
const types = fs.readdirSync(path.dirname(file)).filter((name) => name.includes('.') && fs.existsSync(path.join(path.dirname(file), name, 'v1.json')));

(async () => {
  const { document, diagnostics } = await fromFile(new Parser(), file).parse();
  const errors = diagnostics.filter((found) => found.severity === ERROR);
  errors.forEach((found) => console.error(`${found.path.join('/')}: ${found.message}`));
  const messages = document ? document.messages().length : 0;
  if (errors.length > 0 || messages !== types.length) {
    console.error(`${errors.length} error(s), ${messages} message(s) in place of ${types.length}`);
    process.exit(1);
  }
  console.log(`asyncapi: ${messages} messages, no error ok\n1 passed, 0 failed`);
})();
