// SPDX-License-Identifier: Apache-2.0

import type { components } from '../api/schema'

type Schemas = components['schemas']

export type Account = Schemas['rpc.account.Account']
export type AccountToken = Schemas['rpc.account.Token']
export type Certificate = Schemas['argoproj.v1alpha1.RepositoryCertificate']
export type Cluster = Schemas['argoproj.v1alpha1.Cluster']
export type ClusterSummary = Schemas['bowline.rpc.ClusterSummary']
export type Connection = Schemas['argoproj.v1alpha1.ConnectionState']
export type Destination = Schemas['argoproj.v1alpha1.ApplicationDestination']
export type KindState = Schemas['bowline.rpc.KindState']
export type Project = Schemas['argoproj.v1alpha1.AppProject']
export type ProjectSpec = Schemas['argoproj.v1alpha1.AppProjectSpec']
export type ProjectToken = Schemas['argoproj.v1alpha1.JWTToken']
export type RepoCreds = Schemas['argoproj.v1alpha1.RepoCreds']
export type Repository = Schemas['argoproj.v1alpha1.Repository']
export type Role = Schemas['argoproj.v1alpha1.ProjectRole']
export type SyncWindow = Schemas['argoproj.v1alpha1.SyncWindow']

/** What stands in a list of the API, without the holes that its types allow. */
export function items<T>(list: readonly (T | null | undefined)[] | null | undefined): T[] {
  return (list ?? []).filter((one): one is T => one !== null && one !== undefined)
}
