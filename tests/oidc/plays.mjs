// What the hostile provider answers for a code: ID tokens that must not be believed, token answers that are none, and good ones of
// several forms. Each has a name, by which the checks ask for it.
import { gzipSync } from "node:zlib";
import { key, random, token } from "./keys.mjs";

export const keys = {
  rs256: key("RS256"),
  es256: key("ES256"),
  // Was once good, and is no more after POST /test/retire.
  old: key("RS256"),
  // Stands among the provider's keys, for another use.
  enciphering: key("RS256", { use: "enc" }),
  // Stands among them and is too short for RS256 (RFC 7518, 3.3).
  short: key("RS256", { bits: 1024 }),
  // Stands nowhere.
  foreign: key("RS256"),
};
// A shared secret among the public keys.
export const shared = { kty: "oct", k: random(32), kid: "shared", use: "sig", alg: "HS256" };

const seconds = () => Math.floor(Date.now() / 1000);
const HOUR = 3600;

/** What is true of a flow. */
function truth(flow) {
  const now = seconds();
  return { iss: flow.issuer, sub: flow.who, aud: flow.client, iat: now, exp: now + 300, nonce: flow.nonce };
}

const good = (flow, changes = {}, header = {}, by = keys.rs256) =>
  token({ alg: by.alg, kid: by.kid, typ: "JWT", ...header }, { ...truth(flow), ...changes }, by);

/** The truth, but with a shared secret where only a private key may sign. */
const hmac = (flow, secret, kid = keys.rs256.kid) => token({ alg: "HS256", kid, typ: "JWT" }, truth(flow), { secret });
const pem = (form) => keys.rs256.publicKey.export({ type: form, format: "pem" });
const parts = (text) => text.split(".");

/** A good token, with one letter of one part put in place of another. */
function spoiled(flow, part) {
  const all = parts(good(flow));
  const [at, letters] = [Math.floor(all[part].length / 2), all[part]];
  all[part] = letters.slice(0, at) + (letters[at] === "A" ? "B" : "A") + letters.slice(at + 1);
  return all.join(".");
}

