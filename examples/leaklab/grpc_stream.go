//go:build !small

package main

// grpc-stream: the client opens a stream for each job, with a context of its own that carries the job, and keeps it in a
// sync.Map.  It neither reads to the end nor cancels.  The connection is closed after a hundred jobs, and that ends what
// gRPC has under way for them (until then, a goroutine for each stream waits, too).  What stays, for each job: the stream
// in the map, and its context with the value, registered with the application's context.
//
// The twin cancels, reads to the end, and deletes.

// CASE grpc-stream EXPECT global-growth bytes>=4000000
// CASE grpc-stream EXPECT context-leak count>=2000 anywhere
// CASE grpc-stream-fixed NONE

import (
	"context"
	"io"
	"net"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// lab:begin
type jobKey struct{}

type job struct {
	id   int
	data []byte
}

var streams sync.Map // job id -> grpc.ClientStream

func watchJob(conn *grpc.ClientConn, j *job) error {
	ctx, _ := context.WithCancel(context.WithValue(appContext, jobKey{}, j)) // vet warns, and is right
	s, err := conn.NewStream(ctx, &watchDesc, "/lab.Jobs/Watch")
	if err != nil {
		return err
	}
	streams.Store(j.id, s)
	return s.SendMsg(wrapperspb.Int32(int32(j.id)))
}

// lab:end

// lab:fixed-begin
func watchJobFixed(conn *grpc.ClientConn, j *job) error {
	ctx, cancel := context.WithCancel(context.WithValue(appContext, jobKey{}, j))
	defer cancel()
	s, err := conn.NewStream(ctx, &watchDesc, "/lab.Jobs/Watch")
	if err != nil {
		return err
	}
	streams.Store(j.id, s)
	defer streams.Delete(j.id)
	if err := s.SendMsg(wrapperspb.Int32(int32(j.id))); err != nil {
		return err
	}
	for {
		if err := s.RecvMsg(new(emptypb.Empty)); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// lab:fixed-end

var watchDesc = grpc.StreamDesc{StreamName: "Watch", ServerStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
	s.RecvMsg(new(wrapperspb.Int32Value))
	return s.SendMsg(new(emptypb.Empty)) // and that is all there is to say
}}

var (
	grpcConn    *grpc.ClientConn
	grpcAddress string
)

func grpcServe() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	s := grpc.NewServer()
	s.RegisterService(&grpc.ServiceDesc{ServiceName: "lab.Jobs", HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{watchDesc}}, struct{}{})
	go s.Serve(l)
	grpcAddress = l.Addr().String()
}

func grpcHangUp() {
	if grpcConn != nil {
		grpcConn.Close()
	}
	grpcConn = nil
}

func grpcDial() {
	var err error
	grpcConn, err = grpc.Dial(grpcAddress, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fail(err)
	}
}

func watchWith(watch func(*grpc.ClientConn, *job) error) func(i int) {
	return func(i int) {
		if i%100 == 0 {
			grpcHangUp()
			grpcDial()
		}
		if err := watch(grpcConn, &job{id: i, data: payload(4 << 10)}); err != nil && err != io.EOF {
			fail(err)
		}
	}
}

func init() {
	add(mode{name: "grpc-stream", about: "gRPC streams that are neither read to the end nor cancelled", enough: 2500,
		start: grpcServe, plant: watchWith(watchJob), end: grpcHangUp, fixedStart: grpcServe, fixed: watchWith(watchJobFixed), fixedEnd: grpcHangUp})
}
