// SPDX-License-Identifier: Apache-2.0

package rpc

//go:generate go run ./generate
