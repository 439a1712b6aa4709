/** What delivers in tests: over any storage, to receivers on loopback. */
import { WebhookDeliveries } from "@overture/core/event/WebhookDeliveries"
import { Webhooks } from "@overture/core/event/Webhooks"
import type { StoragePorts } from "@overture/core/Overture"
import * as TestVault from "@overture/core/testing/TestVault"
import { Ids } from "@overture/core/workspace/Id"
import { PacingTime } from "@overture/core/workspace/PacingTime"
import { Vault } from "@overture/core/workspace/Vault"
import { Layer } from "effect"
import type * as SafeHttp from "../../src/net/SafeHttp.ts"
import type { Database } from "../../src/storage/Database.ts"
import * as HttpWebhooks from "../../src/webhooks/HttpWebhooks.ts"

export const loopback: SafeHttp.Options = { allowHttp: true, allowInward: true }

export const engine = <E>(storage: Layer.Layer<StoragePorts | Database, E>, http: SafeHttp.Options = loopback) =>
  Layer.mergeAll(Webhooks.layer, WebhookDeliveries.layer).pipe(
    Layer.provideMerge(Layer.mergeAll(Ids.layer, PacingTime.layer, HttpWebhooks.layer(http))),
    Layer.provideMerge(Layer.merge(storage, Layer.succeed(Vault, TestVault.make())))
  )
