import './tokens.css'
import './base.css'
import './tally.css'
import { mount } from 'svelte'
import App from './App.svelte'
import { elderMode } from '$lib/settings.svelte'
import { settle } from '$lib/address'
import { preload } from './router'
import { language } from '$lib/words/language.svelte'

settle()
elderMode.begin()
// The words and the route are fetched side by side.
void preload(location.pathname as '/')
await language.begin()
mount(App, { target: document.getElementById('page')! })
