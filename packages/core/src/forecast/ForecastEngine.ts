/**
 * The engine itself, run ahead: on a copy of a campaign in memory, in virtual time, over channels with the abilities and
 * the policy of the real ones that take every message and say nothing. So a forecast is not a model of the engine and
 * cannot differ from it by a rule.
 */
import { Context, Effect, Layer } from "effect"
import * as Account from "../account/Account.ts"
import { Senders } from "../account/Senders.ts"
import { Campaigns } from "../campaign/Campaigns.ts"
import { CampaignStore } from "../campaign/CampaignStore.ts"
import { Outreach } from "../campaign/Outreach.ts"
import { seedKey } from "../campaign/Campaign.ts"
import * as PacePlan from "../campaign/PacePlan.ts"
import * as SendWindow from "../campaign/SendWindow.ts"
import * as Channel from "../channel/Channel.ts"
import { Inbox } from "../chat/Inbox.ts"
import { system } from "../event/DomainEvent.ts"
import * as Memory from "../memory/Memory.ts"
import * as MemoryStorage from "../memory/MemoryStorage.ts"
import { Driver } from "../outbox/Driver.ts"
import { MediaHandover } from "../outbox/MediaHandover.ts"
import { Outbox } from "../outbox/Outbox.ts"
import { Poller } from "../outbox/Poller.ts"
import { OutboxConfig, defaults } from "../outbox/OutboxConfig.ts"
import { Chores } from "../workspace/Chore.ts"
import { generator, Ids, type LeadId } from "../workspace/Id.ts"
import type { Instant } from "../workspace/Instant.ts"
import * as Dates from "../workspace/LocalDate.ts"
import { PacingTime } from "../workspace/PacingTime.ts"
import * as Seed from "../workspace/Seed.ts"
import * as Zone from "../workspace/Zone.ts"
import * as Forecast from "../stats/Forecast.ts"
import * as ForecastDays from "./ForecastDays.ts"
import * as PaceWatch from "./PaceWatch.ts"
import * as Snapshot from "./Snapshot.ts"
import * as TouchLog from "./TouchLog.ts"

/** Takes everything at once and says nothing, with the abilities and the policy of `real`. */
const silent = (real: Channel.Channel): Channel.Channel =>
  Channel.make({
    name: real.name,
    // Nothing is to be polled; and what was under way when the copy was made has arrived, which nobody waits to learn.
    capabilities: { ...real.capabilities, polling: false, lookup: { afterMs: -Infinity } },
    policy: real.policy,
    send: (_sender, { key }) => Effect.succeed({ type: "accepted", externalId: key }),
    lookup: (_sender, { key }) => Effect.succeed({ type: "accepted", externalId: key })
  })

/** Rounds at one instant after which something is broken: a claim takes 20 leads of a pace, so none comes near it. */
const mostRounds = 100_000

export class ForecastEngine extends Context.Service<
  ForecastEngine,
  {
    /** What the campaign will do from the snapshot on, if every message is taken and nobody answers. */
    run(snapshot: Snapshot.Snapshot, bounds: Forecast.ForecastBounds): Effect.Effect<Forecast.Forecast>
  }
>()("@overture/core/ForecastEngine") {
  static readonly layer = Layer.effect(
    ForecastEngine,
    Effect.map(Channel.Channels, ({ all }) =>
      ForecastEngine.of({ run: (snapshot, bounds) => Effect.orDie(run(snapshot, bounds, all)) })
    )
  )
}

/** A whole engine over one memory; nothing of it is shared with the engine around it. */
const engine = (
  memory: Memory.Memory,
  watch: PaceWatch.PaceWatch,
  channels: ReadonlyMap<string, Channel.Channel>,
  from: Instant
) => {
  const storage = MemoryStorage.of(memory)
  const store = Context.get(storage, CampaignStore)
  const watched = Context.add(
    storage,
    CampaignStore,
    CampaignStore.of({
      ...store,
      claim: (request) => store.claim({ ...request, rules: watch.rules(request.rules, request.now) })
    })
  )
  const base = Layer.mergeAll(
    Layer.succeed(Channel.Channels, Channel.Channels.from([...channels.values()].map(silent))),
    Ids.layer,
    // Nothing leaves the copy, so no secret is opened for it and no file is read.
    Layer.succeed(MediaHandover, MediaHandover.asTheyAre),
    Layer.succeed(Senders, Senders.of({ of: (account) => Effect.succeed(Account.sender(account, null)) })),
    Layer.succeed(OutboxConfig, { ...defaults, worker: "forecast" }),
    PacingTime.layerVirtual(from)
  ).pipe(Layer.provideMerge(Layer.succeedContext(watched)))
  const outreach = Outreach.layer.pipe(Layer.provideMerge(base))
  const parties = Layer.mergeAll(Outreach.layerParties, Outreach.layerInbound).pipe(Layer.provideMerge(outreach))
  const services = Layer.mergeAll(Campaigns.layer, Inbox.layer, Outbox.layer).pipe(Layer.provideMerge(parties))
  // Nobody answers.
  const quiet = Layer.mergeAll(Layer.succeed(Chores, []), Layer.succeed(Poller, { lanes: [] }))
  return Driver.layer.pipe(Layer.provide(quiet), Layer.provideMerge(services))
}

