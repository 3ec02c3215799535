import { graphql } from '../api/graphql'
import { request } from '../api/request'
import { session } from './session.svelte'

const PermissionsQuery = graphql(`
  query Permissions($communityId: ID!) {
    viewer {
      permissions(communityId: $communityId)
    }
  }
`)

/** Asked beside the page and only for people who are signed in: hardly anybody has these rights. */
export function mayPublish(communityId: () => string | undefined) {
  let granted = $state.raw<readonly string[] | null>(null)
  // A page that is read anew brings the same community and the same viewer: nothing is asked or taken away again.
  const id = $derived(communityId())
  const account = $derived(session.viewer?.account)

  $effect(() => {
    granted = null
    if (!id || !account) return
    let current = true
    request(PermissionsQuery, { communityId: id })
      .then(({ data }) => current && (granted = data.viewer?.permissions ?? []))
      // Without an answer nothing is offered; the server decides anyway when somebody publishes.
      .catch(() => current && (granted = []))
    return () => (current = false)
  })

  return {
    get known() {
      return granted !== null || (session.known && !session.viewer)
    },
    get notice() {
      return granted?.includes('PUBLISH_NOTICE') ?? false
    },
    get entry() {
      return granted?.includes('RECORD_ENTRY') ?? false
    },
    get event() {
      return granted?.includes('PUBLISH_EVENT') ?? false
    },
  }
}
