// Package body makes answers that their reader can check byte by byte.
package body

// Fill writes the bytes that belong to seed: xorshift64*, one byte a step.
func Fill(seed uint64, buf []byte) {
	x := seed*0x9e3779b97f4a7c15 + 1
	for i := range buf {
		x ^= x >> 12
		x ^= x << 25
		x ^= x >> 27
		buf[i] = byte(x * 0x2545f4914f6cdd1d >> 56)
	}
}
