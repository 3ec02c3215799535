import './tokens.css'
import './base.css'
import './tally.css'
import { mount } from 'svelte'
import App from './App.svelte'
import { elderMode } from '$lib/settings.svelte'
import { language } from '$lib/words/language.svelte'

elderMode.begin()
await language.begin()
mount(App, { target: document.getElementById('page')! })
