// Serves dist/ as the program does (headers, codings, policy), and asks a running service for the data: to see the pages as
// they will be without building the program.
//
//   AMANAT_URL=http://127.0.0.1:8080 node serve.mjs 18083
import { existsSync, readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { join } from "node:path";

const service = new URL(process.env.AMANAT_URL ?? "http://127.0.0.1:8080");
const port = Number(process.argv[2] ?? 18083);
const root = join(import.meta.dirname, "dist");
// The same as in crates/endpoint/src/pages.rs.
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; manifest-src 'self'";
const types = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8", svg: "image/svg+xml", woff2: "font/woff2", txt: "text/plain; charset=utf-8" };
const pages = /^\/(indicators(\/[^/]+)?|questions(\/[^/]+)?|children|justice|labour|support|quality|sql|about|login|welcome|people|queue|feeds(\/[^/]+)?)?$/;

function file(name, asked, status, response) {
  const path = join(root, name);
  if (!path.startsWith(root) || !existsSync(path)) {
    response.writeHead(404, { "content-type": "application/problem+json" });
    response.end("{}");
    return;
  }
  const codings = String(asked.headers["accept-encoding"] ?? "");
  const coded = [["br", ".br"], ["gzip", ".gz"]].find(([coding, end]) => codings.includes(coding) && existsSync(path + end));
  const headers = { "content-type": types[name.split(".").pop()], "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" };
  headers["cache-control"] = name.startsWith("assets/") ? "public, max-age=31536000, immutable" : "public, no-cache";
  if (name === "index.html") headers["content-security-policy"] = policy;
  if (coded) headers["content-encoding"] = coded[0];
  response.writeHead(status, headers);
  response.end(readFileSync(path + (coded?.[1] ?? "")));
}

function pass(asked, response) {
  const { hostname, port: to } = service;
  const onward = request({ hostname, port: to, path: asked.url, method: asked.method, headers: asked.headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", () => response.writeHead(502).end());
  response.on("close", () => onward.destroy());
  asked.pipe(onward);
}

/** True of an id that the service knows. */
async function known(id) {
  return (await fetch(new URL(`/v1/indicators/${id}`, service))).ok;
}

createServer(async (asked, response) => {
  const { pathname } = new URL(asked.url ?? "/", "http://here");
  const browser = String(asked.headers.accept ?? "").includes("text/html");
  if (pathname.startsWith("/assets/") || pathname === "/licences.txt") return file(pathname.slice(1), asked, 200, response);
  if (/^\/(v1|docs|problems|openapi\.json|readyz)/.test(pathname) || (pathname === "/" && !browser)) return pass(asked, response);
  const id = /^\/indicators\/([^/]+)$/.exec(pathname)?.[1];
  const found = id ? await known(id) : pages.test(pathname);
  return file("index.html", asked, found ? 200 : 404, response);
}).listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port}`));
