package main

// empty-select: select {} blocks for ever.  In main that is a way to wait, and no leak; in a goroutine that is started
// for each connection it is one.
//
// The twin returns when the connection is done.

// CASE empty-select EXPECT goroutine-leak verdict=leak proof=proved function=main.serveTunnel count>=500
// CASE empty-select-fixed NONE

// lab:begin
type tunnel struct{ in, out []byte }

func serveTunnel(t *tunnel) {
	defer t.close()
	go copyTunnel(t.in, t.out)
	select {} // keep the tunnel open
}

// lab:end

// lab:fixed-begin
func serveTunnelFixed(t *tunnel) {
	defer t.close()
	copyTunnel(t.in, t.out) // comes back when the connection is closed
}

// lab:fixed-end

func (t *tunnel) close() { t.in, t.out = nil, nil }

func copyTunnel(in, out []byte) { copy(out, in) }

func init() {
	open := func() *tunnel { return &tunnel{payload(4 << 10), payload(4 << 10)} }
	add(mode{name: "empty-select", about: "goroutines in select {}", enough: 600,
		plant: func(int) { go serveTunnel(open()) }, fixed: func(int) { go serveTunnelFixed(open()) }})
}
