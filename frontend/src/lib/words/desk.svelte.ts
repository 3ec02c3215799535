import { desk as en } from './desk.en'
import { desk as zh } from './desk.zh'
import { language } from './language.svelte'

/** The words of those who publish, in the language that the page speaks now. */
export const deskWords = () => (language.name === 'en' ? en : zh)
