/** Webhook endpoints and deliveries in memory. */
import { Option } from "effect"
import { type Delivery, keptPerEndpoint } from "../event/Delivery.ts"
import { type DeliveryRow, type EndpointLease, WebhookStore } from "../event/WebhookStore.ts"
import type { WebhookEndpointId, WorkspaceId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import type { Memory } from "./Memory.ts"
import * as MemoryEventStore from "./MemoryEventStore.ts"
import { by, page } from "./Paging.ts"
import type { State, WebhookRow } from "./State.ts"

const place = ({ position }: DeliveryRow) => MemoryEventStore.numberOf(position) ?? 0

const deliveriesOf = (state: State, endpoint: WebhookEndpointId): Array<DeliveryRow> => [
  ...state.deliveriesByEndpoint.get(endpoint).values()
]

const isWaiting = ({ delivery }: DeliveryRow) => delivery.status === "waiting"

const isDue =
  (now: Instant) =>
  ({ delivery: { dueAt } }: DeliveryRow) =>
    dueAt !== null && dueAt <= now

/** Whether there is anything for an endpoint to be told. */
const hasNews = (state: State, { state: { cursor, endpoint, replay } }: WebhookRow, now: Instant): boolean => {
  if (replay !== null || deliveriesOf(state, endpoint.id).some(isDue(now))) return true
  const after = cursor === null ? 0 : (MemoryEventStore.numberOf(cursor) ?? 0)
  return !MemoryEventStore.eventsAfter(state, endpoint.workspace, after).next().done
}

/** What waits of an endpoint and has a time gets another. */
const hasten = (
  state: State,
  endpoint: WebhookEndpointId,
  now: Instant,
  isMeant: (row: DeliveryRow) => boolean = () => true
) => {
  for (const row of deliveriesOf(state, endpoint)) {
    const { delivery } = row
    if (!isWaiting(row) || delivery.dueAt === null || !isMeant(row)) continue
    state.deliveries.set(delivery.id, { ...row, delivery: { ...delivery, dueAt: Math.min(delivery.dueAt, now) } })
  }
}

/** The first that waits of each key is due. */
const release = (state: State, endpoint: WebhookEndpointId, keys: ReadonlySet<string>, now: Instant) => {
  const seen = new Set<string>()
  for (const row of deliveriesOf(state, endpoint).filter(isWaiting).sort(by(place))) {
    if (!keys.has(row.key) || seen.has(row.key)) continue
    seen.add(row.key)
    if (row.delivery.dueAt === null)
      state.deliveries.set(row.delivery.id, { ...row, delivery: { ...row.delivery, dueAt: now } })
  }
}

/** Newest first. */
const newest = by<Delivery>(
  ({ at }) => -at,
  ({ id }) => id
)

const trim = (state: State, endpoint: WebhookEndpointId) => {
  const delivered = deliveriesOf(state, endpoint)
    .map(({ delivery }) => delivery)
    .filter(({ status }) => status === "delivered")
  for (const { id } of delivered.sort(newest).slice(keptPerEndpoint)) state.deliveries.delete(id)
}

export const make = ({ state, timed, verb }: Memory) => {
  const rowOf = (workspace: WorkspaceId, id: WebhookEndpointId) => {
    const row = state.webhooks.get(id)
    return row?.state.endpoint.workspace === workspace ? row : undefined
  }
  const held = (lease: EndpointLease) => {
    const row = state.webhooks.get(lease.endpoint)
    return row?.claim === lease.claim ? row : undefined
  }
  return WebhookStore.of({
    create: (given, most) =>
      verb(() => {
        const { id, workspace } = given.endpoint
        const there = [...state.webhooks.values()].filter((row) => row.state.endpoint.workspace === workspace)
        if (there.length >= most) return false
        const cursor = MemoryEventStore.last(state, workspace, null)
        state.webhooks.set(id, {
          state: { ...given, cursor, replay: null },
          version: 0,
          erasures: 0,
          claim: null,
          until: 0,
          claimedAt: 0
        })
        return true
      }),
    get: (workspace, id) => verb(() => Option.fromUndefinedOr(rowOf(workspace, id)?.state)),
    list: (workspace, request) =>
      verb(() => {
        const all = Array.from(state.webhooks.values(), (row) => row.state.endpoint)
        return page(
          all.filter((endpoint) => endpoint.workspace === workspace),
          request,
          ({ id }) => [id]
        )
      }),
    modify: (workspace, id, now, rule) =>
      verb(() => {
        const row = rowOf(workspace, id)
        if (row === undefined) return Option.none()
        const { events, state: after } = rule(row.state)
        const { createdAt, disabled } = row.state.endpoint
        const next = { ...after, endpoint: { ...after.endpoint, id, workspace, createdAt } }
        state.webhooks.set(id, { ...row, state: next, version: row.version + 1 })
        if (disabled !== null && next.endpoint.disabled === null) hasten(state, id, now)
        MemoryEventStore.append(state, events)
        return Option.some(next)
      }),
    remove: (workspace, id) =>
      verb(() => {
        if (rowOf(workspace, id) === undefined) return false
        for (const { delivery } of deliveriesOf(state, id)) state.deliveries.delete(delivery.id)
        state.webhooks.delete(id)
        return true
      }),
    cancelWaiting: (workspace, id, now) =>
      verb(() => {
        const rows = rowOf(workspace, id) === undefined ? [] : deliveriesOf(state, id).filter(isWaiting)
        for (const row of rows)
          state.deliveries.set(row.delivery.id, {
            ...row,
            delivery: { ...row.delivery, status: "cancelled", dueAt: null, at: now }
          })
        return rows.length
      }),
    deliveries: (workspace, id, request) =>
      verb(() => {
        const rows = rowOf(workspace, id) === undefined ? [] : deliveriesOf(state, id)
        return page(
          rows.map(({ delivery }) => delivery),
          request,
          (delivery) => [-delivery.at, delivery.id]
        )
      }),
    redeliver: (workspace, id, delivery, now) =>
      verb(() => {
        const row = rowOf(workspace, id) === undefined ? undefined : state.deliveries.get(delivery)
        if (row === undefined || row.delivery.endpoint !== id) return Option.none()
        const after: Delivery = { ...row.delivery, status: "waiting", attempts: [], dueAt: now, at: now }
        state.deliveries.set(delivery, { ...row, delivery: after })
        return Option.some(after)
      }),
    claim: ({ claims, durationMs, formats, now }) =>
      timed((clock) => {
        const free = [...state.webhooks.values()].filter((row) => {
          const { disabled, format, health } = row.state.endpoint
          return (
            disabled === null &&
            formats.includes(format) &&
            row.until <= clock &&
            (health.pausedUntil ?? now) <= now &&
            hasNews(state, row, now)
          )
        })
        const order = by<WebhookRow>(
          ({ claimedAt }) => claimedAt,
          (row) => row.state.endpoint.id
        )
        return free
          .sort(order)
          .slice(0, claims.length)
          .map((row, i) => {
            const { id } = row.state.endpoint
            const claim = claims[i]!
            state.webhooks.set(id, { ...row, claim, until: clock + durationMs, claimedAt: clock })
            const { erasures, version } = row
            const hasWaiting = deliveriesOf(state, id).some(isWaiting)
            return { state: row.state, lease: { endpoint: id, claim, version, erasures }, hasWaiting }
          })
      }),
    due: (endpoint, now, limit) =>
      verb(() => {
        const all = deliveriesOf(state, endpoint)
        const heads = all
          .filter(isDue(now))
          .sort(by(({ delivery }) => delivery.dueAt ?? 0, place))
          .slice(0, limit)
        const keys = new Set(heads.map(({ key }) => key))
        const behind = all
          .filter((row) => isWaiting(row) && row.delivery.dueAt === null && keys.has(row.key))
          .sort(by(({ key }) => key, place))
          .slice(0, limit)
        return [...heads, ...behind].map((row) => ({ ...row, event: state.events.get(place(row)) ?? null }))
      }),
    waiting: (endpoint, keys) =>
      verb(() => {
        const wanted = new Set(keys)
        const rows = deliveriesOf(state, endpoint).filter((row) => isWaiting(row) && wanted.has(row.key))
        return new Set(rows.map(({ key }) => key))
      }),
    settle: (lease, now, writes) =>
      timed((clock) => {
        const row = held(lease)
        if (row === undefined) return "lost"
        const isChanged = row.version !== lease.version
        const keepsCursor = isChanged && row.state.cursor !== writes.cursorBefore
        const isForgotten = row.erasures !== lease.erasures
        for (const one of writes.rows) {
          const delivery = isForgotten ? { ...one.delivery, response: null } : one.delivery
          state.deliveries.set(delivery.id, { ...one, delivery })
        }
        const since = writes.recoveredSince
        if (since !== null) {
          hasten(state, lease.endpoint, now, ({ delivery }) => (delivery.attempts[0]?.at ?? -Infinity) >= since)
        }
        release(state, lease.endpoint, new Set(writes.rows.map(({ key }) => key)), now)
        trim(state, lease.endpoint)
        const { disabled, health, holdMs } = writes
        const before = row.state
        state.webhooks.set(lease.endpoint, {
          ...row,
          state: {
            ...before,
            cursor: keepsCursor ? before.cursor : writes.cursor,
            ...(!isChanged && { replay: writes.replay, endpoint: { ...before.endpoint, health, disabled } })
          },
          ...(holdMs === null ? { claim: null, until: 0 } : { until: clock + holdMs })
        })
        if (!isChanged) MemoryEventStore.append(state, writes.events)
        return isChanged || isForgotten ? "changed" : "held"
      }),
    about: (workspace, subjects) =>
      verb(() => {
        const meant = new Set(subjects)
        return Array.from(state.deliveries.values(), ({ delivery }) => delivery)
          .filter((one) => one.workspace === workspace && one.response !== null && meant.has(one.subject))
          .sort(by(({ id }) => id))
      }),
    purge: (workspace, before, limit) =>
      verb(() => {
        const old = [...state.deliveries.values()]
          .filter((row) => row.delivery.workspace === workspace && !isWaiting(row) && row.delivery.at < before)
          .slice(0, limit)
        for (const { delivery } of old) state.deliveries.delete(delivery.id)
        return old.length
      }),
    sealedOtherwise: (prefix, after, limit) =>
      verb(() =>
        Array.from(state.webhooks.values(), (row) => row.state)
          .filter(({ endpoint, formerSecret, headers, secret }) => {
            const texts = [secret, formerSecret, headers].filter((text) => text !== null)
            return (after === null || endpoint.id > after) && texts.some((text) => !text.startsWith(prefix))
          })
          .sort(by(({ endpoint }) => endpoint.id))
          .slice(0, limit)
      )
  })
}
