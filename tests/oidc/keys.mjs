// Keys of providers, and JSON Web Tokens put together by hand: a library would refuse to make most of those that are needed here.
import { createHmac, generateKeyPairSync, randomBytes, sign } from "node:crypto";

export const random = (bytes = 16) => randomBytes(bytes).toString("base64url");
export const encoded = (value) => Buffer.from(typeof value === "string" || Buffer.isBuffer(value) ? value : JSON.stringify(value)).toString("base64url");

/** A key: its id, both halves, and the public half as others read it. */
export function key(alg, { bits = 2048, use = "sig" } = {}) {
  const { privateKey, publicKey } =
    alg === "ES256" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("rsa", { modulusLength: bits });
  const kid = `${alg.toLowerCase()}-${random(6)}`;
  const shown = { ...publicKey.export({ format: "jwk" }), kid, use, alg };
  return { kid, alg, privateKey, publicKey, shown, whole: { ...privateKey.export({ format: "jwk" }), kid, use, alg } };
}

/** What stands before and behind the last dot, signed with a private key, a shared secret, or nothing. */
export function token(header, claims, { privateKey, secret } = {}) {
  const text = `${encoded(header)}.${encoded(claims)}`;
  let signature = Buffer.alloc(0);
  if (secret) signature = createHmac("sha256", secret).update(text).digest();
  if (privateKey) signature = sign("sha256", Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${text}.${encoded(signature)}`;
}
