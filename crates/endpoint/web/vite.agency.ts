import { defineConfig } from "vite";

// The page of an agency is served by another door (crates/gateway/src/door/pages.rs) with all that it needs, each file under a name that stays.
export default defineConfig({
  base: "/agency/",
  build: {
    target: "es2022",
    outDir: "dist-agency",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    reportCompressedSize: false,
    rolldownOptions: {
      input: "agency.html",
      output: { entryFileNames: "agency.js", assetFileNames: (asset) => (asset.names.some((name) => name.endsWith(".css")) ? "agency.css" : "[name][extname]"), codeSplitting: false },
    },
  },
});
