import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type AccountReaction, tellTurned } from "../../src/account/AccountReaction.ts"
import * as Builders from "../../src/testing/Builders.ts"

describe("AccountReaction", () => {
  it.effect("tells workspaces in the order of their ids, whichever account turned first", () =>
    Effect.gen(function* () {
      const build = Builders.make("turned")
      const [first, second] = [build.workspace().id, build.workspace().id].toSorted()
      const [a, b, c] = [build.account(second!), build.account(first!), build.account(second!)]
      const told: Array<readonly [string, ReadonlyArray<string>]> = []
      const reaction: AccountReaction = {
        changing: () => Effect.void,
        turned: (workspace, accounts) => Effect.sync(() => void told.push([workspace, accounts.map(({ id }) => id)]))
      }
      yield* tellTurned([reaction], [a, b, c], Builders.start)
      assert.deepStrictEqual(told, [
        [first!, [b.id]],
        [second!, [a.id, c.id]]
      ])
    })
  )
})
