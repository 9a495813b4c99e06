package main

// subslice: the IP header of each packet is kept, and with it the packet: a slice points into its array, and the array stays
// whole.
//
// The twin copies the header (bytes.Clone, slices.Clone, append(nil, …)).

// CASE subslice EXPECT subslice-pin holder=main.headers bytes>=4000000
// CASE subslice-fixed NONE

import "bytes"

// lab:begin
var headers [][]byte

func keepHeader(packet []byte) {
	headers = append(headers, packet[14:34])
}

// lab:end

// lab:fixed-begin
func keepHeaderFixed(packet []byte) {
	headers = append(headers, bytes.Clone(packet[14:34]))
}

// lab:fixed-end

func init() {
	add(mode{name: "subslice", about: "twenty bytes keep a packet of kilobytes alive", enough: 2000,
		plant: func(int) { keepHeader(payload(4 << 10)) }, fixed: func(int) { keepHeaderFixed(payload(4 << 10)) }})
}
