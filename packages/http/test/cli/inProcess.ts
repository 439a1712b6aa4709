/** Runs the real `overture` in this process, with what it prints: as good as a process of its own, and forty times as quick. */
import { vi } from "vitest"
import { main } from "../../src/cli/Cli.ts"

export const inProcess = async (...args: ReadonlyArray<string>) => {
  const text = { stdout: "", stderr: "" }
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((chunk) => {
      text[name] += String(chunk)
      return true
    })
  )
  try {
    return { code: await main(args), ...text }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}
