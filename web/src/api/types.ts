// SPDX-License-Identifier: Apache-2.0

// Names for the schemas of the API that the page uses. schema.ts is generated from the OpenAPI document.

import type { components } from './schema'

type Schemas = components['schemas']

export type ApplicationsView = Schemas['bowline.rpc.ApplicationsView']
export type Row = Schemas['bowline.rpc.Row']
export type Group = Schemas['bowline.rpc.Group']
export type FacetCount = Schemas['bowline.rpc.FacetCount']
export type ApplicationView = Schemas['bowline.rpc.ApplicationView']
export type Node = Schemas['bowline.rpc.Node']
export type ObjectView = Schemas['bowline.rpc.ObjectView']
export type Difference = Schemas['bowline.rpc.Difference']
export type FieldOwner = Schemas['bowline.rpc.FieldOwner']
export type Comparison = Schemas['bowline.rpc.Comparison']
export type PreviewAnswer = Schemas['bowline.rpc.PreviewAnswer']
export type Problem = Schemas['bowline.rpc.Problem']
export type Plan = Schemas['bowline.rpc.Plan']
export type State = Schemas['bowline.rpc.State']
export type ClusterState = Schemas['bowline.rpc.ClusterState']
export type Explanation = Schemas['bowline.rpc.Explanation']

export type Application = Schemas['argoproj.v1alpha1.Application']
export type AppProject = Schemas['argoproj.v1alpha1.AppProject']

/** What an application asks of people, worst first. */
export const attentions = ['broken', 'waiting', 'stale', 'drifting', 'working', 'fine'] as const
export type Attention = (typeof attentions)[number]
