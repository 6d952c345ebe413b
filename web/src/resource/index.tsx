// SPDX-License-Identifier: Apache-2.0

export { ResourcePanel } from './panel'