// By name: an ID token.
export const tokens = {
  "good": (flow) => good(flow),
  "good-es256": (flow) => good(flow, {}, {}, keys.es256),
  "good-audience-list": (flow) => good(flow, { aud: [flow.client] }),
  "good-azp": (flow) => good(flow, { azp: flow.client }),
  "good-clock-behind": (flow) => good(flow, { iat: seconds() + 10 }),
  "good-more-claims": (flow) => good(flow, { groups: ["x", { deep: [1, null] }], auth_time: seconds(), amr: ["pwd"], at_hash: undefined }),
  "good-email": (flow) => good(flow, { sub: random(), email: flow.who, email_verified: true }),
  "old-key": (flow) => good(flow, {}, {}, keys.old),

  // Signature.
  "alg-none": (flow) => token({ alg: "none", typ: "JWT" }, truth(flow)),
  "alg-none-with-key": (flow) => token({ alg: "none", kid: keys.rs256.kid }, truth(flow)),
  "alg-none-capitals": (flow) => token({ alg: "nOnE", kid: keys.rs256.kid }, truth(flow)),
  "alg-none-signed": (flow) => good(flow, {}, { alg: "none" }),
  "alg-missing": (flow) => good(flow, {}, { alg: undefined }),
  "alg-list": (flow) => good(flow, {}, { alg: ["RS256"] }),
  "hs256-client-secret": (flow) => hmac(flow, flow.secret),
  "hs256-public-key": (flow) => hmac(flow, pem("spki")),
  "hs256-public-key-pkcs1": (flow) => hmac(flow, pem("pkcs1")),
  "hs256-public-key-trimmed": (flow) => hmac(flow, pem("spki").trim()),
  "hs256-public-key-der": (flow) => hmac(flow, keys.rs256.publicKey.export({ type: "spki", format: "der" })),
  "hs256-modulus": (flow) => hmac(flow, Buffer.from(keys.rs256.shown.n, "base64url")),
  "hs256-shared-key": (flow) => hmac(flow, Buffer.from(shared.k, "base64url"), shared.kid),
  "hs256-empty-secret": (flow) => hmac(flow, Buffer.alloc(1)),
  "another-key": (flow) => token({ alg: "RS256", kid: keys.rs256.kid }, truth(flow), keys.foreign),
  "another-key-without-kid": (flow) => token({ alg: "RS256" }, truth(flow), keys.foreign),
  "unknown-kid": (flow) => token({ alg: "RS256", kid: random() }, truth(flow), keys.foreign),
  "kid-of-another-kind": (flow) => good(flow, {}, { kid: keys.es256.kid }),
  "kid-of-another-kind-ec": (flow) => good(flow, {}, { kid: keys.rs256.kid }, keys.es256),
  "alg-of-another-kind": (flow) => good(flow, {}, { alg: "ES256" }),
  "key-for-enciphering": (flow) => good(flow, {}, {}, keys.enciphering),
  "key-too-short": (flow) => good(flow, {}, {}, keys.short),
  "key-in-the-header": (flow) => good(flow, {}, { jwk: { ...keys.foreign.shown, kid: undefined } }, keys.foreign),
  "key-by-address": (flow) => good(flow, {}, { jku: `${flow.elsewhere}/jwks` }, keys.foreign),
  "critical-unknown": (flow) => good(flow, {}, { crit: ["exp-of-another-kind"], "exp-of-another-kind": 1 }),
  "spoiled-claims": (flow) => spoiled(flow, 1),
  "spoiled-signature": (flow) => spoiled(flow, 2),
  "without-signature": (flow) => `${parts(good(flow)).slice(0, 2).join(".")}.`,
  "two-parts": (flow) => parts(good(flow)).slice(0, 2).join("."),
  "five-parts": (flow) => `${good(flow)}.x.y`,
  "es256-zero": (flow) => `${parts(good(flow, {}, {}, keys.es256)).slice(0, 2).join(".")}.${Buffer.alloc(64).toString("base64url")}`,
  "no-token-at-all": () => "x",
  "claims-no-object": () => token({ alg: "RS256", kid: keys.rs256.kid }, "[]", keys.rs256),

  // By whom, for whom.
  "issuer-wrong": (flow) => good(flow, { iss: "https://other.example" }),
  "issuer-slash": (flow) => good(flow, { iss: `${flow.issuer}/` }),
  "issuer-missing": (flow) => good(flow, { iss: undefined }),
  "audience-wrong": (flow) => good(flow, { aud: "another-client" }),
  "audience-begins-alike": (flow) => good(flow, { aud: `${flow.client}-2` }),
  "audience-empty": (flow) => good(flow, { aud: [] }),
  "audience-missing": (flow) => good(flow, { aud: undefined }),
  "audiences-without-azp": (flow) => good(flow, { aud: [flow.client, "another-client"] }),
  "audiences-azp-other": (flow) => good(flow, { aud: [flow.client, "another-client"], azp: "another-client" }),
  "azp-other": (flow) => good(flow, { azp: "another-client" }),

  // When.
  "expired-long": (flow) => good(flow, { iat: seconds() - 2 * HOUR, exp: seconds() - HOUR }),
  "expired": (flow) => good(flow, { iat: seconds() - 1200, exp: seconds() - 600 }),
  "expiry-missing": (flow) => good(flow, { exp: undefined }),
  "expiry-text": (flow) => good(flow, { exp: String(seconds() + 300) }),
  "expiry-zero": (flow) => good(flow, { exp: 0 }),
  "issued-in-the-future": (flow) => good(flow, { iat: seconds() + HOUR, exp: seconds() + 2 * HOUR }),
  "issue-missing": (flow) => good(flow, { iat: undefined }),
  "not-yet": (flow) => good(flow, { nbf: seconds() + HOUR }),

  // In which flow.
  "nonce-wrong": (flow) => good(flow, { nonce: random() }),
  "nonce-missing": (flow) => good(flow, { nonce: undefined }),
  "nonce-empty": (flow) => good(flow, { nonce: "" }),
  "nonce-list": (flow) => good(flow, { nonce: [flow.nonce] }),
  "nonce-of-state": (flow) => good(flow, { nonce: flow.state }),
  "token-of-another-flow": (flow) => flow.before ?? good(flow, { nonce: random() }),

  // Who: nearly somebody.
  "sub-capitals": (flow) => good(flow, { sub: flow.who.toUpperCase() }),
  "sub-space": (flow) => good(flow, { sub: `${flow.who} ` }),
  "sub-newline": (flow) => good(flow, { sub: `${flow.who}\n` }),
  "sub-nul": (flow) => good(flow, { sub: `${flow.who}\u0000` }),
  "sub-shortened": (flow) => good(flow, { sub: flow.who.slice(0, -1) }),
  "sub-wide-letter": (flow) => good(flow, { sub: flow.who.replace("r", "ｒ") }),
  "sub-pattern": (flow) => good(flow, { sub: "*" }),
  "sub-number": (flow) => good(flow, { sub: 1 }),
  "sub-list": (flow) => good(flow, { sub: [flow.who] }),
  "sub-null": (flow) => good(flow, { sub: null }),
  "sub-empty": (flow) => good(flow, { sub: "" }),
  "sub-missing": (flow) => good(flow, { sub: undefined }),
  "sub-long": (flow) => good(flow, { sub: flow.who + "x".repeat(300_000) }),
  "sub-in-another-claim": (flow) => good(flow, { sub: random(), preferred_username: flow.who, email: flow.who, email_verified: true, name: flow.who }),

  // The same by a verified address of mail.
  "email-unverified": (flow) => good(flow, { email: flow.who, email_verified: false }),
  "email-unsaid": (flow) => good(flow, { email: flow.who }),
  "email-verified-text": (flow) => good(flow, { email: flow.who, email_verified: "false" }),
  "email-verified-null": (flow) => good(flow, { email: flow.who, email_verified: null }),
  "email-list": (flow) => good(flow, { email: [flow.who], email_verified: true }),
  "email-missing": (flow) => good(flow, { email_verified: true }),
};

