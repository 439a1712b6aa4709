/**
 * The words by which people say that they want no more messages, and those by which they come back, per language: plain
 * data, matched on the whole message once it is normalised, never on a part of it ("please stop by" is no opt-out).
 */

/** Opt-out words by language (BCP 47). */
export const stopWords: Readonly<Record<string, ReadonlyArray<string>>> = {
  en: [
    "stop",
    "stop all",
    "stopall",
    "unsubscribe",
    "cancel",
    "end",
    "quit",
    "opt out",
    "optout",
    "remove me",
    "no more messages"
  ],
  de: ["stopp", "abmelden", "abbestellen", "austragen", "keine nachrichten mehr"],
  fr: ["arret", "arreter", "desabonner", "desinscrire", "me desinscrire"],
  es: ["alto", "parar", "baja", "cancelar", "darme de baja", "no mas mensajes"],
  pt: ["pare", "parar", "sair", "cancelar", "descadastrar"],
  it: ["basta", "annulla", "cancellami", "disiscrivimi", "fermati"],
  nl: ["afmelden", "uitschrijven", "geen berichten meer"],
  pl: ["rezygnuje", "wypisz", "wypisz mnie"],
  sv: ["avsluta", "avregistrera"],
  tr: ["dur", "iptal", "abonelikten cik"],
  ru: ["стоп", "отписаться", "отмена"],
  uk: ["стоп", "відписатися"],
  ar: ["توقف", "الغاء"],
  he: ["הסר", "עצור"],
  hi: ["रोकें", "बंद करो"],
  ja: ["停止", "配信停止"],
  zh: ["停止", "退订", "取消订阅", "退訂", "取消訂閱"],
  ko: ["중지", "수신거부", "수신 거부"]
}

/** Words that lift an opt-out. */
export const startWords: Readonly<Record<string, ReadonlyArray<string>>> = {
  en: ["start", "unstop", "subscribe", "resubscribe"],
  de: ["anmelden", "wieder anmelden"],
  fr: ["demarrer", "reabonner"],
  es: ["iniciar", "suscribir"],
  pt: ["iniciar", "assinar"],
  it: ["inizia", "iscrivimi"]
}

/** What may be left out of a word: accents and points, but not the vowels of scripts that write them as marks. */
const accents = /[\p{Script=Inherited}[\p{Script=Hebrew}&&\p{Mn}]]/gv

/** Lower case, without accents, punctuation and surplus space. */
export const normalise = (text: string): string =>
  text
    .normalize("NFKD")
    .replaceAll(accents, "")
    .toLowerCase()
    .replaceAll("ı", "i")
    .replaceAll(/[^\p{L}\p{M}\p{N}\s]/gu, " ")
    .trim()
    .replaceAll(/\s+/g, " ")

const all = (words: Readonly<Record<string, ReadonlyArray<string>>>): ReadonlySet<string> =>
  new Set(Object.values(words).flat().map(normalise))

const stops = all(stopWords)
const starts = all(startWords)

/** Whether the whole message says stop. */
export const isOptOut = (text: string): boolean => stops.has(normalise(text))

/** Whether the whole message says start again. */
export const isOptIn = (text: string): boolean => starts.has(normalise(text))
