module limpet/goprogs/realleaks/shop

go 1.22

require (
	github.com/gorilla/context v1.1.1
	github.com/gorilla/sessions v1.1.3
	limpet/goprogs v0.0.0
)

require github.com/gorilla/securecookie v1.1.1 // indirect

replace limpet/goprogs => ../..
