/**
 * How the ways out of accounts are tried, from the environment: by a small page that is asked for through the proxy. A
 * proxy is on the open internet, unless the operator of a closed network says otherwise.
 */
import * as ProxyProbe from "@overture/adapters/accounts/ProxyProbe"
import type { EgressProbe } from "@overture/core/account/EgressProbe"
import { Effect } from "effect"
import { type CliFailure, refuse } from "./Failure.ts"
import { isOn } from "./Switch.ts"

const variable = "OVERTURE_PROBE_URL"

/** What tries: by default with a page that is there for such uses. */
export const fromEnvironment: Effect.Effect<EgressProbe["Service"], CliFailure> = Effect.gen(function* () {
  const probeUrl = process.env[variable] || "https://example.com/"
  if (!/^https?:$/.test(URL.parse(probeUrl)?.protocol ?? "")) {
    return yield* refuse(`${variable}: expected the URL of a page, such as https://example.com/`)
  }
  return ProxyProbe.make({ probeUrl, allowInward: yield* isOn("OVERTURE_LOCAL_PROXIES") })
})
