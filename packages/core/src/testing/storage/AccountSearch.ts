/** What `AccountStore.search` promises: best availability first, and nothing but what matches. */
import { Effect } from "effect"
import { AccountStore, type AccountFilter } from "../../account/AccountStore.ts"
import * as Builders from "../Builders.ts"
import * as Expect from "../Expect.ts"
import { expectPaged, type StorageCase, storageCase } from "./StorageCase.ts"
import { two } from "./TwoWorkspaces.ts"

const now = Builders.start

const scene = (seed: string) =>
  Effect.gen(function* () {
    const store = yield* AccountStore
    const { build, mine, other } = yield* two(seed)
    const group = build.ids.next("agr")
    const accounts = {
      banned: build.account(mine.id, { name: "Zeta page", banned: true, enabled: false }),
      disabled: build.account(mine.id, { name: "Off", enabled: false, restingUntil: now + 5 }),
      doubted: build.account(mine.id, { attention: ["challenge"], externalRef: "CRM-77", group }),
      resting: build.account(mine.id, { restingUntil: now + 1, channel: "elsewhere" }),
      rested: build.account(mine.id, { restingUntil: now, name: "Alpha Page" }),
      fresh: build.account(mine.id, { externalId: "page_100%" }),
      removed: build.account(mine.id, { name: "Former page", enabled: false, removedAt: now }),
      theirs: build.account(other.id)
    }
    yield* Effect.forEach(Object.values(accounts), (account) => store.connect(account, []))
    const found = (filter: AccountFilter) =>
      Effect.map(store.search(mine.id, filter, now, { count: true }), ({ data, total }) => {
        Expect.equal(total, data.length, "the total")
        return data.map(({ id }) => id as string)
      })
    return { store, mine, group, accounts, found }
  })

export const cases: ReadonlyArray<StorageCase> = [
  storageCase("accounts: the list begins with those that can send", function* () {
    const { accounts, mine, store } = yield* scene("healthy first")
    const able = [accounts.rested.id, accounts.fresh.id].sort()
    const rest = [accounts.resting.id, accounts.doubted.id, accounts.disabled.id, accounts.banned.id]
    yield* expectPaged((page) => store.search(mine.id, {}, now, page), [...able, ...rest], "accounts by availability")
  }),

  storageCase("accounts: the list holds what matches every filter", function* () {
    const { accounts, found, group } = yield* scene("account filters")
    const { banned, disabled, doubted, fresh, removed, rested, resting } = accounts
    const expect = function* (filter: AccountFilter, ids: ReadonlyArray<{ readonly id: string }>) {
      Expect.equal((yield* found(filter)).toSorted(), ids.map(({ id }) => id).toSorted(), JSON.stringify(filter))
    }
    yield* expect({ channel: "elsewhere" }, [resting])
    yield* expect({ group }, [doubted])
    yield* expect({ group: null }, [banned, disabled, fresh, rested, resting])
    yield* expect({ enabled: false }, [banned, disabled])
    yield* expect({ enabled: true, availability: ["able", "needsAttention"] }, [fresh, rested, doubted])
    yield* expect({ availability: ["banned"] }, [banned])
    yield* expect({ availability: [] }, [])
    yield* expect({ text: "PAGE" }, [banned, rested, fresh])
    yield* expect({ text: "crm-77" }, [doubted])
    yield* expect({ text: "100%" }, [fresh])
    yield* expect({ text: "100_" }, [])
    yield* expect({ removed: true }, [removed])
    yield* expect({ removed: true, text: "page", enabled: false }, [removed])
    yield* expect({ removed: false, enabled: false }, [banned, disabled])
    yield* expect({ text: "page", enabled: true, channel: Builders.channel }, [rested, fresh])
  })
]
