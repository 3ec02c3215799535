import { cast as en } from './cast.en'
import { cast as zh } from './cast.zh'
import { language } from './language.svelte'

/** The words of a ballot, in the language that the page speaks now. */
export const castWords = () => (language.name === 'en' ? en : zh)
