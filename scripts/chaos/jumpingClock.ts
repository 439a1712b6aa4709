/** Loaded before a worker: its wall clock is off by what a file says, in milliseconds. The machine's clock is left alone. */
import { readFileSync } from "node:fs"

const control = process.env["CHAOS_CLOCK"] ?? ""
const now = Date.now.bind(Date)
let offset = 0

Date.now = () => now() + offset

const look = () => {
  const found = Number(readFileSync(control, "utf8"))
  if (Number.isFinite(found)) offset = found
}
look()
setInterval(look, 20).unref()
