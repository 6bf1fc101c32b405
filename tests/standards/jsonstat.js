// Reads a JSON-stat dataset with jsonstat-toolkit and prints its cells that have a row: [key, [value, lo95, hi95, status,
// conf_status, unit]].
const JSONstat = require("jsonstat-toolkit");
const document = JSON.parse(require("fs").readFileSync(process.argv[2], "utf8"));
const dataset = JSONstat(document);
if (dataset.class !== "dataset") throw new Error(`a ${dataset.class} is no dataset`);
const ids = dataset.id;
const extension = dataset.extension;
const cells = [];
const total = dataset.size.reduce((product, size) => product * size, 1);
const statuses = Object.keys(document.status).length;
for (let at = 0; at < total; at++) {
  const cell = dataset.Data(at);
  if (cell.status === null || cell.status === undefined) continue;
  let rest = at;
  const key = new Array(ids.length);
  for (let axis = ids.length - 1; axis >= 0; axis--) {
    key[axis] = dataset.Dimension(ids[axis]).id[rest % dataset.size[axis]];
    rest = Math.floor(rest / dataset.size[axis]);
  }
  const unit = dataset.Dimension("measure").Category(key[0]).unit.label;
  const value = cell.value === undefined ? null : cell.value;
  const ends = [extension.lo95[at], extension.hi95[at]].map((end) => (end === undefined ? null : end));
  cells.push([key, [value, ...ends, cell.status, extension.conf_status[at], unit]]);
}
if (cells.length !== statuses) throw new Error(`${cells.length} cells of ${statuses}`);
process.stdout.write(JSON.stringify(cells));
