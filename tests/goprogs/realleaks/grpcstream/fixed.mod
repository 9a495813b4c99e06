module limpet/goprogs/realleaks/grpcstream

go 1.22

require (
	github.com/golang/protobuf v1.5.4
	golang.org/x/net v0.33.0
	google.golang.org/grpc v1.0.2
	limpet/goprogs v0.0.0
)

require (
	golang.org/x/text v0.21.0 // indirect
	google.golang.org/protobuf v1.33.0 // indirect
)

replace limpet/goprogs => ../..
