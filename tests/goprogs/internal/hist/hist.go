// Package hist counts durations in buckets of about 3 percent; adding is one atomic addition.
package hist

import (
	"math/bits"
	"sync/atomic"
)

const sub = 32 // buckets a power of two

// H is a histogram of nanoseconds.
type H struct {
	counts [64 * sub]atomic.Int64
	max    atomic.Int64
}

// New gives an empty one.
func New() *H { return &H{} }

func bucket(ns int64) int {
	if ns < sub {
		return int(max(ns, 0))
	}
	shift := bits.Len64(uint64(ns)) - 6
	return (shift+1)*sub + int(ns>>shift) - sub
}

// upper is the largest value of a bucket.
func upper(b int) int64 {
	if b < sub {
		return int64(b)
	}
	shift := b/sub - 1
	return (int64(b%sub+sub)+1)<<shift - 1
}

// Add counts one duration.
func (h *H) Add(ns int64) {
	h.counts[bucket(ns)].Add(1)
	for {
		old := h.max.Load()
		if ns <= old || h.max.CompareAndSwap(old, ns) {
			return
		}
	}
}

// Reset forgets all.
func (h *H) Reset() {
	for i := range h.counts {
		h.counts[i].Store(0)
	}
	h.max.Store(0)
}

// Count is how many were added.
func (h *H) Count() (n int64) {
	for i := range h.counts {
		n += h.counts[i].Load()
	}
	return n
}

// Quantile is the upper end of the bucket that q of all lie in or below; 1 is the exact maximum.
func (h *H) Quantile(q float64) int64 {
	if q >= 1 {
		return h.max.Load()
	}
	want, seen := int64(q*float64(h.Count())), int64(0)
	for i := range h.counts {
		if seen += h.counts[i].Load(); seen > want {
			return min(upper(i), h.max.Load())
		}
	}
	return h.max.Load()
}
