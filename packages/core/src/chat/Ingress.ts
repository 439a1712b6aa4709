/**
 * Takes what platforms push: bytes become events by the channel, and events reach the inbox of the accounts they name.
 * Whoever gets an answer knows that everything in it is kept but what is no event: each account's events commit together,
 * and a platform that got an error instead tells all of it again, which changes nothing where it was kept already.
 */
import { Context, Effect, Layer, type Redacted } from "effect"
import type { Account } from "../account/Account.ts"
import { AccountStore } from "../account/AccountStore.ts"
import type { ChannelName } from "../channel/Address.ts"
import { ChannelNotFound, Channels } from "../channel/Channel.ts"
import type { ChannelEvent } from "../channel/ChannelEvent.ts"
import type { BadSignature, InboundRequest, Undecodable } from "../channel/InboundRequest.ts"
import type { WorkspaceId } from "../workspace/Id.ts"
import type { StorageError } from "../workspace/StorageError.ts"
import { Inbox, type Received } from "./Inbox.ts"

/** Where a request came in. */
export interface IngressSource {
  readonly channel: ChannelName
  /** What the platform signs with. */
  readonly secret: Redacted.Redacted<string>
  /** The only workspace it may tell of, where the secret is that workspace's own; absent = all of them. */
  readonly workspace?: WorkspaceId | undefined
}

export interface Ingested {
  /** What became of the events of each account: of several where workspaces share one. */
  readonly accounts: ReadonlyArray<Received & { readonly account: Account }>
  /** The platform's names of accounts that nobody connected; their events are not kept. */
  readonly unknown: ReadonlyArray<string>
}

export class Ingress extends Context.Service<
  Ingress,
  {
    /** Takes one request; with an error of the first three kinds nothing was kept, and the platform need not try again. */
    receive(
      source: IngressSource,
      request: InboundRequest
    ): Effect.Effect<Ingested, ChannelNotFound | BadSignature | Undecodable | StorageError>
  }
>()("@overture/core/Ingress") {
  static readonly layer = Layer.effect(
    Ingress,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const channels = yield* Channels
  const accounts = yield* AccountStore
  const inbox = yield* Inbox

  return Ingress.of({
    receive: Effect.fn("Ingress.receive")(function* (source: IngressSource, request: InboundRequest) {
      const channel = channels.all.get(source.channel)
      if (channel === undefined) return yield* new ChannelNotFound({ channel: source.channel })
      const told = new Map<string, Array<ChannelEvent>>()
      for (const { account, events } of yield* channel.receive(request, source.secret)) {
        told.set(account, [...(told.get(account) ?? []), ...events])
      }
      const known = (yield* accounts.byExternalId(channel.name, [...told.keys()])).filter(
        ({ removedAt, workspace }) => removedAt === undefined && workspace === (source.workspace ?? workspace)
      )
      const named = new Set(known.map(({ externalId }) => externalId))
      return {
        accounts: yield* Effect.forEach(known, (account) =>
          Effect.map(inbox.receive(account, told.get(account.externalId) ?? []), (received) => ({
            ...received,
            account
          }))
        ),
        unknown: [...told.keys()].filter((account) => !named.has(account))
      }
    })
  })
})
