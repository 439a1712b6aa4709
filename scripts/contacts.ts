/**
 * Writes examples/contacts.csv: a thousand people as a real list has them, with those who stand in it twice, names of many
 * scripts, several zones, and rows that nobody can use. The same file every time.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"

const people = 1_000

/** Mulberry32: the same numbers on every machine. */
let state = 20_260_302
const random = (): number => {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}
const pick = <A>(from: ReadonlyArray<A>): A => from[Math.floor(random() * from.length)]!

const words = (text: string): ReadonlyArray<string> => text.split(" ")
const firsts = words(
  "Alex Amara Amir Anaïs Aoife Beatriz Björn Chloé Clara Dmitri Elena Fatima Freya Grace Hana Håkon Ingrid Ivan José Jürgen Kenji Kim Kwame Leila Liam Lucía Maeve Malik Marek Mateo Mía Nadia Niamh Noah Olivia Owen Petra Priya Rafael Ravi Sam Signe Sofía Ségolène Søren Tariq Theo Tomás Ximena Yusuf Zoë Élodie Łukasz"
)
const lasts = words(
  "Andersen Baker Björk Bélanger Costa D'Angelo Dubois Farouk Fernández García Hernández Horváth Ibrahim Johansson Kowalski Lefèvre Lindqvist MacLeod Moreau Müller Nakamura Nguyễn Novák O'Brien Okafor Owens Patel Popescu Reyes Rossi Schäfer Silva Smith Sørensen Torres Walker Weiß Yamada Ångström Çelik"
)
const companies = [
  "Atelier Ōki",
  "Birch & Sons",
  "Blue Kettle",
  "Café Lumière",
  "Harbor Yoga",
  "Northwind, Inc.",
  "Ruta 9",
  'The "Good" Bakery'
]
const emoji = ["🌻", "☕", "🚲", "🎷", "🌊", "🏳️‍🌈"]
const tags = ["", "newsletter", "trial", "webinar", "newsletter;trial"]
/** Most are where the studios are. */
const places: ReadonlyArray<readonly [zone: string, cities: ReadonlyArray<string>, prefix: string]> = [
  ...Array.from(
    { length: 8 },
    () => ["America/New_York", ["New York", "Boston", "Miami", "Atlanta"], "+1212555"] as const
  ),
  ...Array.from({ length: 4 }, () => ["America/Los_Angeles", ["Seattle", "San Diego"], "+1415555"] as const),
  ...Array.from({ length: 4 }, () => ["America/Chicago", ["Chicago", "Austin"], "+1312555"] as const),
  ["America/Denver", ["Denver"], "+1303555"],
  ["Europe/London", ["London", "Bristol"], ""],
  ["Europe/Berlin", ["Berlin", "Köln"], ""],
  ["America/Sao_Paulo", ["São Paulo"], ""]
]

const plain = (text: string): string =>
  text
    .normalize("NFD")
    .replaceAll(/[\u0300-\u036f']/g, "")
    .replaceAll("ø", "o")
    .replaceAll("Ø", "O")
    .replaceAll("ł", "l")
    .replaceAll("Ł", "L")
    .replaceAll("ß", "ss")
    .toLowerCase()

const cell = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
const line = (cells: ReadonlyArray<string>): string => cells.map(cell).join(",")

/** Rows that are left out, or merged, after so many people. */
const oddities = new Map<number, string>([
  [40, "late.night,,Late Night,Late,Night,Mars/Olympus_Mons,trial,Blue Kettle,New York,Team,late.night@mail.example"],
  [90, ",,Nobody Inparticular,Nobody,Inparticular,America/New_York,trial,Blue Kettle,Boston,Team,nobody@mail.example"],
  [150, "short.row,,Short Row,Short"],
  [210, "bad.phone,12,Bad Phone,Bad,Phone,America/New_York,,Ruta 9,Miami,Starter,bad.phone@mail.example"],
  [
    600,
    "rounded.phone,1.21256E+10,Rounded Phone,Rounded,Phone,America/Chicago,,Ruta 9,Austin,Team,rounded@mail.example"
  ],
  [800, "no.channel here,,Odd Zone,Odd,Zone,EST5,,Ruta 9,Miami,Starter,odd.zone@mail.example"]
])

const lines = ["externalId,phone,name,first,last,timezone,tags,company,city,plan,email"]
const known = new Map<string, string>()
while (known.size < people) {
  const [first, last] = [pick(firsts), pick(lasts)]
  const id = `${plain(first)}.${plain(last)}`
  const [zone, cities, prefix] = pick(places)
  const earlier = known.get(id)
  if (earlier !== undefined) {
    // Now and then the same person once more, from another export.
    if (random() < 0.06) lines.push(earlier.replace(/,[^,]*@/, ",second.list@"))
    continue
  }
  const phone = prefix !== "" && random() < 0.4 ? `${prefix}${String(1_000 + known.size).padStart(4, "0")}` : ""
  const name = `${first} ${last}${random() < 0.03 ? ` ${pick(emoji)}` : ""}`
  // A few have no company to be greeted by.
  const company = random() < 0.012 ? "" : pick(companies)
  const row = line([
    id,
    phone,
    name,
    first,
    last,
    random() < 0.04 ? "" : zone,
    pick(tags),
    company,
    pick(cities),
    pick(["Starter", "Studio", "Team"]),
    `${id}@mail.example`
  ])
  known.set(id, row)
  lines.push(row)
  const odd = oddities.get(known.size)
  if (odd !== undefined) lines.push(odd)
}
writeFileSync(join(import.meta.dirname, "../examples/contacts.csv"), `${lines.join("\n")}\n`)
