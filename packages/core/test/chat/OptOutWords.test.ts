import { assert, describe, it } from "@effect/vitest"
import * as OptOutWords from "../../src/chat/OptOutWords.ts"

/** What people write of these words, and what they write that only looks like it, by language. */
const stops: Readonly<Record<string, { readonly heard: ReadonlyArray<string>; readonly not: ReadonlyArray<string> }>> =
  {
    en: {
      heard: ["STOP", " Stop. ", "“Stop!”", "stop 🛑", "Ｓｔｏｐ", "Opt-out", "STOP\nALL", "No more messages!!!"],
      not: ["please stop by", "Don't stop", "non-stop", "stopping", "The end?", "cancel my order", "", "!"]
    },
    de: {
      heard: ["STOPP!", "Abmelden", "Keine Nachrichten mehr."],
      not: ["Stoppuhr", "Wie kann ich mich abmelden?", "Nachrichten"]
    },
    fr: {
      heard: ["Arrêt", "ARRÊTER", "Désabonner", "Me désinscrire !", "de\u0301sinscrire"],
      not: ["Arrêt de bus", "Pourquoi me désinscrire ?", "arrête-toi chez nous"]
    },
    es: { heard: ["¡Alto!", "BAJA", "No más mensajes", "Dárme de baja"], not: ["Baja el precio", "más mensajes"] },
    pt: { heard: ["Pare!", "SAIR", "Descadastrar"], not: ["Vou sair agora", "parede"] },
    it: { heard: ["Basta!", "ANNULLA", "Disiscrivimi"], not: ["Basta un minuto", "fermata"] },
    nl: { heard: ["Uitschrijven", "Geen berichten meer!"], not: ["Hoe kan ik me uitschrijven?", "berichten"] },
    pl: { heard: ["Rezygnuję", "REZYGNUJĘ", "Wypisz mnie"], not: ["Nie rezygnuję", "wypis"] },
    sv: { heard: ["Avsluta", "AVREGISTRERA!"], not: ["Avsluta inte", "avslutad"] },
    tr: {
      heard: ["Dur!", "İPTAL", "İptal", "Abonelikten çık", "ABONELİKTEN ÇIK"],
      not: ["Durum nedir?", "iptal etmeyin"]
    },
    ru: { heard: ["СТОП", "Стоп!", "Отписаться"], not: ["стоп-кран", "отписаться нельзя?", "остановка"] },
    uk: { heard: ["СТОП", "Відписатися"], not: ["Як відписатися?"] },
    ar: { heard: ["توقف", "تَوَقَّف", "إلغاء"], not: ["لا تتوقف", "الغاء الموعد"] },
    he: { heard: ["הסר", "עֲצוֹר", "עצור!"], not: ["אל תעצור"] },
    hi: { heard: ["रोकें", "रोकें।", "बंद करो"], not: ["राका", "रोका", "रोकूँ?", "मत रोकें", "बंद कर"] },
    ja: { heard: ["停止", "配信停止。"], not: ["停止しないで", "配信"] },
    zh: { heard: ["退订", "取消订阅！", "退訂", "取消訂閱"], not: ["不要停止", "订阅"] },
    ko: { heard: ["중지", "수신거부", "수신 거부"], not: ["중지하지 마세요", "수신"] }
  }

describe("the words of stop", () => {
  it("are tried in every language that has some", () => {
    assert.sameMembers(Object.keys(stops), Object.keys(OptOutWords.stopWords))
  })

  for (const [language, { heard, not }] of Object.entries(stops)) {
    it(`are heard as ${language} spells them, as a whole and in no other words`, () => {
      const said = [...(OptOutWords.stopWords[language] ?? []), ...heard]
      assert.deepStrictEqual(
        said.filter((text) => !OptOutWords.isOptOut(text)),
        []
      )
      assert.deepStrictEqual(not.filter(OptOutWords.isOptOut), [])
    })
  }
})

describe("the words of return", () => {
  it("are heard as they are spelt, as a whole, and none of them says stop", () => {
    const heard = ["START", "Start!", "Unstop", "Wieder anmelden.", "Démarrer", "RÉABONNER", "Inizia"]
    const said = [...Object.values(OptOutWords.startWords).flat(), ...heard]
    assert.deepStrictEqual(
      said.filter((text) => !OptOutWords.isOptIn(text)),
      []
    )
    assert.deepStrictEqual(said.filter(OptOutWords.isOptOut), [])
    assert.deepStrictEqual(
      ["When do you start?", "starter", "subscribed", "Re: start", ""].filter(OptOutWords.isOptIn),
      []
    )
  })
})
