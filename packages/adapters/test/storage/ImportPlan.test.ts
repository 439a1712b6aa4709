import type { Contact } from "@overture/core/contact/Contact"
import * as Builders from "@overture/core/testing/Builders"
import { assert, describe, it } from "@effect/vitest"
import { batchOf, type Known, plan } from "../../src/storage/contact/ImportPlan.ts"

const build = Builders.make("plan")
const { id: workspace } = build.workspace()
const row = (externalRef: string | null, ...names: ReadonlyArray<string>): Contact =>
  build.contact(workspace, {
    addresses: names.map((externalId) => ({ channel: "c", scope: "", externalId })),
    externalRef
  })

/** Who is asked for a stop that may go for all their addresses. */
const asked = (known: ReadonlyArray<Contact>, rows: ReadonlyArray<Contact>) => {
  const all: Known = {
    byAddress: new Map(known.flatMap(({ addresses, id }) => addresses.map((one) => [`c//${one.externalId}`, id]))),
    byRef: new Map(known.flatMap(({ externalRef, id }) => (externalRef === null ? [] : [[externalRef, id]]))),
    contacts: new Map(known.map((contact) => [contact.id, contact]))
  }
  return plan(batchOf(rows), all, "update").joined
}

describe("an import asks for stops", () => {
  it("of nobody where people are new with one address, or keep theirs", () => {
    const known = [row("r", "a", "b"), row(null, "d")]
    assert.deepStrictEqual(asked(known, [row("r", "b"), row("r", "a", "b"), row(null, "d"), row("s", "e")]), [])
  })

  it("of those alone whose addresses join", () => {
    const known = [row("r", "a"), row("s", "b"), row("t", "c")]
    const rows = [row("r", "a-2"), row("s", "b"), row("n", "new"), row("n", "new-2"), row("m", "one")]
    assert.deepStrictEqual(asked(known, rows), [
      ["c//new", "c//new-2"],
      ["c//a", "c//a-2"]
    ])
  })
})
