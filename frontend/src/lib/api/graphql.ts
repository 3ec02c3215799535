import { initGraphQLTada } from 'gql.tada'
import type { introspection } from '../../schema-types'

/** Documents are typed from schema/schema.graphql; fragments stand beside the component that draws them. */
export const graphql = initGraphQLTada<{
  introspection: introspection
  disableMasking: true
  scalars: { DateTime: string; Date: string; Decimal: string }
}>()

export type { ResultOf, VariablesOf } from 'gql.tada'
