import type { initGraphQLTada, TadaDocumentNode } from 'gql.tada'
import type { introspection } from '../../schema-types'
import { compose, type Written } from './document'

interface Setup {
  introspection: introspection
  disableMasking: true
  scalars: { DateTime: string; Date: string; Decimal: string }
}

/**
 * Documents are typed from schema/schema.graphql; fragments stand beside the component that draws them. gql.tada only
 * gives the types: nothing is parsed in a browser.
 */
export const graphql = compose as unknown as ReturnType<typeof initGraphQLTada<Setup>>

/** What a typed document is in truth. */
export const written = (document: TadaDocumentNode<unknown, never>) => document as unknown as Written

export type { ResultOf, TadaDocumentNode, VariablesOf } from 'gql.tada'
