import { assert, it } from "@effect/vitest"
import { Schema } from "effect"
import { DueList } from "../../../src/channels/sandbox/DueList.ts"

const At = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 300 }))

it.prop(
  "a due list is a sorted array in which equals keep their order",
  {
    times: Schema.Array(At),
    copies: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 200 })),
    after: At,
    until: At
  },
  ({ after, copies, times, until }) => {
    const due = Array.from({ length: copies }, (_, copy) =>
      times.map((toldAt, i) => ({ toldAt, n: `${copy}/${i}` }))
    ).flat()
    const list = new DueList<(typeof due)[number]>()
    for (const one of due) list.add(one)
    const sorted = due.toSorted((a, b) => a.toldAt - b.toldAt)
    assert.deepStrictEqual(
      list.between(after, until),
      sorted.filter(({ toldAt }) => toldAt > after && toldAt <= until)
    )
    assert.strictEqual(list.nextAfter(after), sorted.find(({ toldAt }) => toldAt > after)?.toldAt ?? null)
  }
)