const HUGE = 100 << 20;
const piece = Buffer.alloc(1 << 16, 32);

/** Bytes without an end in sight, as long as somebody reads them. */
export function pour(into, bytes, begins = "", piecewise = piece) {
  let left = bytes;
  into.write(begins);
  const more = () => {
    while (left > 0 && !into.destroyed) {
      left -= piecewise.length;
      if (!into.write(piecewise)) return into.once("drain", more);
    }
    into.end();
  };
  more();
}

const json = (response, status, value) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
const whole = (flow) => ({ access_token: flow.access, token_type: "Bearer", expires_in: 60, id_token: good(flow) });

/** A good answer that arrives a byte in a second. */
function drip(response, flow) {
  response.writeHead(200, { "content-type": "application/json" });
  const text = JSON.stringify(whole(flow));
  let at = 0;
  const each = setInterval(() => (at < text.length && !response.destroyed ? response.write(text[at++]) : (clearInterval(each), response.end())), 1000);
}

// By name: an answer of the token endpoint that is not simply a token.
export const answers = {
  "good-type-letters": (response, flow) =>
    response.writeHead(200, { "content-type": "application/json;charset=UTF-8" }).end(JSON.stringify({ ...whole(flow), token_type: "bearer", extra: { a: [1] } })),
  "500": (response) => json(response, 500, { error: "server_error" }),
  "503-html": (response) => response.writeHead(503, { "content-type": "text/html" }).end("<h1>Away</h1>"),
  "html": (response) => response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><script>alert(1)</script>"),
  "empty": (response) => response.writeHead(200, { "content-type": "application/json" }).end(),
  "no-body": (response) => response.writeHead(204).end(),
  "list": (response) => json(response, 200, []),
  "without-id-token": (response, flow) => json(response, 200, { ...whole(flow), id_token: undefined }),
  "id-token-null": (response, flow) => json(response, 200, { ...whole(flow), id_token: null }),
  "id-token-object": (response, flow) => json(response, 200, { ...whole(flow), id_token: { token: good(flow) } }),
  "invalid-grant": (response, flow) => json(response, 400, { error: "invalid_grant", error_description: flow.evil }),
  "invalid-client": (response, flow) => json(response, 401, { error: "invalid_client", error_description: flow.evil }),
  "good-but-400": (response, flow) => json(response, 400, whole(flow)),
  "redirect": (response, flow) => response.writeHead(302, { location: `${flow.elsewhere}/token` }).end(),
  "redirect-with-body": (response, flow) => response.writeHead(307, { location: `${flow.elsewhere}/token` }).end(),
  "redirect-308": (response, flow) => response.writeHead(308, { location: `${flow.elsewhere}/token` }).end(),
  "broken-off": (response, flow) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": 10_000 });
    response.write(JSON.stringify(whole(flow)));
    setTimeout(() => response.destroy(), 50);
  },
  "not-http": (response) => response.socket.end("SSH-2.0-OpenSSH_9.9\r\n"),
  "deep": (response) => response.writeHead(200, { "content-type": "application/json" }).end("[".repeat(200_000)),
  "huge": (response) => (response.writeHead(200, { "content-type": "application/json" }), pour(response, HUGE, '{"id_token":"')),
  "huge-announced": (response) => (response.writeHead(200, { "content-type": "application/json", "content-length": HUGE + 1 }), pour(response, HUGE, "{")),
  "huge-header": (response) => pour(response.socket, HUGE, "HTTP/1.1 200 OK\r\n", Buffer.from(`x-${"y".repeat(1000)}: z\r\n`.repeat(64))),
  "huge-compressed": (response, flow) => {
    const body = gzipSync(Buffer.concat([Buffer.from(JSON.stringify(whole(flow)).slice(0, -1)), Buffer.alloc(HUGE, 32), Buffer.from("}")]));
    response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(body);
  },
  "never": () => {},
  "never-after-head": (response) => (response.writeHead(200, { "content-type": "application/json" }), response.write("{")),
  "drip": drip,
};
