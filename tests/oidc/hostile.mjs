// A provider that keeps to OpenID Connect Discovery and answers badly, or, where it is asked so, well.
//
//   node hostile.mjs SETTINGS.json
//
// The settings: secret (of the client), evil (a text that must nowhere be shown as it is), certificate and key (files, for https).
// It prints its addresses as one line of JSON: `main`, `tls`, `elsewhere` (another host that knows all answers), `far` (the same on
// the address that this machine has in its network; null where it has none).
//
// An issuer is `<main>/i/VARIANT`; a variant is a way to describe oneself badly. A browser that comes to the authorization endpoint
// may add `play` (a name of plays.mjs) and `who` (whom the ID token is of); the code remembers both.
//
// GET /test/told is what came and went since it was asked last; POST /test/retire takes the old key out of the public keys.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { networkInterfaces } from "node:os";
import { random } from "./keys.mjs";
import { answers, keys, pour, shared, tokens } from "./plays.mjs";

const settings = JSON.parse(readFileSync(process.argv[2], "utf8"));
const addresses = { far: null };
const flows = new Map();
let [retired, lastToken] = [false, null];
const fresh = () => ({ flows: [], tokens: [], requests: { discovery: 0, jwks: 0, token: 0, elsewhere: 0 }, mostSent: 0 });
let told = fresh();

const json = (response, value, status = 200) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
const html = (response) => response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><h1>Welcome</h1>");
const never = () => {};
const huge = (response) => (response.writeHead(200, { "content-type": "application/json" }), pour(response, 100 << 20, '{"issuer":"'));

