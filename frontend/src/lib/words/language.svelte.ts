import type { Words } from './zh'

export type LanguageName = 'zh' | 'en'

const STORED = 'meilin.language'

/** Only the catalogue that is read is downloaded. */
const catalogues: Record<LanguageName, () => Promise<Words>> = {
  zh: () => import('./zh').then((module) => module.zh),
  en: () => import('./en').then((module) => module.en),
}

class Language {
  name = $state<LanguageName>('zh')
  #words = $state.raw<Words | null>(null)

  /** Every word of the page. There are none before `begin` has been awaited. */
  get words(): Words {
    if (!this.#words) throw new Error('The words have not been loaded yet')
    return this.#words
  }

  async begin() {
    await this.choose(localStorage.getItem(STORED) === 'en' ? 'en' : 'zh')
  }

  async choose(name: LanguageName) {
    const words = await catalogues[name]()
    this.name = name
    this.#words = words
    document.documentElement.lang = words.meta.lang
    localStorage.setItem(STORED, name)
  }
}

export const language = new Language()
