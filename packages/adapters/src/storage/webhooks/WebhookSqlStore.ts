/** Webhook endpoints and their deliveries in a database. */
import { WebhookStore } from "@overture/core/event/WebhookStore"
import { Effect, Layer } from "effect"
import { Database } from "../Database.ts"
import * as delivering from "./delivering.ts"
import * as endpoints from "./endpoints.ts"

export const make = (database: Database["Service"]): WebhookStore["Service"] =>
  WebhookStore.of({ ...endpoints.make(database), ...delivering.make(database) })

export const layer: Layer.Layer<WebhookStore, never, Database> = Layer.effect(WebhookStore, Effect.map(Database, make))
