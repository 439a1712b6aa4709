/** The small change of a page of JSON. */
import { format, type Instant } from "@overture/core/workspace/Instant"

/** ISO 8601, or null where there is none. */
export const instant = (at: Instant | null | undefined): string | null => (at == null ? null : format(at))
