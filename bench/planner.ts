/** How many slots a second the day planner lays. No peer does this; it is here to notice when it becomes slow. */
import { dayPlanSettings } from "@overture/core/campaign/PacePlan"
import * as DayPlan from "@overture/core/campaign/DayPlan"
import * as Builders from "@overture/core/testing/Builders"
import * as LocalDate from "@overture/core/workspace/LocalDate"
import { median } from "./Report.ts"

const days = 20_000
const zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]

/** Slots per second, the median of five runs over many days in zones with and without summer time. */
export const measure = (): { readonly slotsPerSecond: number } => {
  const build = Builders.make("planner")
  const settings = zones.map((timezone) =>
    dayPlanSettings(
      build.settings({ timezone, pacing: { rangeMin: 25, rangeMax: 35, jitter: 0.8, catchUp: "skip", newShare: 0.25 } })
    )
  )
  const once = () => {
    const began = performance.now()
    let slots = 0
    for (let i = 0; i < days; i++) {
      slots += DayPlan.make({
        campaign: "c",
        account: `a${i % 100}`,
        date: LocalDate.addDays(Builders.startDate, i % 365),
        settings: settings[i % settings.length]!,
        rampDay: 1,
        from: null,
        used: 0
      }).slotCount
    }
    return (slots / (performance.now() - began)) * 1_000
  }
  once()
  return { slotsPerSecond: median(Array.from({ length: 5 }, once)) }
}

export const text = ({ slotsPerSecond }: ReturnType<typeof measure>): string =>
  `planner: ${(slotsPerSecond / 1e6).toFixed(1)} M slots/s`
