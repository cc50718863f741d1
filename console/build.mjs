// Makes dist/ from src/: one script, one style, and SHA256SUMS of these and of what they were made from, by which scripts/check-includes
// sees without npm that nobody has forgotten to build. usage: npm run build
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

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
  metafile: true,
});
const sources = Object.keys(result.metafile.inputs).filter((path) => path.startsWith("src/"));
const files = [...sources, ...Object.keys(result.metafile.outputs), "build.mjs", "package-lock.json"].sort();
const sums = files.map((path) => `${createHash("sha256").update(readFileSync(path)).digest("hex")}  ${path}\n`);
mkdirSync("dist", { recursive: true });
writeFileSync("dist/SHA256SUMS", sums.join(""));
