import { snag } from '../snag.svelte'
import { chosenBefore, keepChosen, type LanguageName, preferred } from './preferred'
import type { Words } from './zh'

export type { LanguageName }

/** Only the catalogue that is read is downloaded. */
const catalogues: Record<LanguageName, () => Promise<Words>> = {
  zh: () => import('./zh').then((module) => module.zh),
  en: () => import('./en').then((module) => module.en),
}

const tags: Record<LanguageName, string> = { zh: 'zh-CN', en: 'en' }

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

  /** What was chosen on this device, else what the browser asks for, which may change. */
  async begin() {
    const chosen = chosenBefore()
    if (chosen) keepChosen(chosen)
    const name = chosen ?? preferred(navigator.languages)
    document.documentElement.lang = tags[name] // right before the words are there
    await this.#speak(name)
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
    await this.#speak(name)
    keepChosen(name)
  }

  async #speak(name: LanguageName) {
    const words = await catalogues[name]()
    this.name = name
    this.#words = words
    document.documentElement.lang = tags[name]
  }
}

export const language = new Language()
