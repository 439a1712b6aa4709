import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Explanation } from "../../src/campaign/Explanation.ts"
import type { Explained } from "../../src/campaign/Explanation.ts"
import type * as Lead from "../../src/campaign/Lead.ts"
import * as Memory from "../../src/memory/Memory.ts"
import * as MemoryStorage from "../../src/memory/MemoryStorage.ts"
import { paceKey, type State } from "../../src/memory/State.ts"
import * as Overture from "../../src/Overture.ts"
import { Outbox } from "../../src/outbox/Outbox.ts"
import * as TestChannel from "../../src/testing/TestChannel.ts"
import { day } from "../../src/workspace/Instant.ts"
import { PacingTime } from "../../src/workspace/PacingTime.ts"
import { WorkspaceStore } from "../../src/workspace/WorkspaceStore.ts"
import type { Cell } from "./RandomStates.ts"
import { cell, channels, now } from "./RandomStates.ts"
import * as Scene from "./Scene.ts"

/** Cells in one engine whose clock stands at `now`. */
const within = <A>(
  fill: (state: State) => ReadonlyArray<Cell>,
  body: (state: State, cells: ReadonlyArray<Cell>) => Effect.Effect<A, unknown, Overture.Services>
) =>
  Effect.gen(function* () {
    const memory = yield* Memory.make
    const cells = yield* memory.verb(() => fill(memory.state))
    const engine = Overture.layer({
      storage: Layer.succeedContext(MemoryStorage.of(memory)),
      channels: channels(),
      time: PacingTime.layerVirtual(now)
    })
    return yield* body(memory.state, cells).pipe(Effect.provide(engine))
  })

const paceOf = (state: State, { account, campaign }: Cell) =>
  state.paces.need(paceKey({ campaign: campaign.id, account: account.id }))

/** No pace sleeps past the end of its campaign. */
const capped = ({ campaign: { settings } }: Cell, at: number | null): number | null =>
  settings.endAt === null ? at : Math.min(at ?? Infinity, settings.endAt)

const asleepUntil = (cell: Cell, { pace }: Explained) => capped(cell, pace?.type === "defer" ? pace.until : null)

/** What became of a lead whose campaign is over, in the words of an explanation. */
const ended = (after: Lead.Lead): string =>
  after.status === "skipped" ? `skipped ${after.reason}` : `over ${after.ended}`

/** What a lead whose step is gone was told, and what a tick made of it: it takes the next step, or is over. */
const relocated = ({ answer }: Explained, after: Lead.Lead): ReadonlyArray<string> =>
  answer.type === "over"
    ? [answer.reason, after.ended ?? ""]
    : answer.type === "waits" && answer.reason === "notDue"
      ? [`${answer.at}`, `${after.dueAt}`]
      : ["due", (after.dueAt ?? 0) <= now ? "due" : "not due"]

/** What a tick recorded of a lead, in the words of an explanation. */
const recorded = (before: Lead.Lead, after: Lead.Lead): string => {
  const touch = after.touches.findLast(({ step }) => step === before.step)
  if (touch?.status === "skipped") return `skipped ${touch.reason}`
  if (touch?.status === "deferred" && after.dueAt !== before.dueAt) return `waits ${touch.reason} ${after.dueAt}`
  return after.lastSentAt === now ? `ready ${now}` : "nothing"
}

const told = ({ answer }: Explained): string => {
  switch (answer.type) {
    case "skipped":
      return `skipped ${answer.reason}`
    case "waits":
      return `waits ${answer.reason} ${answer.at}`
    case "ready":
      return `ready ${answer.at}`
    default:
      return answer.type
  }
}

