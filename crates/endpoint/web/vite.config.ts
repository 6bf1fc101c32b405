import { defineConfig, type Plugin } from "vite";

// What the program sends with its pages (crates/endpoint/src/pages.rs), so that what breaks under it breaks here, too.
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; manifest-src 'self'";
const service = process.env.AMANAT_URL ?? "http://127.0.0.1:8080";
const proxy = Object.fromEntries(
  // The host stays that of the page: the service takes what changes something from pages of its own origin alone.
  ["/v1", "/docs", "/problems", "/openapi.json", "/readyz"].map((path) => [path, { target: service, changeOrigin: false }]),
);

/**
 * Plot makes a number format when it is loaded, though every axis here names its own. That costs a fifth of what a chart does:
 * it is made when it is first wanted.
 */
const lateFormat: Plugin = {
  name: "late-format",
  transform(code, id) {
    if (!id.endsWith("/plot/src/format.js")) return null;
    const eager = "const number = formatNumber(locale);";
    if (!code.includes(eager)) throw new Error("Plot has changed: lateFormat in vite.config.ts does not fit it any more");
    return { code: code.replace(eager, "const number = (value) => formatNumber(locale)(value);"), map: null };
  },
};

export default defineConfig({
  plugins: [lateFormat],
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    // Fonts and pictures are files of their own: the policy lets no font come from a `data:` address.
    assetsInlineLimit: 0,
    cssCodeSplit: true,
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        // What every page needs is one file: each file more is work before anything is seen.
        codeSplitting: { groups: [{ name: "base", test: /node_modules\/preact|src\/(lib|charts\/(spec|Chart|Spark)|messages\.ts|parts\/(frame|figure|state|tables|tiles|provinces|value|copy|published))/ }] },
      },
    },
  },
  server: { proxy },
  preview: { proxy, headers: { "Content-Security-Policy": policy } },
});
