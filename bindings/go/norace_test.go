// SPDX-License-Identifier: MIT

//go:build !race

package infer

const raceEnabled = false
