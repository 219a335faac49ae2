import { defineConfig } from "vite";

// One file, because Airflow loads one: styles are a string inside it.
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  define: { "process.env.NODE_ENV": '"production"' },
  build: {
    outDir: "../plugins/predictive_scaling/page/built",
    emptyOutDir: true,
    target: "es2022",
    lib: { entry: "src/main.tsx", formats: ["es"], fileName: () => "scaling.js" },
  },
});
