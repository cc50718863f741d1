// Makes dist/ from src/: one script, one style. usage: npm run build, or node build.mjs --check (fails when dist/ is another build's)
import { build } from "esbuild";
import { readFileSync, writeFileSync, mkdirSync } from "node:fs";

const result = await build({
  entryPoints: { app: "src/main.tsx" },
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  outdir: "dist",
  write: false,
});
const files = result.outputFiles.map((file) => [file.path.split("/").pop(), file.text]);
mkdirSync("dist", { recursive: true });
let stale = 0;
for (const [name, text] of files) {
  const path = `dist/${name}`;
  let before = null;
  try { before = readFileSync(path, "utf8"); } catch { /* a first build */ }
  if (process.argv.includes("--check")) {
    if (before !== text) { console.error(`console: ${path} is not what src/ makes: run npm run build in console/`); stale = 1; }
  } else if (before !== text) {
    writeFileSync(path, text);
  }
}
process.exit(stale);
