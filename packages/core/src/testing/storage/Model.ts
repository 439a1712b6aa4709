/**
 * A random sequence of verbs, the same for the same seed. Two storages that keep the same promises answer each verb alike
 * and end in the same state; and the counters of every campaign agree with its leads after each step.
 */
import { Effect } from "effect"
import { CampaignStore } from "../../campaign/CampaignStore.ts"
import { minute } from "../../workspace/Instant.ts"
import * as Expect from "../Expect.ts"
import { verbs } from "./ModelVerbs.ts"
import { begin, pick, ports, snapshot, told, type World } from "./ModelWorld.ts"
import { type StorageCase, storageCase, type StoragePorts } from "./StorageCase.ts"

/** What a run showed: the answer of each verb in turn, and everything at the end. */
export interface Run {
  readonly answers: ReadonlyArray<string>
  readonly end: string
}

const consistent = (world: World, step: string) =>
  Effect.gen(function* () {
    const store = yield* CampaignStore
    for (const { id } of world.campaigns) {
      const counts = yield* store.counts(id)
      Expect.equal(counts, yield* store.recount(id), `the counts against the leads after ${step}`)
      const { replied: _, total, ...terms } = counts
      Expect.equal(
        total,
        Object.values(terms).reduce((sum, term) => sum + term, 0),
        `the total after ${step}`
      )
    }
  })

/** Plays `length` verbs on an empty storage. */
export const play = (seed: string, length: number): Effect.Effect<Run, unknown, StoragePorts> =>
  Effect.gen(function* () {
    const all = yield* ports
    const world = yield* begin(seed)
    const answers: Array<string> = []
    for (let step = 0; step < length; step++) {
      const [name, verb] = pick(world, verbs)
      world.now += minute
      const title = `${step} ${name}`
      const answer = yield* verb(world, all).pipe(
        Effect.catchDefect((defect) =>
          Effect.die(new Error(`step ${title} of "${seed}": ${String(defect)}`, { cause: defect }))
        )
      )
      answers.push(`${title} ${Expect.show(told(answer))}`)
      if (step % 5 === 4) yield* consistent(world, title)
    }
    return { answers, end: Expect.show(yield* snapshot(world)) }
  })

/** Fails with the first answer, or the first line of the end, in which two runs differ. */
export const expectSame = (actual: Run, expected: Run): void => {
  for (const [index, answer] of expected.answers.entries()) {
    Expect.sameText(actual.answers[index] ?? "none", answer, `answer ${index}`)
  }
  Expect.sameText(actual.end, expected.end, "everything at the end")
}

export const cases: ReadonlyArray<StorageCase> = ["one", "two", "three"].map((seed) =>
  storageCase(`model: counts agree with the leads all along (${seed})`, function* () {
    const run = yield* play(seed, 150)
    Expect.equal(run.answers.length, 150, "the steps")
  })
)
