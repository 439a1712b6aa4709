#!/usr/bin/env node
// Starts the command line: in the repository from the sources, without a build; installed from npm from dist.
import { existsSync } from "node:fs"

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `overture: Node.js 22.19 or newer is needed, this is ${process.version}\n` +
      "In a clone of the repository, npm ci brings one: start it by `npm exec -- overture`.\n"
  )
  process.exit(1)
}

// node:sqlite is marked experimental; what it says of itself is not for the reader of a report.
const emitWarning = process.emitWarning
process.emitWarning = (warning, ...rest) => {
  const type = typeof rest[0] === "string" ? rest[0] : (rest[0]?.type ?? warning?.name)
  if (type !== "ExperimentalWarning") emitWarning.call(process, warning, ...rest)
}

const module = await import("node:module")
// Starting again takes half the time.
module.enableCompileCache?.()

const source = new URL("../src/cli/main.ts", import.meta.url)
// Node strips types only outside node_modules.
if (import.meta.dirname.split(/[\\/]/).includes("node_modules") || !existsSync(source)) {
  await import("../dist/cli/main.js")
} else {
  module.registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...context.conditions, "@overture/source"] })
  })
  await import(source.href)
}