describe("explain", () => {
  it.effect(
    "gives the reason that the next tick records, in any state",
    () =>
      Effect.gen(function* () {
        const seen = new Map<string, number>()
        const see = (what: string) => void seen.set(what, (seen.get(what) ?? 0) + 1)
        for (let world = 0; world < 40; world++) {
          yield* within(
            (state) => Array.from({ length: 25 }, (_, i) => cell(state, `state ${world}/${i}`)),
            (state, cells) =>
              Effect.gen(function* () {
                const { explain } = yield* Explanation
                for (let round = 0; round < 4; round++) {
                  const before = new Map(
                    cells.flatMap(({ leads }) => leads.map(({ id }) => [id, state.leads.need(id)]))
                  )
                  const explained = new Map<string, Explained>()
                  for (const lead of before.values()) explained.set(lead.id, yield* explain(lead.workspace, lead.id))
                  const paces = new Map(cells.map((one) => [one, paceOf(state, one)]))
                  yield* (yield* Outbox).tick
                  for (const cellOf of cells) {
                    const { leads } = cellOf
                    const pace = paceOf(state, cellOf)
                    // One whose alarm has not rung is not looked at: its alarm stays.
                    const isAwake = (paces.get(cellOf)?.nextAt ?? Infinity) <= now
                    const ready = leads
                      .map(({ id }) => explained.get(id)!)
                      .filter((one) => one.pace !== null)
                      // In their turn: by dueAt, then as they were enrolled.
                      .sort(
                        (a, b) =>
                          (a.lead.dueAt ?? Infinity) - (b.lead.dueAt ?? Infinity) || a.lead.position - b.lead.position
                      )
                    const due = ready.filter(({ lead }) => lead.dueAt === null || lead.dueAt <= now)
                    const where = `${leads[0]!.contact} of world ${world}, round ${round}`
                    let isFirst = true
                    const { endAt, steps } = cellOf.campaign.settings
                    const isAwakeAtEnd = isAwake && cellOf.campaign.status === "running"
                    for (const one of endAt !== null && endAt <= now && isAwakeAtEnd ? leads : []) {
                      const { answer } = explained.get(one.id)!
                      if (before.get(one.id)?.step === null || !("reason" in answer)) continue
                      assert.strictEqual(`${answer.type} ${answer.reason}`, ended(state.leads.need(one.id)), where)
                      see(`end ${answer.type} ${answer.reason}`)
                    }
                    for (const one of ready) {
                      const { lead } = one
                      const isGone = steps.every(({ id }) => id !== lead.step)
                      const after = state.leads.need(lead.id)
                      const isDue = due.includes(one)
                      if (one.pace?.type !== "allow") {
                        // The pace sleeps: nothing is recorded of its leads, but what an unable account holds goes back.
                        if (after.status !== "pending") assert.deepStrictEqual(after, lead, where)
                        assert.strictEqual(
                          pace.nextAt,
                          isAwake ? asleepUntil(cellOf, one) : paces.get(cellOf)?.nextAt,
                          `${where}: the alarm`
                        )
                        see(`pace ${one.pace?.type} ${one.pace?.reason}`)
                      } else if (after !== before.get(lead.id) && isGone) {
                        const [expected, got] = relocated(one, after)
                        assert.strictEqual(got, expected, where)
                        see(`moved ${one.answer.type}`)
                        isFirst = false
                      } else if (after.status === "pending") {
                        // A cap is below its messages: another account may have room for it, and for those after it.
                        const why = { type: "blocked", reason: "partsOverCap" } as const
                        if (isDue) assert.deepStrictEqual(one.answer, why, where)
                        see("lead goes back")
                      } else if (after !== before.get(lead.id)) {
                        assert.strictEqual(recorded(lead, after), told(one), where)
                        see(`lead ${one.answer.type} ${"reason" in one.answer ? one.answer.reason : ""}`)
                        if (isDue) isFirst = false
                      } else if (isDue && isFirst) {
                        // The first in turn was looked at, so whatever keeps it keeps the pace.
                        assert.include(["waits", "blocked"], one.answer.type, where)
                        assert.strictEqual(
                          pace.nextAt,
                          capped(cellOf, one.answer.type === "waits" ? one.answer.at : null),
                          `${where}: the alarm`
                        )
                        see(`pace ${one.answer.type} ${"reason" in one.answer ? one.answer.reason : ""}`)
                        isFirst = false
                      }
                    }
                  }
                }
              })
          )
        }
        // Not a word of it is true of states that never came up.
        const expected = [
          ..."workspacePaused campaignNotRunning accountDisabled needsAttention channelMissing policy"
            .split(" ")
            .map((r) => `pace block ${r}`),
          ..."notStarted accountResting windowClosed noSlot".split(" ").map((r) => `pace defer ${r}`),
          ..."quota accountCap groupCap workspaceCap warmUp".split(" ").map((r) => `pace waits ${r}`),
          "pace blocked partsOverCap",
          "lead goes back",
          ..."quietHours frequencyCapped contactedElsewhere takenOver".split(" ").map((r) => `lead waits ${r}`),
          ..."policy noConsent suppressed unreachable frequencyCapped contactedElsewhere replyWindowClosed missingVariable unsupported"
            .split(" ")
            .map((r) => `lead skipped ${r}`),
          "lead ready ",
          "lead skipped replied",
          "end skipped cancelled",
          "end over cancelled",
          "moved over",
          "moved ready"
        ]
        assert.deepStrictEqual(
          expected.filter((what) => !seen.has(what)),
          [],
          JSON.stringify([...seen])
        )
      }),
    60_000
  )
})

describe("explain while everything is paused", () => {
  it.effect("says so of whoever still has something to come", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const campaign = yield* it.campaign("c", [yield* it.account("a")], [{ id: "p" }, { id: "q" }])
      yield* it.start(campaign.id)
      const { explain } = yield* Explanation
      const { stop } = yield* WorkspaceStore
      const answers = Effect.flatMap(it.leads(campaign.id), (leads) =>
        Effect.forEach(leads, ({ id }) => Effect.map(explain(it.workspace.id, id), ({ answer }) => answer))
      )
      const paused = { type: "blocked", reason: "everythingPaused" } as const
      yield* stop(true)
      assert.deepStrictEqual(yield* answers, [paused, paused])
      yield* stop(false)
      yield* it.until(() => channel.asked.length === 1)
      yield* stop(true)
      assert.includeDeepMembers(yield* answers, [{ type: "over", reason: "completed" }, paused])
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})

describe("explain of a lead in the pool", () => {
  it.effect("says what keeps its campaign from drawing it", () => {
    const channel = TestChannel.make()
    return Effect.gen(function* () {
      const it = yield* Scene.make(channel)
      const campaign = yield* it.campaign("c", [yield* it.account("a")], [{ id: "p" }], { startAt: Scene.start + day })
      const { explain } = yield* Explanation
      const [lead] = yield* it.leads(campaign.id)
      const answer = Effect.map(explain(it.workspace.id, lead!.id), (explained) => explained.answer)
      const workspaces = yield* WorkspaceStore
      assert.deepStrictEqual(yield* answer, { type: "blocked", reason: "campaignNotRunning" })
      yield* workspaces.modify(it.workspace.id, (workspace) => ({ ...workspace, paused: true }))
      assert.deepStrictEqual(yield* answer, { type: "blocked", reason: "workspacePaused" })
    }).pipe(Effect.provide(Scene.engine(channel)))
  })
})