const run = Effect.fn("ForecastEngine.run")(function* (
  whole: Snapshot.Snapshot,
  bounds: Forecast.ForecastBounds,
  channels: ReadonlyMap<string, Channel.Channel>
) {
  const { cut: tooMany, snapshot } = limited(whole, bounds)
  const { at: from, campaign } = snapshot
  const ids = generator(from, Seed.random(`forecast of ${seedKey(campaign)}`))
  const candidates = Snapshot.candidatesOf(snapshot, channels, ids)
  const memory = yield* Memory.make
  yield* memory.verb(() => Snapshot.fill(memory.state, snapshot, candidates))
  const watch = PaceWatch.make(channels)
  const log = TouchLog.follow(campaign)
  let seen = 0
  const follow = () => {
    for (; seen < memory.state.events.size; seen++) log.take(memory.state.events.need(seen + 1))
  }

  const { sendWindow } = campaign.settings
  const zone = Zone.make(campaign.settings.timezone)
  const firstDate = SendWindow.dateOf(sendWindow, zone, from)
  const lastDate = Dates.addDays(firstDate, bounds.days - 1)
  const isOver = (at: Instant) => SendWindow.dateOf(sendWindow, zone, at) > lastDate

  const drive = Effect.gen(function* () {
    const driver = yield* Driver
    const time = yield* PacingTime
    if (campaign.status !== "running") yield* (yield* Campaigns).start(campaign.workspace, campaign.id, system)
    for (let rounds = 0; ; rounds++) {
      const { nextDue, worked } = yield* driver.step
      if (worked) {
        follow()
        if (rounds > mostRounds)
          return yield* Effect.die(`the forecast of ${campaign.id} does not get past ${yield* time.now}`)
        yield* Effect.yieldNow
        continue
      }
      if (nextDue === null) return false
      if (isOver(nextDue)) return true
      yield* time.waitUntil(nextDue, 0)
      rounds = 0
    }
  })
  const isCut = yield* Effect.provide(drive, engine(memory, watch, channels, from), { local: true })

  const touched = log.result()
  const open = memory.state.activeLeads.get(campaign.id).size
  const names = new Map<LeadId, string>(
    candidates.map(({ lead }) => [
      lead.id,
      snapshot.leads.type === "known" ? lead.id : Forecast.anonymous(lead.position)
    ])
  )
  const finishAt = tooMany || open > 0 || campaign.settings.evergreen ? null : touched.finishedAt
  return ForecastDays.assemble({
    snapshot,
    channels,
    log: touched,
    watch,
    settings: PacePlan.dayPlanSettings(campaign.settings),
    firstDate,
    lastDate: isCut ? lastDate : null,
    finishAt,
    names,
    cut: tooMany ? { by: "leads", limit: bounds.leads } : isCut ? { by: "days", limit: bounds.days } : null,
    stuck: tooMany || isCut ? 0 : open
  })
})

/** With at most as many leads as are allowed: those whose turn is first. */
const limited = (snapshot: Snapshot.Snapshot, bounds: Forecast.ForecastBounds) => {
  const { leads } = snapshot
  const count = leads.type === "known" ? leads.candidates.length : leads.count
  if (count <= bounds.leads) return { snapshot, cut: false }
  const kept: Snapshot.Snapshot["leads"] =
    leads.type === "anonymous"
      ? { type: "anonymous", count: bounds.leads }
      : {
          type: "known",
          candidates: [...leads.candidates]
            .sort((a, b) => b.lead.priority - a.lead.priority || a.lead.position - b.lead.position)
            .slice(0, bounds.leads)
        }
  return { snapshot: { ...snapshot, leads: kept }, cut: true }
}
