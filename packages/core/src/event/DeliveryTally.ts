/**
 * What came of an endpoint's deliveries since it was last written: rows of those that failed or wait, the last that
 * succeeded, and how the endpoint is doing. Keeps the order of each key: behind one that failed everything waits.
 */
import type { IdGenerator } from "../workspace/Id.ts"
import { type Instant, second } from "../workspace/Instant.ts"
import * as Delivery from "./Delivery.ts"
import type { DeliveryLanes, Errand } from "./DeliveryLanes.ts"
import * as WebhookEndpoint from "./WebhookEndpoint.ts"
import type { DeliveryRow, DueDelivery } from "./WebhookStore.ts"
import { type Answer, isSuccess, problemOf } from "./WebhookAnswer.ts"

/** The longest that a request lasts: those that failed first may have begun so long before. */
const longestRequestMs = 30 * second

/** What is written at once. */
export interface Batch {
  readonly rows: ReadonlyArray<DeliveryRow>
  readonly blocked: ReadonlySet<string>
  readonly recoveredSince: Instant | null
}

/** One attempt and what came of it. */
export interface Attempted {
  readonly errand: Errand
  readonly answer: Answer
  readonly began: Instant
  readonly at: Instant
}

export class DeliveryTally {
  health: WebhookEndpoint.EndpointHealth
  disabled: WebhookEndpoint.WebhookEndpoint["disabled"] = null
  /** Attempts since the last batch. */
  attempts = 0
  #rows: Array<DeliveryRow> = []
  #shown: Array<Attempted> = []
  #blocked = new Set<string>()
  #recoveredSince: Instant | null = null
  readonly #endpoint: WebhookEndpoint.WebhookEndpoint
  readonly #ids: IdGenerator
  readonly #lanes: DeliveryLanes
  readonly #chance: () => number

  /** `chance` gives uniform numbers in [0, 1). */
  constructor(endpoint: WebhookEndpoint.WebhookEndpoint, ids: IdGenerator, lanes: DeliveryLanes, chance: () => number) {
    this.health = endpoint.health
    this.#endpoint = endpoint
    this.#ids = ids
    this.#lanes = lanes
    this.#chance = chance
  }

  /** Whether something of a key waits that is not written yet. */
  isBlocked(key: string): boolean {
    return this.#blocked.has(key)
  }

  /** Whether rows of a key changed that are not written yet: those in the store are out of date. */
  isTouched(key: string): boolean {
    return this.#rows.some((row) => row.key === key)
  }

  /** An attempt that began at `began` came to this at `at`. */
  record(attempted: Attempted): void {
    const { answer, at, began, errand } = attempted
    this.attempts += 1
    errand.ticket?.reading.finish(errand.ticket)
    if (isSuccess(answer)) {
      if (errand.row !== null) this.#rows.push(this.#after(attempted, "delivered", null))
      else this.#show(attempted)
      this.#succeed(at)
      this.#lanes.pass(errand)
      return
    }
    const attempts = (errand.row?.delivery.attempts.length ?? 0) + 1
    const retryAfter = answer.status === null ? 0 : answer.retryAfterMs
    const dueAt = Delivery.retryAt(attempts, at, retryAfter, this.#chance())
    this.#rows.push(this.#after(attempted, dueAt === null ? "failed" : "waiting", dueAt))
    if (dueAt === null) this.#lanes.pass(errand)
    else {
      this.#blocked.add(errand.key)
      for (const behind of this.#lanes.block(errand)) this.park(behind, at)
    }
    this.health = WebhookEndpoint.fail(this.health, began, at, this.#chance())
    if (answer.status === 410) this.disabled ??= { at, reason: "gone" }
    else if (WebhookEndpoint.isGivenUp(this.health, at)) this.disabled ??= { at, reason: "failing" }
  }

  /** It must wait for others of its key, which the store releases it after. */
  park(errand: Errand, at: Instant): void {
    this.#blocked.add(errand.key)
    if (errand.row !== null) return
    this.#rows.push(this.#rowOf(errand, at))
    errand.ticket?.reading.finish(errand.ticket)
  }

  /** Its event is no longer in the feed. */
  lose({ event: _, ...row }: DueDelivery, at: Instant): void {
    const attempt = { at, status: null, ms: 0, problem: "its event is no longer in the feed" }
    const attempts = [...row.delivery.attempts, attempt]
    this.#rows.push({ ...row, delivery: { ...row.delivery, attempts, status: "failed", dueAt: null, at } })
  }

  /** What is to be written now; `all` with what is only shown. */
  take(all: boolean): Batch {
    const shown = all ? this.#shown.slice(-Delivery.keptPerEndpoint) : []
    const batch = {
      rows: [...this.#rows, ...shown.map((one) => this.#after(one, "delivered", null))],
      blocked: this.#blocked,
      recoveredSince: this.#recoveredSince
    }
    this.#rows = []
    if (all) this.#shown = []
    this.#blocked = new Set()
    this.#recoveredSince = null
    this.attempts = 0
    return batch
  }

  /** It could not be written: it is to be written with the next. */
  giveBack({ blocked, recoveredSince, rows }: Batch): void {
    this.#rows = [...rows, ...this.#rows]
    this.#blocked = new Set([...blocked, ...this.#blocked])
    this.#recoveredSince ??= recoveredSince
  }

  #succeed(at: Instant): void {
    const { failingSince, failures } = this.health
    if (failures >= WebhookEndpoint.trusting && failingSince !== null)
      this.#recoveredSince ??= failingSince - longestRequestMs
    this.health = WebhookEndpoint.succeed(this.health, at)
  }

  #show(attempted: Attempted): void {
    this.#shown.push(attempted)
    if (this.#shown.length >= 8 * Delivery.keptPerEndpoint) this.#shown = this.#shown.slice(-Delivery.keptPerEndpoint)
  }

  /** Its row with an attempt more. */
  #after(
    { answer, at, began, errand }: Attempted,
    status: Delivery.DeliveryStatus,
    dueAt: Instant | null
  ): DeliveryRow {
    const before = this.#rowOf(errand, at)
    const attempt = { at: began, status: answer.status, ms: at - began, problem: problemOf(answer) }
    const attempts = [...before.delivery.attempts, attempt]
    const response = answer.status === null || answer.body === "" ? null : Delivery.shown(answer.body)
    return { ...before, delivery: { ...before.delivery, attempts, response, at, status, dueAt } }
  }

  /** Its row as it was, or a new one. */
  #rowOf({ event, key, position, row }: Errand, at: Instant): DeliveryRow {
    if (row !== null) return row
    const { id, subject, type } = event
    return {
      position,
      key,
      delivery: {
        id: this.#ids.next("dlv"),
        endpoint: this.#endpoint.id,
        workspace: this.#endpoint.workspace,
        event: id,
        type,
        subject,
        status: "waiting",
        attempts: [],
        dueAt: null,
        response: null,
        at
      }
    }
  }
}
