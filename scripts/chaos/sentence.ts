/** How a verdict speaks. */

/** A sentence about the offenders, with some of them; none when there are none. */
export const sentence = (what: string, offenders: Iterable<string>): ReadonlyArray<string> => {
  const all = [...offenders]
  return all.length === 0 ? [] : [`${what}: ${all.length}, such as ${all.slice(0, 3).join(", ")}`]
}
