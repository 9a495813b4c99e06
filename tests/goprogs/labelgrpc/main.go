// labelgrpc - a gRPC server whose interceptors label by method and tenant, and that keeps books of what they hold.
//
//	labelgrpc                           READY pid ADDRESS TRUTH: /truth there has the books
//	labelgrpc client ADDRESS CALL...    makes the calls and keeps them; CALL is METHOD?tenant=T&total=N&n=N...
//
// A call holds, for ever, what internal/onbehalf says.  /shop.Cart/* are unary, /shop.Search/* streams.
package main

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime/pprof"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"limpet/goprogs/internal/onbehalf"
	"limpet/goprogs/internal/ready"
)

func labels(ctx context.Context, method string) pprof.LabelSet {
	tenant := ""
	if md, ok := metadata.FromIncomingContext(ctx); ok && len(md.Get("tenant")) == 1 {
		tenant = md.Get("tenant")[0]
	}
	return pprof.Labels("rpc", method, "tenant", tenant)
}

func unaryLabels(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (answer any, err error) {
	pprof.Do(ctx, labels(ctx, info.FullMethod), func(ctx context.Context) { answer, err = next(ctx, req) })
	return answer, err
}

type labelledStream struct {
	grpc.ServerStream
	ctx context.Context
}

func (s labelledStream) Context() context.Context { return s.ctx }

func streamLabels(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	pprof.Do(ss.Context(), labels(ss.Context(), info.FullMethod), func(ctx context.Context) {
		err = next(srv, labelledStream{ss, ctx})
	})
	return err
}

func hold(ctx context.Context, query string) {
	q, _ := url.ParseQuery(query)
	place, _ := pprof.Label(ctx, "rpc")
	tenant, _ := pprof.Label(ctx, "tenant")
	onbehalf.Hold(ctx, []onbehalf.Who{{Place: place, Tenant: tenant}}, onbehalf.Int(q.Get("total")), onbehalf.Int(q.Get("n")),
		q.Get("give") != "", q.Get("take") != "", q.Get("common") != "")
}

func unary(_ any, ctx context.Context, dec func(any) error, intercept grpc.UnaryServerInterceptor, name string) (any, error) {
	in := new(wrapperspb.StringValue)
	if err := dec(in); err != nil {
		return nil, err
	}
	return intercept(ctx, in, &grpc.UnaryServerInfo{FullMethod: name}, func(ctx context.Context, req any) (any, error) {
		hold(ctx, req.(*wrapperspb.StringValue).Value)
		return new(emptypb.Empty), nil
	})
}

func stream(_ any, ss grpc.ServerStream) error {
	in := new(wrapperspb.StringValue)
	if err := ss.RecvMsg(in); err != nil {
		return err
	}
	hold(ss.Context(), in.Value)
	return nil
}

// What protoc-gen-go-grpc would write.
func services() []grpc.ServiceDesc {
	cart := grpc.ServiceDesc{ServiceName: "shop.Cart", HandlerType: (*any)(nil)}
	for _, method := range []string{"Add", "Pay"} {
		name := "/shop.Cart/" + method
		cart.Methods = append(cart.Methods, grpc.MethodDesc{MethodName: method,
			Handler: func(srv any, ctx context.Context, dec func(any) error, i grpc.UnaryServerInterceptor) (any, error) {
				return unary(srv, ctx, dec, i, name)
			}})
	}
	return []grpc.ServiceDesc{cart, {ServiceName: "shop.Search", HandlerType: (*any)(nil),
		Streams: []grpc.StreamDesc{{StreamName: "Find", Handler: stream, ServerStreams: true}}}}
}

func serve() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	truth, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/truth", onbehalf.Serve)
	go http.Serve(truth, nil)
	s := grpc.NewServer(grpc.UnaryInterceptor(unaryLabels), grpc.StreamInterceptor(streamLabels))
	for _, d := range services() {
		s.RegisterService(&d, struct{}{})
	}
	for i := 0; i < 8; i++ {
		go onbehalf.Hold(context.Background(), nil, 300<<10, 5000, false, false, false)
	}
	ready.Say(l.Addr().String(), truth.Addr().String())
	panic(s.Serve(l))
}

func call(c *grpc.ClientConn, text string) {
	method, query, _ := strings.Cut(text, "?")
	q, _ := url.ParseQuery(query)
	ctx := metadata.AppendToOutgoingContext(context.Background(), "tenant", q.Get("tenant"))
	in := wrapperspb.String(query)
	if strings.HasPrefix(method, "/shop.Search/") {
		ss, err := c.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, method)
		if err != nil {
			panic(err)
		}
		if err := ss.SendMsg(in); err != nil {
			panic(err)
		}
		ss.CloseSend()
		panic(ss.RecvMsg(new(emptypb.Empty)))
	}
	panic(c.Invoke(ctx, method, in, new(emptypb.Empty)))
}

func main() {
	if len(os.Args) < 3 {
		serve()
	}
	c, err := grpc.Dial(os.Args[2], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		panic(err)
	}
	for _, text := range os.Args[3:] {
		go call(c, text)
	}
	ready.Say()
	ready.Wait()
}
