import { defineConfig } from "vite";

// What the program sends with its pages (crates/endpoint/src/pages.rs), so that what breaks under it breaks here, too.
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; manifest-src 'self'";
const service = process.env.AMANAT_URL ?? "http://127.0.0.1:8080";
const proxy = Object.fromEntries(
  ["/v1", "/problems", "/openapi.json", "/readyz"].map((path) => [path, { target: service, changeOrigin: true }]),
);

export default defineConfig({
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    // Fonts and pictures are files of their own: the policy lets no font come from a `data:` address.
    assetsInlineLimit: 0,
    cssCodeSplit: true,
    reportCompressedSize: false,
  },
  server: { proxy },
  preview: { proxy, headers: { "Content-Security-Policy": policy } },
});
