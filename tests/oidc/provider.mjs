// A real provider of OpenID Connect (the certified `oidc-provider`), with synthetic accounts and a form of one field to log in.
//
//   node provider.mjs SETTINGS.json
//
// The settings: port, redirect (the address to return to), secret (of the client `amanat`), and accounts by name, each with its
// claims. Prints one line when it listens. POST /test/rotate gives it new keys; GET /test/told has every token it has given.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { key, random } from "./keys.mjs";

const settings = JSON.parse(readFileSync(process.argv[2], "utf8"));
const issuer = `http://127.0.0.1:${settings.port}`;
const told = [];

// The runtime is older than those that the package is supported on; it says so at each start, and works.
const warn = console.warn;
console.warn = (text, ...more) => /Unsupported runtime/.test(text) || warn(text, ...more);
const { default: Provider } = await import(pathToFileURL(createRequire(join(process.env.OIDC_MODULES, "x.js")).resolve("oidc-provider")));
console.warn = warn;

const client = { redirect_uris: [settings.redirect], response_types: ["code"], grant_types: ["authorization_code"] };
const cookies = { keys: [random()] };

/** Whoever uses these clients has agreed to it. */
async function agreed(ctx) {
  const { client, session, provider, params } = ctx.oidc;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(params.scope);
  await grant.save();
  return grant;
}

/** A provider with new keys. What it has begun is kept beside it, in memory, so that the next one goes on with it. */
function provider() {
  const made = new Provider(issuer, {
    clients: [
      { ...client, client_id: "amanat", client_secret: settings.secret, token_endpoint_auth_method: "client_secret_basic", id_token_signed_response_alg: "RS256" },
      { ...client, client_id: "amanat-public", token_endpoint_auth_method: "none", id_token_signed_response_alg: "ES256" },
    ],
    jwks: { keys: [key("RS256").whole, key("ES256").whole] },
    cookies,
    pkce: { required: () => true },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["preferred_username"] },
    // As most providers do it: what a scope asks for stands in the ID token.
    conformIdTokenClaims: false,
    findAccount: (_, sub) => ({ accountId: sub, claims: () => Object.values(settings.accounts).find((account) => account.sub === sub) }),
    loadExistingGrant: agreed,
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 600, IdToken: 60, Interaction: 600, Session: 600 },
  });
  made.on("grant.success", (ctx) => told.push(...[ctx.body.id_token, ctx.body.access_token].filter(Boolean)));
  made.on("server_error", (_, error) => console.error(error));
  return { made, answer: made.callback() };
}

const form = (request) =>
  new Promise((done) => {
    let text = "";
    request.on("data", (more) => (text += more)).on("end", () => done(new URLSearchParams(text)));
  });

/** Logs in as whom the form names; nobody there denies it. */
async function interaction(request, response) {
  await now.made.interactionDetails(request, response);
  if (request.method !== "POST") {
    response.setHeader("content-type", "text/html");
    return response.end('<!doctype html><title>Log in</title><form method="post"><input name="account"><button>Go on</button></form>');
  }
  const account = settings.accounts[(await form(request)).get("account")];
  const result = account ? { login: { accountId: account.sub } } : { error: "access_denied", error_description: "Nobody of that name" };
  await now.made.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

let now = provider();
createServer((request, response) => {
  const path = new URL(request.url, issuer).pathname;
  if (path === "/test/told") return response.end(JSON.stringify(told));
  if (path === "/test/rotate") {
    now = provider();
    return response.end("{}");
  }
  if (path.startsWith("/interaction/")) {
    return interaction(request, response).catch((error) => response.writeHead(400).end(String(error)));
  }
  return now.answer(request, response);
}).listen(settings.port, "127.0.0.1", () => console.log("listens"));
