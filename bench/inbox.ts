/**
 * How many events of platforms a process takes into each database: JSON as a webhook or a poll brings it, decoded and kept,
 * with all that campaigns make of it. Receipts, replies, edits, deletions, reactions, echoes, opt-outs and bookings of
 * campaigns that run, in batches and one by one.
 */
import type { Account } from "@overture/core/account/Account"
import { ChannelEvent } from "@overture/core/channel/ChannelEvent"
import { Inbox } from "@overture/core/chat/Inbox"
import * as Overture from "@overture/core/Overture"
import * as Builders from "@overture/core/testing/Builders"
import * as Convergence from "@overture/core/testing/inbox/Convergence"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Effect, Schema } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import type { Arena } from "./Arena.ts"
import { storage } from "./engine.ts"
import type { Storage } from "./Run.ts"

export interface Measured {
  readonly on: Storage["type"]
  /** Events in a call. */
  readonly batch: number
  readonly events: number
  readonly perSecond: number
  /** Of the goal: at least this many a second in batches. */
  readonly atLeast: number | null
}

const goal = 2_000
const batchSize = 100
/** Taken before anything is measured: plans are made and code is compiled. */
const warming = 2_000
const single = 1_000
/** Requests that a process answers at the same time, as platforms do not wait for each other. */
const inFlight = 4

const codec = Schema.toCodecJson(Schema.Array(ChannelEvent))
const encode = Schema.encodeSync(codec)
const decode = Schema.decodeUnknownEffect(codec)

interface Request {
  readonly account: Account
  readonly body: string
}

const take = ({ account, body }: Request) =>
  Effect.flatMap(decode(JSON.parse(body)), (events) => Effect.flatMap(Inbox, (inbox) => inbox.receive(account, events)))

const requests = (world: Convergence.World, from: number, until: number, size: number): ReadonlyArray<Request> =>
  world.accounts.flatMap((account, i) => {
    const own = world.happenings.slice(from, until).filter((one) => one.account === i)
    return Array.from({ length: Math.ceil(own.length / size) }, (_, n) => ({
      account,
      body: JSON.stringify(encode(own.slice(n * size, (n + 1) * size).map(({ event }) => event)))
    }))
  })

const on = (where: Storage, people: number): Promise<ReadonlyArray<Measured>> => {
  const channel = Convergence.channel()
  const time = PacingTime.layerVirtual(Builders.start)
  return Effect.runPromise(
    Effect.gen(function* () {
      const world = yield* Convergence.world(channel, "bench", people)
      const { length } = world.happenings
      const timed = (from: number, until: number, size: number) => {
        const asked = requests(world, from, until, size)
        return Effect.gen(function* () {
          const began = performance.now()
          yield* Effect.forEach(asked, take, { concurrency: inFlight, discard: true })
          const seconds = (performance.now() - began) / 1_000
          return { on: where.type, batch: size, events: until - from, perSecond: (until - from) / seconds }
        })
      }
      yield* timed(0, warming, batchSize)
      const batched = yield* timed(warming, length - single, batchSize)
      const alone = yield* timed(length - single, length, 1)
      return [
        { ...batched, atLeast: goal },
        { ...alone, atLeast: null }
      ]
    }).pipe(Effect.provide(Overture.layer({ storage: storage(where), channels: [channel], time })), Effect.orDie)
  )
}

/** `people` who get two messages each; some nineteen events for each of them. */
export const measure = async (arena: Arena, people: number): Promise<ReadonlyArray<Measured>> => {
  const home = mkdtempSync(path.join(tmpdir(), "overture-inbox-"))
  try {
    return [
      ...(await on({ type: "postgres", url: await arena.postgres("inbox") }, people)),
      ...(await on({ type: "sqlite", path: path.join(home, "inbox.db") }, people))
    ]
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

export const text = (all: ReadonlyArray<Measured>): string =>
  [
    "events of platforms, decoded and kept, with what campaigns make of them",
    ...all.map(({ atLeast, batch, events, on: where, perSecond }) => {
      const met = atLeast === null ? "" : `  goal ≥ ${atLeast}: ${perSecond >= atLeast ? "met" : "MISSED"}`
      const call = batch === 1 ? "1 event a call" : `${batch} events a call`
      return `  ${where.padEnd(10)}${call.padEnd(20)}${String(Math.round(perSecond)).padStart(7)} events/s over ${events}${met}`
    })
  ].join("\n")
