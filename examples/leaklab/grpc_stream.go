//go:build !small

package main

// grpc-stream: the client opens a stream for each job, with a context of its own that carries the job, and keeps it in a
// sync.Map.  The server ends the stream; the client neither reads to the end nor cancels, so gRPC's rule is broken
// (one of: cancel the context, close the connection, read until an error).  What stays, for each job: the stream, its
// context with the value, and a goroutine of gRPC that waits for a cancel.
//
// The twin cancels, and deletes.

// CASE grpc-stream EXPECT global-growth type=*clientStream* bytes>=4000000
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
	ctx, _ := context.WithCancel(context.WithValue(context.Background(), jobKey{}, j)) // vet warns, and is right
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
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), jobKey{}, j))
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

var grpcConn *grpc.ClientConn

func grpcServe() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	s := grpc.NewServer()
	s.RegisterService(&grpc.ServiceDesc{ServiceName: "lab.Jobs", HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{watchDesc}}, struct{}{})
	go s.Serve(l)
	grpcConn, err = grpc.Dial(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fail(err)
	}
}

func watchWith(watch func(*grpc.ClientConn, *job) error) func(i int) {
	return func(i int) {
		if err := watch(grpcConn, &job{id: i, data: payload(16 << 10)}); err != nil && err != io.EOF {
			fail(err)
		}
	}
}

func init() {
	add(mode{name: "grpc-stream", about: "gRPC streams that are neither read to the end nor cancelled", enough: 600,
		start: grpcServe, plant: watchWith(watchJob), fixedStart: grpcServe, fixed: watchWith(watchJobFixed)})
}
