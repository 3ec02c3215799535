import { snag } from '../snag.svelte'
import { stored } from '../stored'
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
  /** The words of another language are on their way. */
  busy = $state(false)
  #words = $state.raw<Words | null>(null)

  /** Every word of the page. There are none before `begin` has been awaited. */
  get words(): Words {
    if (!this.#words) throw new Error('The words have not been loaded yet')
    return this.#words
  }

  async begin() {
    await this.choose(stored.read(STORED) === 'en' ? 'en' : 'zh')
  }

  /** By a tap: the page stays in its language until the other one is there, and says so when it cannot be had. */
  async turnTo(name: LanguageName) {
    if (this.busy) return
    this.busy = true
    try {
      await this.choose(name)
      snag.clear()
    } catch {
      snag.tell('languageLost', () => this.turnTo(name))
    } finally {
      this.busy = false
    }
  }

  async choose(name: LanguageName) {
    const words = await catalogues[name]()
    this.name = name
    this.#words = words
    document.documentElement.lang = words.meta.lang
    stored.write(STORED, name)
  }
}

export const language = new Language()
