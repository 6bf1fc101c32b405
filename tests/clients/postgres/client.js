// node-postgres: see check.py for what is asked of a client.
const { Client } = require("pg");
const [host, port, password, typed, refused, long] = process.argv.slice(2);
const need = (condition, what) => { if (!condition) throw new Error(what); };

(async () => {
  const options = { host, port: Number(port), user: "analyst", password, database: "amanat" };
  const client = new Client(options);
  await client.connect();
  need((await client.query("select 1 as one")).rows[0].one == 1, "select 1");
  console.log("connect");
  const tables = await client.query(
    "select c.relname, obj_description(c.oid, 'pg_class') as comment from pg_class c " +
    "join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relkind = any($2)", ["published", ["r", "v"]]);
  need(tables.rows.find((row) => row.relname === "v01").comment.includes("Victims identified"), "a comment");
  console.log("tables");
  const rows = (await client.query(typed.replace("{}", "$1").replace("{}", "$2"), [2024, "F"])).rows;
  need(Number(rows.find((row) => row.province === "PK-PB").n) > 0, "typed");
  console.log("typed");
  try {
    await client.query(refused);
    throw new Error("answered");
  } catch (error) {
    need(error.code === "PV003" && error.hint.includes("Write count(*), with GROUP BY"), error.message);
  }
  console.log("refusal");
  const pid = client.processID;
  const secret = client.secretKey;
  process.stdin.once("data", () => {
    // What `client.cancel` of pg does, on a connection of its own.
    const socket = require("net").connect(Number(port), host, () => {
      const request = Buffer.alloc(16);
      [16, 80877102, pid, secret].forEach((word, at) => request.writeInt32BE(word, at * 4));
      socket.end(request);
    });
  });
  console.log("run");
  try {
    await client.query(long);
    console.log("answered");
  } catch (error) {
    console.log(`${error.code} ${error.message}`);
  }
  await client.end();
  process.stdin.destroy();
})().catch((error) => { console.error(error); process.exit(1); });
