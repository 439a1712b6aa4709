/**
 * How names become addresses. Names that users give are asked of name servers directly, without the threads that files
 * and other look-ups of the process share: a name server that keeps silent holds up nobody else.
 */
import { lookup as systemLookup, Resolver } from "node:dns/promises"

/** The addresses of a name; rejects with a system error where it has none. */
export type Lookup = (hostname: string) => Promise<ReadonlyArray<string>>

/** As the machine resolves names, with its hosts file: for operators who allow inward addresses. */
export const bySystem: Lookup = async (hostname) =>
  (await systemLookup(hostname, { all: true })).map(({ address }) => address)

/** By the machine's name servers alone; each is asked twice and has 3 s to answer. */
export const byNameServers = (): Lookup => {
  const resolver = new Resolver({ timeout: 3_000, tries: 2 })
  return async (hostname) => {
    const [four, six] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
    const found = [four, six].flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []))
    if (found.length === 0 && four.status === "rejected") throw four.reason
    return found
  }
}
