import { stored } from '../stored'

/** Which of our languages somebody reads. */
export type LanguageName = 'zh' | 'en'

const STORED = 'meilin.language'

/** The first of what the browser asks for that we speak; Chinese for everybody else. */
export function preferred(tags: readonly string[]): LanguageName {
  const primary = tags.map((tag) => tag.toLowerCase().split('-')[0])
  return primary.find((one): one is LanguageName => one === 'zh' || one === 'en') ?? 'zh'
}

export function chosenBefore(): LanguageName | null {
  const kept = stored.read(STORED)
  return kept === 'zh' || kept === 'en' ? kept : null
}

/** Here, and for the server, which names the language and the link preview before any script runs. */
export function keepChosen(name: LanguageName) {
  stored.write(STORED, name)
  const secure = location.protocol === 'https:' ? '; secure' : ''
  document.cookie = `meilin_language=${name}; path=/; max-age=31536000; samesite=lax${secure}`
}
