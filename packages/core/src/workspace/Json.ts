/** Values a host may attach to its records: plain JSON, never read by rules. */
import { Schema } from "effect"

export const Metadata = Schema.Record(Schema.String, Schema.Json)
export type Metadata = typeof Metadata.Type
