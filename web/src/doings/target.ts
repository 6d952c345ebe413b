// SPDX-License-Identifier: Apache-2.0

import { settings } from '../session/session'

/** Which application something is done to. */
export interface Target {
  namespace: string
  name: string
}

/** The namespace that applications without one are in, as far as the server told. */
export function controlNamespace(): string {
  return settings.value?.controllerNamespace || 'argocd'
}

/** The name of an application as the command line takes it: with its namespace if that is not the control namespace. */
export function qualified(target: Target, control: string = controlNamespace()): string {
  return !target.namespace || target.namespace === control ? target.name : `${target.namespace}/${target.name}`
}

/** The key of an application in maps. */
export function keyOf(target: Target): string {
  return `${target.namespace}/${target.name}`
}
