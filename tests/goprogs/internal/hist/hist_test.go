package hist

import "testing"

// Every value lies in a bucket whose upper end is at most 1/32 above it.
func TestBucket(t *testing.T) {
	for ns := int64(0); ns < 1<<40; ns = ns*17/16 + 1 {
		up := upper(bucket(ns))
		if up < ns || up > ns+ns/sub+1 {
			t.Fatalf("%d lies in a bucket up to %d", ns, up)
		}
	}
}

func TestQuantile(t *testing.T) {
	h := New()
	for i := int64(1); i <= 1000; i++ {
		h.Add(i * 1000)
	}
	if q := h.Quantile(0.5); q < 500000 || q > 520000 {
		t.Fatalf("median %d", q)
	}
	if h.Quantile(1) != 1000000 || h.Count() != 1000 {
		t.Fatalf("max %d, count %d", h.Quantile(1), h.Count())
	}
}
