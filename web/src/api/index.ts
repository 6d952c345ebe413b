// SPDX-License-Identifier: Apache-2.0

export { address, call, send } from './call'
export { ApiError, errorOf } from './error'
export { type Following, follow, type Standing } from './follow'
export * from './types'
