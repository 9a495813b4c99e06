// grpcstream - a gRPC client that lives long and calls often, with the context of the whole service.
//
// grpc/grpc-go#888: for each call the client's transport makes a context with context.WithCancel and never cancels it;
// as long as the parent lives, and here it lives as long as the service, it keeps all of them with all that their
// callers put in.  v1.0.1-GA has it, v1.0.2 has not.
package main

import (
	"fmt"
	"net"

	"limpet/goprogs/internal/ready"
	"limpet/goprogs/internal/rounds"

	"golang.org/x/net/context"
	"google.golang.org/grpc"
)

// Bytes as they are, so that no generated code is needed.
type raw struct{}

func (raw) Marshal(v interface{}) ([]byte, error) { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v interface{}) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}
func (raw) String() string { return "raw" }

func echo(_ interface{}, _ context.Context, dec func(interface{}) error, _ grpc.UnaryServerInterceptor) (interface{}, error) {
	var in []byte
	err := dec(&in)
	return &in, err
}

// What a service knows of one request, for its log lines.
type request struct {
	id    int
	notes [1000]byte
}

type requestKey struct{}

type anything interface{}

var echoService = grpc.ServiceDesc{ServiceName: "limpet.Echo", HandlerType: (*anything)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Echo", Handler: echo}}}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := grpc.NewServer(grpc.CustomCodec(raw{}))
	server.RegisterService(&echoService, struct{}{})
	go server.Serve(l)
	conn, err := grpc.Dial(l.Addr().String(), grpc.WithInsecure(), grpc.WithBlock(), grpc.WithCodec(raw{}))
	if err != nil {
		panic(err)
	}
	service, stop := context.WithCancel(context.Background())
	defer stop()
	ready.Say(rounds.Run(func() {
		for i := 0; i < 2000; i++ {
			in, out := []byte(fmt.Sprint("call ", i)), []byte(nil)
			ctx := context.WithValue(service, requestKey{}, &request{id: i})
			if err := grpc.Invoke(ctx, "/limpet.Echo/Echo", &in, &out, conn); err != nil {
				panic(err)
			}
		}
	})...)
	ready.Wait()
}
