module limpet/goprogs/realleaks/backoff

go 1.22

require (
	github.com/lestrrat-go/backoff/v2 v2.0.7
	limpet/goprogs v0.0.0
)

require github.com/lestrrat-go/option v1.0.0 // indirect

replace limpet/goprogs => ../..