/** What a good provider says of itself. */
const good = (issuer) => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/jwks`,
  response_types_supported: ["code"],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: ["RS256", "ES256"],
  token_endpoint_auth_methods_supported: ["client_secret_basic", "none"],
  code_challenge_methods_supported: ["S256"],
  authorization_response_iss_parameter_supported: true,
});
const far = () => addresses.far ?? "http://192.0.2.1:9";
const authorize = (address) => (document) => ({ ...document, authorization_endpoint: address });

// By variant: how the description differs from the good one.
const described = {
  "query": (document) => ({ ...document, authorization_endpoint: `${document.authorization_endpoint}?tenant=one` }),
  // Only what OpenID Connect Discovery requires: nothing is promised of `iss` in the return.
  "bare": ({ code_challenge_methods_supported: _, authorization_response_iss_parameter_supported: __, ...document }) => document,
  "none-only": (document) => ({ ...document, id_token_signing_alg_values_supported: ["none", "HS256"] }),
  "issuer-other": (document) => ({ ...document, issuer: "https://other.example" }),
  "issuer-slash": (document) => ({ ...document, issuer: `${document.issuer}/` }),
  "issuer-missing": (document) => ({ ...document, issuer: undefined }),
  "far-authorize": (document) => ({ ...document, authorization_endpoint: `${far()}/i/plain/authorize` }),
  "far-token": (document) => ({ ...document, token_endpoint: `${far()}/i/plain/token` }),
  "far-jwks": (document) => ({ ...document, jwks_uri: `${far()}/i/plain/jwks` }),
  "authorize-name": authorize("http://127.0.0.1.evil.example/authorize"),
  "authorize-user": authorize("http://127.0.0.1@evil.example/authorize"),
  "authorize-script": authorize("javascript:alert(1)//"),
  "authorize-data": authorize("data:text/html,x"),
  "authorize-lines": (document) => ({ ...document, authorization_endpoint: `${document.authorization_endpoint}?a\r\nset-cookie: amanat=evil` }),
  "authorize-relative": authorize("//evil.example/authorize"),
  "authorize-missing": authorize(undefined),
  "token-file": (document) => ({ ...document, token_endpoint: "file:///etc/passwd" }),
  "token-missing": (document) => ({ ...document, token_endpoint: undefined }),
  "jwks-missing": (document) => ({ ...document, jwks_uri: undefined }),
};

// By variant: a description that is none.
const undescribed = {
  "doc-500": (response) => json(response, { error: "server_error" }, 500),
  "doc-html": html,
  "doc-empty": (response) => json(response, {}),
  "doc-never": never,
  "doc-huge": huge,
  "doc-deep": (response) => response.writeHead(200, { "content-type": "application/json" }).end("[".repeat(200_000)),
  "doc-redirect": (response) => response.writeHead(302, { location: `${addresses.elsewhere}/i/doc-redirect/.well-known/openid-configuration` }).end(),
};

/** The public keys; behind them one of another use, one that is too short, and a secret that ought not to be there. */
const shownKeys = () => [keys.rs256, keys.es256, ...(retired ? [] : [keys.old]), keys.enciphering, keys.short].map((key) => key.shown).concat(shared);
const odd = [
  {},
  { kty: "AKP", kid: "x", alg: "ML-DSA-44", pub: "AAAA" },
  { kty: "EC", crv: "P-256", kid: "half" },
  { kty: "RSA", n: "!!", e: "AQAB", kid: "no-number" },
  { kty: "OKP", crv: "X25519", x: "AAAA" },
  { kty: "EC", crv: "secp256k1", x: "AA", y: "AA", alg: "ES256K" },
];

// By variant: keys that are none, or some that are odd among good ones (RFC 7517, 5: what is not understood is passed over).
const keysOf = {
  "jwks-odd": (response) => json(response, { keys: [...odd, ...shownKeys()] }),
  "jwks-empty": (response) => json(response, { keys: [] }),
  "jwks-500": (response) => json(response, {}, 500),
  "jwks-html": html,
  "jwks-never": never,
  "jwks-list": (response) => json(response, shownKeys()),
  "jwks-10mib": (response) => json(response, { keys: [...Array(20_000).fill({ ...keys.foreign.shown, kid: "x" }), ...shownKeys()] }),
  "jwks-huge": huge,
  "jwks-redirect": (response) => response.writeHead(302, { location: `${addresses.elsewhere}/i/plain/jwks` }).end(),
};

function description(response, issuer, variant) {
  if (variant !== "plain" && ![described, undescribed, keysOf].some((known) => known[variant])) throw new Error(`no variant ${variant}`);
  told.requests.discovery += 1;
  if (undescribed[variant]) return undescribed[variant](response);
  return json(response, (described[variant] ?? ((document) => document))(good(issuer)));
}

/** Sends the browser back with a code that remembers what is to be played. */
function authorization(response, issuer, variant, asked) {
  const it = Object.fromEntries(asked);
  if (it.play && it.play !== "good-code-with-signs" && !tokens[it.play] && !answers[it.play]) throw new Error(`no play ${it.play}`);
  const signs = it.play === "good-code-with-signs" ? "&redirect_uri=x +%00/=é#" : "";
  const code = `${random()}${signs}`;
  const own = { client: it.client_id, secret: settings.secret, evil: settings.evil, elsewhere: addresses.elsewhere };
  const flow = { ...it, ...own, code, issuer, access: random(32), used: 0 };
  flows.set(code, flow);
  if (flows.size > 2000) flows.delete(flows.keys().next().value);
  told.flows.push(Object.fromEntries(asked));
  const back = new URL(it.redirect_uri ?? "http://127.0.0.1/");
  back.searchParams.set("code", code);
  back.searchParams.set("state", it.state ?? "");
  if (variant !== "bare") back.searchParams.set("iss", issuer);
  response.writeHead(303, { location: back.href }).end();
}

/** Whether the client is who it says, knows its verifier, and asks in the right form: what is wrong, in words. */
function objections(flow, request, form) {
  const wrong = [];
  const given = /^Basic (.*)$/.exec(request.headers.authorization ?? "")?.[1];
  const [id, secret] = given ? Buffer.from(given, "base64").toString().split(":").map((part) => decodeURIComponent(part.replace(/\+/g, "%20"))) : [];
  if (id !== flow.client || secret !== settings.secret) wrong.push("the client does not say its id and secret as client_secret_basic does");
  if (form.has("client_secret")) wrong.push("the secret stands in the form as well");
  const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
  if (challenge !== flow.code_challenge) wrong.push("the verifier is not that of the challenge");
  if (form.get("redirect_uri") !== flow.redirect_uri) wrong.push("another redirect_uri than at first");
  if (form.get("grant_type") !== "authorization_code") wrong.push("another grant_type");
  const once = ["grant_type", "code", "redirect_uri", "code_verifier", "client_id"];
  const names = [...form.keys()];
  if (names.some((name) => !once.includes(name)) || new Set(names).size !== names.length) wrong.push(`parameters ${names}`);
  if (!/^application\/x-www-form-urlencoded/.test(request.headers["content-type"] ?? "")) wrong.push("another content-type");
  if (flow.used > 1) wrong.push("a code is used again");
  return wrong;
}

async function tokenFor(request, response, count) {
  let text = "";
  for await (const more of request) text += more;
  told.requests[count] += 1;
  const form = new URLSearchParams(text);
  const flow = flows.get(form.get("code"));
  if (!flow) {
    told.tokens.push({ wrong: ["a code that nobody gave"] });
    return json(response, { error: "invalid_grant" }, 400);
  }
  flow.used += 1;
  const wrong = objections(flow, request, form);
  const secrets = [form.get("code_verifier"), flow.access].filter(Boolean);
  const about = { code: flow.code, play: flow.play, wrong, secrets };
  told.tokens.push(about);
  const play = count === "elsewhere" ? "good" : flow.play;
  if (answers[play]) return answers[play](response, flow);
  const id_token = (tokens[play] ?? tokens.good)({ ...flow, before: lastToken });
  if (flow.play === "good") lastToken = id_token;
  if (id_token.length < 10_000) secrets.push(id_token);
  return json(response, { access_token: flow.access, token_type: "Bearer", expires_in: 60, id_token });
}

/** Answers under one address. Elsewhere is never asked by who keeps to the rules, and would give a good answer. */
const serves = (own, count) => async (request, response) => {
  const { socket } = response;
  response.on("close", () => (told.mostSent = Math.max(told.mostSent, socket.bytesWritten)));
  const { pathname, searchParams } = new URL(request.url, own());
  if (count === "elsewhere") told.requests.elsewhere += 1;
  if (pathname === "/test/told") {
    json(response, told);
    told = fresh();
    return;
  }
  if (pathname === "/test/retire") {
    retired = true;
    return json(response, {});
  }
  const [, variant, what] = /^\/i\/([\w-]+)\/(.*)$/.exec(pathname) ?? [null, "plain", pathname.slice(1)];
  const issuer = `${count === "elsewhere" ? addresses.main : own()}/i/${variant}`;
  if (what === ".well-known/openid-configuration") return description(response, issuer, count === "elsewhere" ? "plain" : variant);
  if (what === "authorize") return authorization(response, issuer, variant, searchParams);
  if (what === "token") return tokenFor(request, response, count === "elsewhere" ? count : "token");
  if (what !== "jwks") return json(response, {}, 404);
  if (count === "elsewhere") return json(response, { keys: [keys.foreign.shown, ...shownKeys()] });
  told.requests.jwks += 1;
  if (keysOf[variant]) return keysOf[variant](response);
  return json(response, { keys: shownKeys() });
};

function listen(server, host, scheme) {
  return new Promise((done) => server.listen(0, host, () => done(`${scheme}://${host}:${server.address().port}`)));
}

/** What goes wrong here is said, and would otherwise look like one more bad answer. */
const safe = (answer) => (request, response) => answer(request, response).catch((error) => (console.error(error), response.destroy()));
const tls = { cert: readFileSync(settings.certificate), key: readFileSync(settings.key) };
const elsewhere = () => createServer(safe(serves(() => addresses.elsewhere, "elsewhere")));
addresses.main = await listen(createServer(safe(serves(() => addresses.main))), "127.0.0.1", "http");
addresses.tls = await listen(createTlsServer(tls, safe(serves(() => addresses.tls))), "127.0.0.1", "https");
addresses.elsewhere = await listen(elsewhere(), "127.0.0.2", "http");
const own = Object.values(networkInterfaces()).flat().find((one) => one.family === "IPv4" && !one.internal);
if (own) addresses.far = await listen(elsewhere(), own.address, "http");
const names = (...tables) => tables.flatMap(Object.keys);
console.log(JSON.stringify({ ...addresses, plays: names(tokens, answers), variants: ["plain", ...names(described, undescribed, keysOf)] }));
